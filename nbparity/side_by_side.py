"""Two programs with the same arguments, one after the other, and how far their float images are apart.

Each program runs in a folder of its own that is empty and goes away, in the pinned environment with one
thread. Input files among the arguments are found from the folder that the arguments were written for. Options
that name an output file are left out, so nothing outside the result folder is written and neither program can
overwrite what the other made; each gets ``-floatfile`` with a path of its own at the end.
"""

import hashlib
import importlib.util
import json
import shlex
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from . import causes, environment, packed, png, registration, resample, thresholds
from .case_runs import SHAPE
from .causes import Setting
from .compare import Comparison, FloatImage, Roi, compare, crop, read_float_image, undefined
from .errors import ParityError, UsageError
from .explain import Explanation, explain, observed
from .hashing import sha256_list, sha256_of_file
from .observations import observe
from .processes import TIME_LIMIT_S, run
from .programs import Program
from .thresholds import NbCompareLimits

INPUT_OPTIONS = frozenset(
    {"-hkl", "-mat", "-matrix", "-img", "-mask", "-sourcefile", "-stol", "-4stol", "-Q"}
)
CACHE_OPTIONS = frozenset({"-dump", "-dumpfile"})
DEFAULT_CACHE = "Fdump.bin"
OUTPUT_OPTIONS = frozenset(
    {
        *("-floatfile", "-floatimage", "-intfile", "-intimage"),
        *("-pgmfile", "-pgmimage", "-noisefile", "-noiseimage"),
    }
)
PACKAGES = {"PIL": "pillow", "scipy": "scipy"}
SUMMARY = "summary.json"
SIDES = ("c", "py")


class RunnerError(ParityError):
    """A program could not be started, failed, or left no image that can be read."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to run and how to compare; ``home`` is the folder that names of input files are relative to."""

    root: Path
    args: tuple[str, ...]
    home: Path
    c: Program
    py: Program
    roi: Roi | None
    resample: bool
    png_percentile: float
    save_diff: bool
    limits: NbCompareLimits
    time_limit_s: float = TIME_LIMIT_S
    explain: bool = False


@dataclass(frozen=True, kw_only=True)
class Result:
    """Figures of py against c in the region, peaks, seconds; ``shapes`` are (slow, fast) as rendered.

    ``explanation`` is None where nothing differs, and where none was asked for.
    """

    pair: Comparison
    peaks: registration.Registration | None
    shapes: dict[str, tuple[int, int]]
    wall_s: dict[str, float]
    explanation: Explanation | None = None

    def correlates(self, threshold: float) -> bool:
        """Tell whether the correlation reaches a threshold; a constant image does with the same bits only."""
        if self.pair.correlation is None:
            return self.pair.identical
        return self.pair.correlation >= threshold

    def same_scale(self, factor: float) -> bool:
        """Tell whether the sums are no further apart than a factor; correlation does not see one."""
        ratio = self.pair.sum_ratio
        return ratio is not None and 1 / factor <= ratio <= factor


