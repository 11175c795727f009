"""One pixel traced by the programs: which pixel, with which arguments, and what they printed (C7)."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import environment, layout, traces
from .compare import FloatImage, Roi, crop, read_float_image
from .errors import BlockedError, UsageError
from .experiment import Experiment
from .processes import MAX_LOG_BYTES, OUTPUT_KEPT, TIME_LIMIT_S, Finished, end_of, lines_with, run
from .programs import Program, Programs

Pixel = tuple[int, int]  # slow, fast


@dataclass(frozen=True, kw_only=True)
class Traced:
    """What a program printed of a pixel; ``problem`` says in words why there is no trace, or is empty."""

    entries: tuple[traces.Entry, ...] = ()
    steps: tuple[traces.PhiStep, ...] = ()
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class TraceJob:
    """A trace to run: by which program, with its command, into which log."""

    program: Program
    command: tuple[str, ...]
    log: Path


def brightest(image: FloatImage, roi: Roi | None) -> Pixel:
    """Return the brightest pixel of the region, the first of several; non-finite ones do not count."""
    region = crop(image, roi)
    finite = np.where(np.isfinite(region), region, -np.inf)
    slow, fast = np.unravel_index(int(finite.argmax()), region.shape)
    fast_first, slow_first = (0, 0) if roi is None else (roi[0], roi[2])
    return int(slow) + slow_first, int(fast) + fast_first


def arguments(experiment: Experiment, pixel: Pixel) -> tuple[str, ...]:
    """Return the arguments that trace a pixel as it is in the whole render; UsageError outside of it.

    Rendered are the pixel and, unless it is the first, one that comes before it: the axes that
    C-PARITY-001 carries over depend on the angle only (P8.1), so any pixel before it will do.
    """
    slow, fast = pixel
    slow_pixels, fast_pixels = experiment.shape
    fast_first, fast_last, slow_first, slow_last = experiment.roi or (0, fast_pixels - 1, 0, slow_pixels - 1)
    if not (0 <= slow < slow_pixels and 0 <= fast < fast_pixels):
        raise UsageError(
            f"--pixel {slow} {fast}: outside the image of experiment {experiment.id},"
            f" expected slow below {slow_pixels} and fast below {fast_pixels}"
        )
    inside = fast_first <= fast <= fast_last and slow_first <= slow <= slow_last
    corner = (slow_first, fast_first) if inside else (0, 0)
    before = (slow, fast - 1) if fast > corner[1] else (slow - 1, fast) if slow > corner[0] else pixel
    region = ("-roi", str(before[1]), str(fast), str(before[0]), str(slow))
    return *experiment.args, *region, "-trace_pixel", str(slow), str(fast)


def jobs(
    programs: Programs, experiment: Experiment, pixel: Pixel, logs: Mapping[str, Path]
) -> list[TraceJob]:
    """Return the traces of the three programs; logs by the names of the programs."""
    args = arguments(experiment, pixel)
    return [
        TraceJob(program=program, command=(*program.command, *args), log=logs[program.name])
        for program in programs.all()
    ]


def run_all(
    root: Path,
    experiment: Experiment,
    todo: Sequence[TraceJob],
    *,
    folder: Path,
    time_limit_s: float = TIME_LIMIT_S,
    log_limit_bytes: int = MAX_LOG_BYTES,
) -> list[Finished]:
    """Run traces side by side, each in a new folder below ``folder`` that holds nothing but the inputs."""

    def one(job: TraceJob) -> Finished:
        with tempfile.TemporaryDirectory(prefix=layout.SCRATCH, dir=folder) as scratch:
            experiment.copy_inputs(Path(scratch))
            return run(
                job.command,
                folder=Path(scratch),
                log=job.log,
                environment=environment.child_environment(root),
                time_limit_s=time_limit_s,
                log_limit_bytes=log_limit_bytes,
            )

    with ThreadPoolExecutor(max_workers=len(todo)) as pool:
        return list(pool.map(one, todo))


def read(text: str, status: int) -> Traced:
    """Read the output of a program; what is wrong with it is said in words."""
    if status != 0:
        return Traced(problem=f"the program ended with {status}")
    try:
        found, steps = traces.entries(text), traces.phi_steps(text)
    except (ValueError, KeyError) as error:
        return Traced(problem=f"a trace line that cannot be read: {error}")
    if not found:
        return Traced(problem="no trace line was printed")
    return Traced(entries=tuple(found), steps=tuple(steps))


def trace_now(root: Path, experiment: Experiment, programs: Programs, pixel: Pixel | None) -> "Run":
    """Trace a pixel with the three programs; without one, the brightest that c_spec renders."""
    experiment.check_inputs()
    for program in programs.all():
        program.check()
    chosen = pixel or _brightest_of(root, experiment, programs.c_spec)
    with tempfile.TemporaryDirectory(prefix="nbparity-trace-") as scratch:
        logs = {program.name: Path(scratch) / program.name for program in programs.all()}
        todo = jobs(programs, experiment, chosen, logs)
        for job, finished in zip(todo, run_all(root, experiment, todo, folder=Path(scratch)), strict=True):
            if finished.status != 0:
                output = end_of(job.log, OUTPUT_KEPT)
                raise BlockedError(f"program {job.program.name} ended with {finished.status}", output)
        traced = {job.program.name: read(lines_with(job.log, traces.MARK), 0) for job in todo}
    return Run(
        pixel=chosen,
        traced=traced,
    )


@dataclass(frozen=True, kw_only=True)
class Run:
    """A pixel and what each program printed of it."""

    pixel: Pixel
    traced: Mapping[str, Traced]


def _brightest_of(root: Path, experiment: Experiment, program: Program) -> Pixel:
    """Render the region of interest and return its brightest pixel."""
    with tempfile.TemporaryDirectory(prefix="nbparity-trace-") as scratch:
        log, image = Path(scratch) / "log", "float.bin"
        command = (*program.command, *experiment.roi_args, "-floatfile", image)
        folder = Path(scratch) / "run"
        folder.mkdir()
        experiment.copy_inputs(folder)
        done = run(command, folder=folder, log=log, environment=environment.child_environment(root))
        if done.status != 0:
            output = end_of(log, OUTPUT_KEPT)
            raise BlockedError(f"program {program.name} ended with {done.status}", output)
        try:
            return brightest(read_float_image(folder / image, experiment.shape), experiment.roi)
        except (OSError, ValueError) as error:
            raise BlockedError(f"program {program.name}: no image: {error}") from None


def from_bundle(bundle: Path) -> Run:
    """Read the traces that a bundle holds; OSError, ValueError, KeyError or TypeError if it holds none."""
    pixel = json.loads((bundle / layout.RUN).read_text(encoding="utf-8"))["trace"]["pixel"]
    if pixel is None:
        raise ValueError("no pixel was traced")
    rows = layout.parse_commands((bundle / layout.COMMANDS).read_text(encoding="utf-8"))
    statuses = {row.label: row.status for row in rows}
    traced = {name: _logged(bundle, name, statuses[layout.trace_label(name)]) for name in layout.IMAGES}
    return Run(pixel=(pixel[0], pixel[1]), traced=traced)


def _logged(bundle: Path, name: str, status: int) -> Traced:
    return read(lines_with(bundle / layout.trace_log(name), traces.MARK), status)
