"""``nbparity n2``: what a bundle compared is rendered and compared anew, with limits and with its images.

The record is a folder: ``c/`` and ``c_spec/`` hold what ``nb-compare`` makes of the simulator and each C
program, ``n2.json`` and ``n2.md`` the checks (:mod:`n2_record`). It is sealed as a bundle is.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import bundle, layout, n2_record, packed, side_by_side, verify
from .compare import as_roi
from .errors import BlockedError, ExitCode, NotIntactError
from .experiment import Experiment
from .n2_record import REFERENCES, Check, Measures
from .processes import TIME_LIMIT_S
from .programs import Programs
from .side_by_side import Job, Result, RunnerError
from .thresholds import NbCompareLimits, Thresholds

Data = dict[str, Any]


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
class Outcome:
    """Where the record is, its checks, and the exit status that follows."""

    folder: Path
    checks: tuple[Check, ...]
    exit_code: ExitCode


def newest(parent: Path) -> Path:
    """Return the newest complete bundle of a folder; BlockedError if there is none."""
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
        raise NotIntactError(f"{folder}: not a bundle: {layout.RUN}: {error}") from None
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
        checks = _seal(plan, folder, results)
        placed = bundle.place(folder, name)
    return Outcome(folder=placed, checks=checks, exit_code=_exit_code(checks))


def _compare(plan: Plan, run: Data, folder: Path, reference: str) -> Result:
    """Compare the simulator with a C program on the bundle's arguments."""
    roi = as_roi(run["experiment"]["roi"])
    args = n2_record.arguments(run)
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
            result = side_by_side.compare_programs(job, folder / reference)
        except RunnerError as error:
            raise BlockedError(f"py beside {reference}: {error}") from None
    for name in map(layout.float_file, side_by_side.SIDES):
        plain = folder / reference / name
        packed.write(plain.with_name(f"{name}{packed.SUFFIX}"), plain.read_bytes())
        plain.unlink()
    return result


def _seal(plan: Plan, folder: Path, results: Mapping[str, Result]) -> tuple[Check, ...]:
    """Write what of the bundle the record rests on, the checks, and the hash list; return the checks."""
    for copy, name in n2_record.COPIES.items():
        shutil.copyfile(plan.bundle / name, folder / copy)
    measures = Measures(thresholds=plan.thresholds, limits=plan.limits)
    raw = n2_record.raw_hashes(folder)
    checks = n2_record.checks(folder, raw, results, measures)
    for name, text in n2_record.texts(folder, raw, plan.bundle.name, checks).items():
        (folder / name).write_text(text, encoding="utf-8")
    bundle.write_hashes(folder, n2_record.HASHES)
    return checks


def _exit_code(checks: Sequence[Check]) -> ExitCode:
    failed = [check for check in checks if check.passed is False]
    if any(check.scale for check in failed):
        return ExitCode.SCALE
    return ExitCode.UNEXPLAINED if failed else ExitCode.OK