def require_packages() -> None:
    """Raise UsageError if a package is missing that pictures and peaks need."""
    missing = [name for module, name in PACKAGES.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise UsageError(f"{' and '.join(missing)} not installed: pip install {' '.join(missing)}")


def canonical(args: Sequence[str]) -> tuple[str, ...]:
    """Return the arguments without the options that name an output file; the float image needs the others."""
    kept, skip = [], False
    with_list = "-hkl" in args
    for place, word in enumerate(args):
        if skip:
            skip = False
        elif place + 1 < len(args) and (word in OUTPUT_OPTIONS or (with_list and word in CACHE_OPTIONS)):
            skip = True
        else:
            kept.append(word)
    return tuple(kept)


def left_out(args: Sequence[str]) -> list[str]:
    """Name the options that ``canonical`` leaves out, in order."""
    gone = list(args)
    for word in canonical(args):
        gone.remove(word)
    return [word for word in gone if word in OUTPUT_OPTIONS | CACHE_OPTIONS]


def digest(args: Sequence[str]) -> str:
    """Return eight hexadecimal digits of the SHA-256 of the canonical arguments, separated by NUL."""
    return hashlib.sha256("\0".join(canonical(args)).encode()).hexdigest()[:8]


def with_paths(args: Sequence[str], home: Path) -> tuple[str, ...]:
    """Return the arguments with absolute paths in place of the input files that exist."""
    absolute = list(args)
    for place, (option, value) in enumerate(zip(args, args[1:], strict=False)):
        if option in INPUT_OPTIONS | CACHE_OPTIONS and (home / value).is_file():
            absolute[place + 1] = str((home / value).absolute())
    return tuple(absolute)


def compare_programs(job: Job, folder: Path) -> Result:
    """Run both programs, compare, and fill a folder; ``summary.json`` is written last.

    RunnerError leaves the folder with what the programs printed and without a summary. OSError if a file
    cannot be written.
    """
    require_packages()
    images, wall_s = _run_both(job, folder, Setting())
    shapes = {side: (image.shape[0], image.shape[1]) for side, image in images.items()}
    _check_roi(job.roi, shapes["c"])
    py = images["py"]
    resampled = shapes["py"] != shapes["c"] and job.resample
    if resampled:
        py = resample.resample(py, shapes["c"])
    if py.shape == images["c"].shape:
        c, py = crop(images["c"], job.roi), crop(py, job.roi)
        peaks = _register(c, py, job.limits)
        pair = compare(py, c)
        _write_pictures(job, folder, c, py)
    else:
        pair, peaks = _of_other_shapes(shapes), None
        _write_pictures(job, folder, images["c"], py)
    explanation = None
    if job.explain and not pair.differing_pixels == 0:
        explanation = _explain(job, images)
        if explanation.found is None and peaks is not None:
            corner = (0, 0) if job.roi is None else (job.roi[2], job.roi[0])
            said = observed(explanation.attempts) or observe(c, py, pair, peaks, job.limits, corner)
            explanation = replace(explanation, observation=said)
    result = Result(pair=pair, peaks=peaks, shapes=shapes, wall_s=wall_s, explanation=explanation)
    data = _summary(job, result, resampled)
    (folder / SUMMARY).write_text(json.dumps(data, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return result


def _explain(job: Job, before: dict[str, FloatImage]) -> Explanation:
    """Run both programs again with the known causes taken away; what they write is not kept."""
    if before["c"].shape != before["py"].shape:
        why = "images of different shapes never have the same bits"
        return Explanation(attempts=(), not_tried={"any cause": why}, observation="")

    seen = {Setting().words(): _digests(before)}

    def run_again(setting: Setting) -> tuple[Comparison, tuple[str, ...]]:
        with tempfile.TemporaryDirectory(prefix="nbparity-") as scratch:
            images, _ = _run_both(job, Path(scratch), setting)
        mine = seen[setting.words()] = _digests(images)
        with_options = seen.get(replace(setting, drop={}).words(), {})
        ignored_by = tuple(side for side in SIDES if setting.drop and mine[side] == with_options.get(side))
        c, py = (crop(images[side], job.roi) for side in SIDES)
        return compare(py, c), ignored_by

    offset_deg = thresholds.load().ablation_offset_deg
    try:
        known = causes.load(job.root)
    except UsageError as error:
        return Explanation(attempts=(), not_tried={"any cause": str(error)}, observation="")
    attempts, not_tried = explain(known, canonical(job.args), offset_deg, run_again)
    return Explanation(attempts=attempts, not_tried=not_tried, observation="")


def _digests(images: dict[str, FloatImage]) -> dict[str, str]:
    return {side: hashlib.sha256(image.tobytes()).hexdigest() for side, image in images.items()}


def compare_again(folder: Path, roi: Roi | None, limits: NbCompareLimits) -> Result:
    """Return the figures of a folder that ``compare_programs`` filled; no seconds.

    The images are packed by then. Raises RunnerError if there is no image that can be read, OSError if there
    is no output of a program.
    """
    images = {}
    for side in SIDES:
        printed = (folder / f"{side}_stdout.txt").read_text(encoding="utf-8", errors="replace")
        images[side] = _read(side, folder / f"{side}_float.bin{packed.SUFFIX}", printed)
    shapes = {side: (image.shape[0], image.shape[1]) for side, image in images.items()}
    if shapes["c"] != shapes["py"]:
        return Result(pair=_of_other_shapes(shapes), peaks=None, shapes=shapes, wall_s={})
    _check_roi(roi, shapes["c"])
    c, py = (crop(images[side], roi) for side in SIDES)
    return Result(pair=compare(py, c), peaks=_register(c, py, limits), shapes=shapes, wall_s={})


def _of_other_shapes(shapes: dict[str, tuple[int, int]]) -> Comparison:
    sizes = " and ".join(f"{fast} x {slow}" for slow, fast in (shapes["c"], shapes["py"]))
    return undefined(f"c and py have {sizes} pixels, fast x slow (--resample compares them)")


def _run_both(job: Job, folder: Path, setting: Setting) -> tuple[dict[str, FloatImage], dict[str, float]]:
    """Run both programs with a change of their arguments, threads and environment; images and seconds."""
    images: dict[str, FloatImage] = {}
    wall_s: dict[str, float] = {}
    for side, program in zip(SIDES, (job.c, job.py), strict=True):
        images[side], wall_s[side] = _run(job, side, program, folder, setting)
    return images, wall_s


def _run(job: Job, side: str, program: Program, folder: Path, setting: Setting) -> tuple[FloatImage, float]:
    """Run a program and read its image; seconds by the monotonic clock."""
    if program.file is not None and not program.file.is_file():
        raise RunnerError(f"{side}: no program {program.file}")
    out, err, target = (folder / f"{side}_{name}" for name in ("stdout.txt", "stderr.txt", "float.bin"))
    changed = setting.arguments(canonical(job.args), thresholds.load().ablation_offset_deg)
    args = with_paths(changed, job.home)
    with tempfile.TemporaryDirectory(prefix="nbparity-") as scratch:
        if "-hkl" not in args and not CACHE_OPTIONS & set(args) and (job.home / DEFAULT_CACHE).is_file():
            (Path(scratch) / DEFAULT_CACHE).write_bytes((job.home / DEFAULT_CACHE).read_bytes())
        done = run(
            (*program.command, *args, "-floatfile", str(target)),
            folder=Path(scratch),
            log=out,
            error_log=err,
            environment={
                **environment.child_environment(job.root, setting.threads or 1),
                **setting.environment,
            },
            time_limit_s=job.time_limit_s,
        )
    printed = out.read_text(encoding="utf-8", errors="replace")
    if done.status != 0:
        errors = err.read_text(encoding="utf-8", errors="replace")
        last = ((errors.strip() or printed.strip()).splitlines() or ["it printed nothing"])[-1]
        raise RunnerError(f"{side} ended with {done.status}: {last}")
    return _read(side, target, printed), done.wall_s


def _read(side: str, path: Path, printed: str) -> FloatImage:
    """Read an image in the shape that its program printed."""
    shape = SHAPE.search(printed)
    if shape is None:
        raise RunnerError(
            f"{side}: its output does not say '(<fast>x<slow> pixels)', so the shape is unknown"
        )
    if not path.is_file():
        raise RunnerError(f"{side} ended well and wrote no {path.name}")
    try:
        return read_float_image(path, (int(shape[2]), int(shape[1])))
    except ValueError as error:
        raise RunnerError(f"{side}: {error}") from None


def _check_roi(roi: Roi | None, shape: tuple[int, int]) -> None:
    if roi is not None and not (roi[1] < shape[1] and roi[3] < shape[0]):
        raise UsageError(
            f"--roi {' '.join(map(str, roi))}: the image of c has {shape[1]} x {shape[0]} pixels, fast x slow"
        )


def _register(c: FloatImage, py: FloatImage, limits: NbCompareLimits) -> registration.Registration:
    return registration.register(
        c,
        py,
        count=limits.peak_count,
        min_fraction=limits.peak_min_fraction,
        gate_px=limits.peak_gate_px,
    )


def _write_pictures(job: Job, folder: Path, c: FloatImage, py: FloatImage) -> None:
    """Write both images in the same grey levels, and their difference if there is one to show."""
    white = png.white_level(c, job.png_percentile)
    png.write_grey(folder / "c.png", c, white)
    png.write_grey(folder / "py.png", py, white)
    if job.save_diff and c.shape == py.shape:
        difference = py.astype(np.float64) - c
        span = png.white_level(np.abs(difference).astype(np.float32), job.png_percentile)
        png.write_difference(folder / "diff.png", difference, span)


def _summary(job: Job, result: Result, resampled: bool) -> dict[str, Any]:
    """Return the figures for programs; intensities in the unit of the images, milliseconds, pixels."""
    pair = result.pair
    return {
        "args": list(job.args),
        "binaries": {side: identity(program, job.root) for side, program in (("c", job.c), ("py", job.py))},
        "roi": None if job.roi is None else list(job.roi),
        "resample": {
            "applied": resampled,
            "method": resample.METHOD if resampled else None,
            **{f"shape_{side}": list(shape) for side, shape in result.shapes.items()},
        },
        "runtime_c_ms": round(1e3 * result.wall_s["c"], 3),
        "runtime_py_ms": round(1e3 * result.wall_s["py"], 3),
        "correlation": pair.correlation,
        "mse": None if pair.rmse is None else pair.rmse**2,
        "rmse": pair.rmse,
        "max_abs_diff": pair.max_difference,
        "sum_c": pair.sum_r,
        "sum_py": pair.sum_x,
        "sum_ratio": pair.sum_ratio,
        "bit_identical_fraction": pair.bit_identical_fraction,
        "max_ulp": pair.max_ulp,
        "peak_registration": None if result.peaks is None else result.peaks.as_dict(),
        "explanation": None if result.explanation is None else result.explanation.as_dict(),
        "png_scaling": (
            f"linear, black at 0, white at percentile {job.png_percentile:g} of the positive pixels of c,"
            " the same for both; diff.png: white at 0, red where py is larger, blue where it is smaller, full"
            " colour at the same percentile of the absolute differences that are not 0"
        ),
    }


def identity(program: Program, root: Path) -> dict[str, Any]:
    """Return command, path and SHA-256 of a program; of a package that of the list of its files' digests."""
    command = shlex.join(program.command)
    if program.file is not None:
        return {"command": command, "path": str(program.file), "sha256": sha256_of_file(program.file)}
    package = _package_folder(program.command[-1], root)
    if package is None:
        return {"command": command, "path": None, "sha256": None}
    names = sorted(path.relative_to(package).as_posix() for path in package.rglob("*.py"))
    listed = sha256_list(package, names)
    return {
        "command": command,
        "path": str(package),
        "sha256": hashlib.sha256(listed.encode()).hexdigest(),
    }


def _package_folder(name: str, root: Path) -> Path | None:
    """Find a package as the child process does: the checkout first, then what is installed."""
    if (root / name).is_dir():
        return root / name
    found = importlib.util.find_spec(name)
    places = list(found.submodule_search_locations or []) if found is not None else []
    return Path(places[0]) if places else None
