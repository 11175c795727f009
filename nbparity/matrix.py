"""``nbparity matrix``: every case with all programs, compared file by file, in one table."""

import json
import os
import shlex
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import bundle, traces
from .case_runs import Rendered, pair, render, status_problems
from .cases import Case
from .compare import Comparison, ordered_key
from .programs import Programs
from .thresholds import Thresholds

PASSED, FAILED = "pass", "FAIL"


@dataclass(kw_only=True)
class Result:
    """One case: the pairs, the experiment that switches the cause off, and what is wrong, in words."""

    case: Case
    py_vs_c_spec: Comparison
    c_vs_c_spec: Comparison | None
    ablation: Comparison | None
    wall_s: dict[str, float]
    problems: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.problems


def run_matrix(
    root: Path, cases: Sequence[Case], programs: Programs, thresholds: Thresholds, jobs: int
) -> list[Result]:
    """Run the cases, a few at a time; results in their order."""
    for program in programs.all():
        program.check()
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        return list(pool.map(lambda case: run_case(root, case, programs, thresholds), cases))


def run_case(root: Path, case: Case, programs: Programs, thresholds: Thresholds) -> Result:
    """Run one case with the programs that know its physics and judge what they made."""
    spec, py = render(root, case, programs.c_spec), render(root, case, programs.py)
    result = Result(
        case=case,
        py_vs_c_spec=pair(py, spec),
        c_vs_c_spec=None,
        ablation=None,
        wall_s={"c_spec": spec.wall_s, "py": py.wall_s},
    )
    result.problems += status_problems({"c_spec": spec, "py": py})
    if not result.problems:
        result.problems += parity_problems(root, case, programs, thresholds, result.py_vs_c_spec, py, spec)
    if not case.corrected:
        judge_c(root, case, programs, spec, result)
    return result


def parity_problems(
    root: Path,
    case: Case,
    programs: Programs,
    thresholds: Thresholds,
    found: Comparison,
    py: Rendered,
    spec: Rendered,
) -> list[str]:
    """Return what separates the simulator from the specification program: pixels, then files."""
    problems = []
    fraction = found.bit_identical_fraction
    if fraction is None or fraction < thresholds.matrix_min_bit_identical:
        key = first_key(root, case, programs, thresholds, py, spec)
        problems.append(f"py differs from c_spec in {found.differing_pixels} of {found.pixels} pixels{key}")
    names = sorted(py.files.keys() | spec.files.keys())
    other = [name for name in names if py.files.get(name) != spec.files.get(name) and name != case.float_file]
    if other:
        problems.append(f"other files of py and c_spec differ: {', '.join(other)}")
    return problems


def first_key(
    root: Path, case: Case, programs: Programs, thresholds: Thresholds, py: Rendered, spec: Rendered
) -> str:
    """Trace the worst pixel with both programs and name the first key at which they part."""
    if py.image is None or spec.image is None or py.image.shape != spec.image.shape:
        return ""
    distance = np.abs(ordered_key(py.image) - ordered_key(spec.image))
    slow, fast = np.unravel_index(int(distance.argmax()), distance.shape)
    extra = ("-trace_pixel", str(slow), str(fast))
    mine, theirs = (
        traces.entries(render(root, case, program, extra).text) for program in (programs.py, programs.c_spec)
    )
    parted = traces.first_difference(mine, theirs, thresholds.trace_max_relative)
    return f"; pixel slow {slow} fast {fast}: {parted or 'the traces agree'}"


def judge_c(root: Path, case: Case, programs: Programs, spec: Rendered, result: Result) -> None:
    """Compare c, and where a cause is named run the experiment that switches it off."""
    c = render(root, case, programs.c)
    result.wall_s["c"] = c.wall_s
    result.c_vs_c_spec = pair(c, spec)
    result.problems += status_problems({"c": c})
    same = result.c_vs_c_spec.differing_pixels == 0
    if not case.cause and not same:
        result.problems.append(f"c differs from c_spec in {result.c_vs_c_spec.differing_pixels} pixels")
    if not case.cause:
        return
    if same:
        result.problems.append(f"{case.cause} is named and does not show: c and c_spec are the same")
    without = [render(root, case, program, case.without) for program in (programs.c, programs.c_spec)]
    result.ablation = pair(*without)
    if result.ablation.differing_pixels != 0:
        result.problems.append(
            f"with {case.cause} switched off ({shlex.join(case.without)}) c and c_spec still differ:"
            f" {result.ablation.problem or result.ablation.differing_pixels}"
        )


def write_report(parent: Path, results: Sequence[Result], seconds: float) -> Path:
    """Write the table and every figure into a new folder below ``parent``."""
    with bundle.building(parent, folders=()) as folder:
        (folder / "matrix.md").write_text(table(results, seconds), encoding="utf-8")
        data = {"seconds": round(seconds, 1), "cases": [_data(result) for result in results]}
        (folder / "matrix.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        return bundle.place(folder, bundle.stamp())


def _data(result: Result) -> dict[str, object]:
    pairs = {
        "py_vs_c_spec": result.py_vs_c_spec,
        "c_vs_c_spec": result.c_vs_c_spec,
        "ablation": result.ablation,
    }
    return {
        "id": result.case.id,
        "args": list(result.case.args),
        "cause": result.case.cause,
        "problems": result.problems,
        "wall_s": {name: round(wall, 3) for name, wall in result.wall_s.items()},
        **{name: None if found is None else found.as_dict() for name, found in pairs.items()},
    }


def table(results: Sequence[Result], seconds: float) -> str:
    """Return one row per case, and below it what is wrong."""
    head = (
        "| case | | py = c_spec | ULP | correlation | sum ratio | c = c_spec | cause"
        " | c (s) | c_spec (s) | py (s) |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|\n"
    )
    wrong = [f"- {result.case.id}: {problem}\n" for result in results for problem in result.problems]
    return f"# Parity matrix\n\n{summary(results, seconds)}\n{head}{''.join(map(_row, results))}" + (
        f"\n## What is wrong\n\n{''.join(wrong)}" if wrong else ""
    )


def summary(results: Sequence[Result], seconds: float) -> str:
    """Return the counts in one line."""
    passed = sum(result.passed for result in results)
    cores = len(os.sched_getaffinity(0))
    return f"{passed} of {len(results)} cases pass, {seconds:.0f} s on {cores} cores\n"


def _row(result: Result) -> str:
    found, c = result.py_vs_c_spec, result.c_vs_c_spec
    cells = [
        result.case.id,
        PASSED if result.passed else FAILED,
        _percent(found),
        _word(found.max_ulp),
        _word(found.correlation),
        _word(found.sum_ratio),
        "-" if c is None else _percent(c),
        result.case.cause or "-",
        *(_word(result.wall_s.get(name)) for name in ("c", "c_spec", "py")),
    ]
    return f"| {' | '.join(cells)} |\n"


def _percent(found: Comparison) -> str:
    """Write a fraction of identical pixels; 100 % means all of them."""
    if found.bit_identical_fraction is None:
        return "-"
    return "100 %" if found.differing_pixels == 0 else f"{100 * found.bit_identical_fraction:.2f} %"


def _word(value: float | int | None) -> str:
    return "-" if value is None else f"{value:.6g}"
