"""``nbparity historical``: the programs against the stored output of the historical nanoBragg."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import environment
from .compare import Comparison, FloatImage, compare, read_float_image, undefined
from .errors import BlockedError, UsageError
from .processes import run
from .programs import Program
from .thresholds import Thresholds

# P8.3: the parser of the specification reads a seed as a seed; the angles that the old one made of it
# are written out, which every program understands.
SUBSTITUTED = {
    "misset_seed_clobber": (("-misset", "random", "-misset_seed", "27"), ("-misset", "27", "0", "1.03")),
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A stored case: ``stored`` maps 'hist' and 'fixed' to the outputs recorded for them."""

    name: str
    area: str
    folder: Path
    args: tuple[str, ...]
    inputs: tuple[str, ...]
    shape: tuple[int, int]
    outputs: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Result:
    """One program on one case: the float image, and how many of the other files have the recorded bytes."""

    case: str
    area: str
    program: str
    pair: Comparison
    files_same: int
    files: int

    def passes(self, thresholds: Thresholds) -> bool:
        """Tell whether the image is as close as the golden data allow."""
        fraction, ulp = self.pair.bit_identical_fraction, self.pair.max_ulp
        if fraction is None or ulp is None:
            return False
        return fraction >= thresholds.golden_min_bit_identical and ulp <= thresholds.golden_max_ulp


def data_folder(root: Path) -> Path:
    """Return the golden data; BlockedError says where they were looked for."""
    folder = Path(os.environ.get("NB_GOLDEN_DIR") or root / ".." / "shared" / "golden").resolve()
    if not (folder / "index.json").is_file():
        raise BlockedError(f"no historical data: {folder / 'index.json'} does not exist (set NB_GOLDEN_DIR)")
    return folder


def load_cases(folder: Path, areas: Sequence[str], names: Sequence[str]) -> list[Case]:
    """Read the cases of some areas, or some cases; all where nothing is chosen."""
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    known_areas, known_names = {row["area"] for row in index}, {row["name"] for row in index}
    for kind, wanted, known in (("area", areas, known_areas), ("case", names, known_names)):
        for value in wanted:
            if value not in known:
                raise UsageError(f"no historical {kind} {value!r} (known: {', '.join(sorted(known))})")
    chosen = [
        row["name"]
        for row in index
        if (not areas and not names) or row["area"] in areas or row["name"] in names
    ]
    return [_load_case(folder, name) for name in chosen]


def _load_case(folder: Path, name: str) -> Case:
    data = json.loads((folder / "cases" / name / "case.json").read_text(encoding="utf-8"))
    return Case(
        name=name,
        area=data["area"],
        folder=folder,
        args=tuple(data["args"]),
        inputs=tuple(data["inputs"]),
        shape=(data["shape"][0], data["shape"][1]),
        outputs=data["outputs"],
    )


def arguments(case: Case) -> tuple[str, ...]:
    """Return the arguments of a case as the programs have to be given them."""
    if case.name not in SUBSTITUTED:
        return case.args
    old, new = SUBSTITUTED[case.name]
    args = list(case.args)
    for start in range(len(args) - len(old) + 1):
        if tuple(args[start : start + len(old)]) == old:
            return (*args[:start], *new, *args[start + len(old) :])
    raise UsageError(f"historical case {case.name}: its arguments do not hold {' '.join(old)!r}")


def run_cases(
    root: Path, cases: Iterable[Case], programs: Sequence[Program], jobs: int, logs: Path
) -> list[Result]:
    """Run every program on every case, a few processes at a time."""
    for program in programs:
        program.check()
    work = [(case, program) for case in cases for program in programs]
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        return list(pool.map(lambda item: run_case(root, item[0], item[1], logs), work))


def run_case(root: Path, case: Case, program: Program, logs: Path) -> Result:
    """Run a program on a case in a folder that holds nothing but the inputs."""
    mode = "hist" if program.name == "c" and "hist" in case.outputs else "fixed"
    outputs = case.outputs[mode]
    float_name = next(name for name, output in outputs.items() if output["kind"] == "float")
    others = {name: output["sha256"] for name, output in outputs.items() if name != float_name}
    with tempfile.TemporaryDirectory(prefix="nbparity-") as scratch_name:
        scratch = Path(scratch_name)
        for name in case.inputs:
            (scratch / name).write_bytes((case.folder / "inputs" / name).read_bytes())
        log = logs / f"{case.name}.{program.name}.log"
        done = run(
            (*program.command, *arguments(case)),
            folder=scratch,
            log=log,
            environment=environment.child_environment(root),
        )
        if done.status != 0:
            pair = undefined(f"exit status {done.status}: {last_line(log)}")
        else:
            pair = _compare_with_stored(case, mode, scratch / float_name)
        same = sum(_has_digest(scratch / name, digest) for name, digest in others.items())
    return Result(
        case=case.name, area=case.area, program=program.name, pair=pair, files_same=same, files=len(others)
    )


def _compare_with_stored(case: Case, mode: str, written: Path) -> Comparison:
    stored_name = f"{mode}_float.npy"
    folder = case.folder / "cases" / case.name
    stored: FloatImage = np.load(
        folder / (stored_name if (folder / stored_name).is_file() else "fixed_float.npy")
    )
    try:
        return compare(read_float_image(written, case.shape), stored)
    except (OSError, ValueError) as error:
        return undefined(str(error))


def last_line(log: Path) -> str:
    """Return the last line a program printed, where programs say why they stopped."""
    return (log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["no output"])[-1]


def _has_digest(path: Path, digest: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def table(results: Sequence[Result], programs: Sequence[Program]) -> str:
    """Return one row per case: per program bit-identical fraction, largest distance in ULP, other files."""
    by_case: dict[str, dict[str, Result]] = {}
    for result in results:
        by_case.setdefault(result.case, {})[result.program] = result
    lines = [
        f"{'case':28}" + "".join(f"  {program.name:>10} {'ULP':>10} {'files':>6}" for program in programs)
    ]
    for case, row in by_case.items():
        lines.append(f"{case:28}" + "".join(_cells(row[program.name]) for program in programs))
    return "\n".join(lines) + "\n"


def _cells(result: Result) -> str:
    pair, files = result.pair, f"{result.files_same}/{result.files}"
    if pair.bit_identical_fraction is None:
        return f"  {'failed':>10} {'-':>10} {files:>6}"
    ulp = "-" if pair.max_ulp is None else str(pair.max_ulp)
    fraction = pair.bit_identical_fraction
    shown = "100%" if pair.differing_pixels == 0 else f"{100 * min(fraction, 0.999999):.4f}%"
    return f"  {shown:>10} {ulp:>10} {files:>6}"


def counts(results: Sequence[Result], programs: Sequence[Program], thresholds: Thresholds) -> str:
    """Return per program how many cases are at 100 % and at the threshold or better, and what failed."""
    limit = thresholds.golden_min_bit_identical
    lines = []
    for program in programs:
        own = [result for result in results if result.program == program.name]
        exact = sum(result.pair.identical for result in own)
        near = sum((result.pair.bit_identical_fraction or 0.0) >= limit for result in own)
        lines.append(f"{program.name}: {exact} of {len(own)} cases at 100 %, {near} at >= {100 * limit:g} %")
        lines += [f"  {result.case}: {result.pair.problem}" for result in own if result.pair.problem]
    return "\n".join(lines) + "\n"
