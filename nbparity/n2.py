"""``nbparity n2``: an N1 bundle rendered and compared anew, against limits and against the bundle itself.

The record is a folder: ``c/`` and ``c_spec/`` hold what ``nb-compare`` makes of the simulator and each C
program, ``n2.json`` and ``n2.md`` the checks.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import bundle, layout, side_by_side, verify
from .compare import as_roi
from .errors import BlockedError, ExitCode, NotIntactError
from .experiment import Experiment
from .hashing import sha256_of_file
from .processes import TIME_LIMIT_S
from .programs import Programs
from .side_by_side import Job, Result, RunnerError
from .thresholds import NbCompareLimits, Thresholds

Data = dict[str, Any]
REFERENCES = ("c", "c_spec")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The bundle to check, its experiment, what to run, and where the record goes."""

    root: Path
    bundle: Path
    experiment: Experiment
    programs: Programs
    thresholds: Thresholds
    limits: NbCompareLimits
    reports: Path
    time_limit_s: float = TIME_LIMIT_S


@dataclass(frozen=True, kw_only=True)
class Check:
    """A figure against its limit, in words; ``scale`` marks the sum ratio, which has a verdict of its own."""

    name: str
    value: str
    expected: str
    passed: bool
    scale: bool = False


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Where the record is, its checks, and the exit status that follows."""

    folder: Path
    checks: tuple[Check, ...]
    exit_code: ExitCode


def newest(parent: Path) -> Path:
    """Return the newest complete N1 bundle of a folder; BlockedError if there is none."""
    found = [path for path in parent.glob("[0-9]*") if _status(path) == "complete"] if parent.is_dir() else []
    if not found:
        raise BlockedError(f"no complete bundle in {parent} (nox -s parity_n1 makes one)")
    return max(found, key=lambda path: (facts(path)["ended"], path.name))


def facts(folder: Path) -> Data:
    """Return the facts of a bundle; NotIntactError if it has none that can be read."""
    try:
        data: Data = json.loads((folder / layout.RUN).read_text(encoding="utf-8"))
        data["status"], data["ended"], data["experiment"]["id"], data["programs"]["c"]["replaced"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotIntactError(f"{folder}: not an N1 bundle: {layout.RUN}: {error}") from None
    return data


def _status(folder: Path) -> str:
    try:
        return str(facts(folder)["status"])
    except NotIntactError:
        return "unknown"


def parity_n2(plan: Plan) -> Outcome:
    """Verify the bundle, run ``nb-compare`` for both C programs, and leave the record of the checks.

    NotIntactError if the bundle does not verify, BlockedError if it is not complete or a program fails.
    """
    run = facts(plan.bundle)
    complaints = verify.verify(plan.bundle)
    if complaints:
        raise NotIntactError(f"{plan.bundle}: {complaints[0]} ({len(complaints)} complaints)")
    if run["status"] != "complete":
        raise BlockedError(f"{plan.bundle}: status {run['status']!r}, expected a complete bundle")
    plan.experiment.check_inputs()
    with bundle.building(plan.reports, folders=REFERENCES) as folder:
        name = bundle.stamp()
        results = {reference: _compare(plan, run, folder, reference) for reference in REFERENCES}
        checks = tuple(_checks(plan, run, folder, results))
        _write(plan, run, folder, checks)
        placed = bundle.place(folder, name)
    return Outcome(folder=placed, checks=checks, exit_code=_exit_code(checks))


def _compare(plan: Plan, run: Data, folder: Path, reference: str) -> Result:
    """Compare the simulator with a C program on the bundle's arguments."""
    roi = as_roi(run["experiment"]["roi"])
    args = (*run["experiment"]["args"], *([] if roi is None else ["-roi", *map(str, roi)]))
    program = plan.programs.c if reference == "c" else plan.programs.c_spec
    with tempfile.TemporaryDirectory(prefix="nbparity-") as home:
        plan.experiment.copy_inputs(Path(home))
        job = Job(
            root=plan.root,
            args=args,
            home=Path(home),
            c=program,
            py=plan.programs.py,
            roi=roi,
            resample=False,
            png_percentile=plan.limits.png_percentile,
            save_diff=True,
            limits=plan.limits,
            time_limit_s=plan.time_limit_s,
        )
        try:
            return side_by_side.compare_programs(job, folder / reference)
        except RunnerError as error:
            raise BlockedError(f"py beside {reference}: {error}") from None


def _checks(plan: Plan, run: Data, folder: Path, results: Mapping[str, Result]) -> list[Check]:
    """Judge the figures of both pairs, and whether every image has the bytes that the bundle has."""
    spec, c, limits, thresholds = results["c_spec"], results["c"], plan.limits, plan.thresholds
    checks = [
        _at_least(
            "py vs c_spec, bit-identical", spec.pair.bit_identical_fraction, thresholds.min_bit_identical
        ),
        _at_least("py vs c_spec, peaks matched", _matched(spec), limits.min_matched_spec),
        _ratio("py vs c_spec, ratio of sums", spec, thresholds.min_sum_ratio, thresholds.max_sum_ratio),
        _at_least("py vs c, correlation", _correlation(c), limits.min_correlation),
        _ratio("py vs c, ratio of sums", c, 1 / limits.max_sum_factor, limits.max_sum_factor),
    ]
    made = {"c": folder / "c" / "c_float.bin", "c_spec": folder / "c_spec" / "c_float.bin"}
    made["py"] = folder / "c_spec" / "py_float.bin"
    for name, path in made.items():
        same = sha256_of_file(path) == sha256_of_file(plan.bundle / layout.image(name))
        word = "the same" if same else "others"
        checks.append(
            Check(name=f"{name}, bytes of the bundle", value=word, expected="the same", passed=same)
        )
    return checks


def _matched(result: Result) -> float | None:
    return None if result.peaks is None else result.peaks.matched_fraction


def _correlation(result: Result) -> float | None:
    """Return the correlation; images with the same bits have 1, constant ones included."""
    return 1.0 if result.pair.identical else result.pair.correlation


def _at_least(name: str, value: float | None, limit: float) -> Check:
    passed = value is not None and value >= limit
    return Check(name=name, value=_number(value), expected=f">= {limit:g}", passed=passed)


def _ratio(name: str, result: Result, low: float, high: float) -> Check:
    value = result.pair.sum_ratio
    passed = value is not None and low <= value <= high
    return Check(name=name, value=_number(value), expected=f"{low:g} to {high:g}", passed=passed, scale=True)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.9g}"


def _exit_code(checks: Sequence[Check]) -> ExitCode:
    failed = [check for check in checks if not check.passed]
    if any(check.scale for check in failed):
        return ExitCode.SCALE
    return ExitCode.UNEXPLAINED if failed else ExitCode.OK


def _write(plan: Plan, run: Data, folder: Path, checks: Sequence[Check]) -> None:
    """Write the checks for programs and for people."""
    data = {
        "bundle": plan.bundle.name,
        "bundle_hashes_sha256": sha256_of_file(plan.bundle / layout.HASHES),
        "experiment": run["experiment"]["id"],
        "passed": all(check.passed for check in checks),
        "checks": [
            {"name": check.name, "value": check.value, "expected": check.expected, "passed": check.passed}
            for check in checks
        ],
    }
    (folder / "n2.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    text = f"# N2 of bundle {plan.bundle.name}, experiment {run['experiment']['id']}\n\n{table(checks)}"
    (folder / "n2.md").write_text(text, encoding="utf-8")


def table(checks: Sequence[Check]) -> str:
    """Return one row per check."""
    rows = "".join(
        f"| {check.name} | {check.value} | {check.expected} | {'pass' if check.passed else 'FAIL'} |\n"
        for check in checks
    )
    return f"| check | value | expected | |\n|---|---|---|---|\n{rows}"
