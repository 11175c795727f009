"""``nbparity n1``: one experiment with all three programs, as an evidence bundle."""

import json
import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from . import ablation, bundle, environment, layout, protected
from .compare import compare, crop, read_float_image
from .errors import BlockedError, ExitCode
from .experiment import Experiment
from .hashing import sha256_of_file
from .processes import TIME_LIMIT_S, Finished, run, utc_now
from .programs import Program, Programs, build_command, is_built_here, prebuilt_log
from .thresholds import Thresholds
from .verdict import EXIT_CODES, Name

PHI0_TESTS = "tests/test_cli_scaling_phi0.py"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to run and where the bundle goes; ``threads`` is for the simulator only."""

    root: Path
    reports: Path
    experiment: Experiment
    programs: Programs
    thresholds: Thresholds
    threads: int = 1
    time_limit_s: float = TIME_LIMIT_S
    python: str = sys.executable
    pytest_command: tuple[str, ...] = ("-m", "pytest", "-p", "no:cacheprovider")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Where the bundle is, its verdict and reasons, and the exit status that follows."""

    folder: Path
    verdict: str
    reasons: tuple[str, ...]
    exit_code: ExitCode


@dataclass(kw_only=True)
class _Facts:
    """What a run learns on its way; written to ``run.json`` at the end."""

    started: str
    protected_before: dict[str, str]
    blocked: dict[str, str] | None = None
    gpu: dict[str, Any] = field(
        default_factory=lambda: {"ran": False, "reason": "not reached", "command": ""}
    )


def parity_n1(plan: Plan) -> Outcome:
    """Run one experiment and leave its bundle; a blocked prerequisite leaves a bundle, too."""
    with bundle.building(plan.reports) as folder:
        name = bundle.stamp()
        facts = _Facts(started=utc_now(), protected_before=protected.hashes(plan.root))
        try:
            _record_surroundings(plan, folder)
            _build(plan, folder)
            _record_versions(plan, folder)
            plan.experiment.check_inputs()
            _run_tests(plan, folder)
            _render_all(plan, folder, facts)
        except BlockedError as error:
            facts.blocked = {"time": utc_now(), "reason": str(error), "output": error.output[-20000:]}
            if not (folder / layout.COLLECT_LOG).exists():
                _collect_tests(plan, folder)
        _write_run(plan, folder, facts)
        bundle.seal(folder)
        placed = bundle.place(folder, name)
    return _outcome(placed)


def _outcome(folder: Path) -> Outcome:
    data = json.loads((folder / layout.SUMMARY).read_text(encoding="utf-8"))
    run_data = json.loads((folder / layout.RUN).read_text(encoding="utf-8"))
    verdict, reasons = Name(data["verdict"]["name"]), list(data["verdict"]["reasons"])
    code = EXIT_CODES[verdict]
    if run_data["blocked"] is not None:
        reasons.append(run_data["blocked"]["reason"])
    elif data["protected_assets"]["changed"]:
        reasons.append(f"protected assets changed: {', '.join(data['protected_assets']['changed'])}")
        code = ExitCode.NOT_INTACT
    elif code is ExitCode.OK and data["tests"]["status"] != "passed":
        reasons.append(f"pytest {data['tests']['status']}")
        code = ExitCode.TESTS_FAILED
    return Outcome(folder=folder, verdict=verdict.value, reasons=tuple(reasons), exit_code=code)


def _record_surroundings(plan: Plan, folder: Path) -> None:
    """Write what is known before any program has run."""
    (folder / layout.ENV).write_text(environment.env_text(plan.root, plan.threads), encoding="utf-8")
    (folder / layout.MACHINE).write_text(environment.machine_text(), encoding="utf-8")
    (folder / layout.GIT).write_text(environment.git_text(plan.root), encoding="utf-8")
    (folder / layout.COMMANDS).write_text("", encoding="utf-8")


def _run(
    plan: Plan, folder: Path, label: str, command: tuple[str, ...], log: Path, *, cwd: Path, threads: int = 1
) -> Finished:
    """Run a command and add its row to ``commands.txt``."""
    done = run(
        command,
        folder=cwd,
        log=log,
        environment=environment.child_environment(plan.root, threads),
        time_limit_s=plan.time_limit_s,
    )
    row = layout.CommandRow(label, done.started, done.ended, done.status, shlex.join(done.command))
    with (folder / layout.COMMANDS).open("a", encoding="utf-8") as stream:
        stream.write(row.text)
    return done


def _must_succeed(done: Finished, log: Path) -> None:
    if done.status != 0:
        output = log.read_text(encoding="utf-8", errors="replace")
        raise BlockedError(f"exit status {done.status}: {shlex.join(done.command)}", output)


def _build(plan: Plan, folder: Path) -> None:
    """Build those C programs that are ours."""
    if any(is_built_here(program, plan.root) for program in plan.programs.all()):
        log = folder / layout.BUILD_LOG
        prebuilt = prebuilt_log(plan.root)
        if prebuilt is not None:
            shutil.copyfile(prebuilt, log)
            return
        _must_succeed(_run(plan, folder, "build", build_command(plan.root), log, cwd=plan.root), log)


def _record_versions(plan: Plan, folder: Path) -> None:
    """Write what each program prints for --version; one that fails blocks the run."""
    with (folder / layout.VERSION).open("ab") as stream:
        for program in plan.programs.all():
            program.check()
            log = folder / f"version-{program.name}"
            done = _run(
                plan,
                folder,
                f"version {program.name}",
                (*program.command, "--version"),
                log,
                cwd=folder / "inputs",
            )
            printed = log.read_bytes()
            log.unlink()
            stream.write(f"{program.name}: ".encode() + printed.rstrip(b"\n") + b"\n")
            if done.status != 0 or not printed.strip():
                message = f"program {program.name}: --version ended with {done.status}"
                raise BlockedError(message, printed.decode("utf-8", errors="replace"))


def _run_tests(plan: Plan, folder: Path) -> None:
    """Run the phi = 0 tests; a failure is recorded and does not stop the run."""
    command = (plan.python, *plan.pytest_command, "-v", PHI0_TESTS)
    if _run(plan, folder, "pytest", command, folder / layout.PYTEST_LOG, cwd=plan.root).status != 0:
        _collect_tests(plan, folder)


def _collect_tests(plan: Plan, folder: Path) -> None:
    command = (plan.python, *plan.pytest_command, "--collect-only", "-q", PHI0_TESTS)
    _run(plan, folder, "pytest collect", command, folder / layout.COLLECT_LOG, cwd=plan.root)


@dataclass(frozen=True, kw_only=True)
class _Render:
    """One image to render: by which program, with which arguments, into which file."""

    label: str
    program: Program
    args: tuple[str, ...]
    log: Path
    target: Path
    threads: int = 1


def _render_all(plan: Plan, folder: Path, facts: _Facts) -> None:
    """Run the three programs, the ablation if both C programs disagree, and the GPU leg."""
    for program in plan.programs.all():
        threads = plan.threads if program.name == "py" else 1
        _render(plan, folder, _full(folder, program.name, program, plan.experiment.roi_args, threads))
    if _c_programs_differ(plan, folder):
        (folder / "inputs" / "ablation").mkdir()
        for program in (plan.programs.c, plan.programs.c_spec):
            _render_ablated(plan, folder, program)
    _gpu_leg(plan, folder, facts)


def _full(folder: Path, name: str, program: Program, args: tuple[str, ...], threads: int) -> _Render:
    """Return the rendering whose whole image the bundle keeps."""
    log, target = folder / layout.command_log(name), folder / layout.image(name)
    return _Render(label=name, program=program, args=args, log=log, target=target, threads=threads)


def _render(plan: Plan, folder: Path, job: _Render) -> None:
    """Run a program in an empty folder that holds nothing but the inputs, and keep its float image."""
    with tempfile.TemporaryDirectory(prefix="nbparity-") as scratch:
        plan.experiment.copy_inputs(Path(scratch))
        command = (*job.program.command, *job.args, "-floatfile", job.target.name)
        done = _run(plan, folder, job.label, command, job.log, cwd=Path(scratch), threads=job.threads)
        written = Path(scratch) / job.target.name
        if written.is_file():
            shutil.copyfile(written, job.target)
        _must_succeed(done, job.log)


def _c_programs_differ(plan: Plan, folder: Path) -> bool:
    """Tell whether both C images can be read and are not the same in the region of interest."""
    try:
        x, r = (
            crop(read_float_image(folder / layout.image(name), plan.experiment.shape), plan.experiment.roi)
            for name in layout.ABLATED
        )
    except (OSError, ValueError):
        return False
    pair = compare(x, r)
    return not pair.problem and not pair.identical


def _render_ablated(plan: Plan, folder: Path, program: Program) -> None:
    """Run a C program with the cause switched off and keep the region of interest."""
    label = f"{program.name} without {ablation.CAUSE}"
    with tempfile.TemporaryDirectory(prefix="nbparity-") as scratch:
        log, target = folder / layout.ablated_log(program.name), Path(scratch) / "float.bin"
        args = ablation.arguments(plan.experiment, plan.thresholds.ablation_offset_deg)
        _render(plan, folder, _Render(label=label, program=program, args=args, log=log, target=target))
        try:
            pixels = crop(read_float_image(target, plan.experiment.shape), plan.experiment.roi)
        except (OSError, ValueError) as error:
            raise BlockedError(f"{label}: no image: {error}") from None
        np.save(folder / layout.ablated_roi(program.name), pixels, allow_pickle=False)


def _gpu_leg(plan: Plan, folder: Path, facts: _Facts) -> None:
    """Run the simulator on the GPU if torch sees one."""
    args = (*plan.experiment.roi_args, "-device", "cuda")
    program = plan.programs.py
    target = Path(layout.image(layout.GPU)).name
    facts.gpu["command"] = shlex.join((*program.command, *args, "-floatfile", target))
    devices, reason = environment.cuda_devices(plan.python, plan.root)
    facts.gpu["reason"] = reason
    if devices:
        _render(plan, folder, _full(folder, layout.GPU, program, args, plan.threads))
        facts.gpu["ran"] = True


def _write_run(plan: Plan, folder: Path, facts: _Facts) -> None:
    """Write the facts of the run that no other file of the bundle holds."""
    after = protected.hashes(plan.root)
    experiment = plan.experiment
    data: Mapping[str, Any] = {
        "format": 1,
        "started": facts.started,
        "ended": utc_now(),
        "status": "complete" if facts.blocked is None else "blocked",
        "blocked": facts.blocked,
        "experiment": {
            "id": experiment.id,
            "title": experiment.title,
            "shows": experiment.shows,
            "args": list(experiment.args),
            "roi": None if experiment.roi is None else list(experiment.roi),
            "shape": list(experiment.shape),
            "inputs": {file.name: file.sha256 for file in experiment.inputs},
        },
        "programs": {program.name: _program_data(plan, program) for program in plan.programs.all()},
        "thresholds": plan.thresholds.as_dict(),
        "threads_py": plan.threads,
        "gpu": facts.gpu,
        "protected": {
            "files": len(facts.protected_before),
            "changed": protected.changes(facts.protected_before, after),
        },
    }
    (folder / layout.RUN).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def _program_data(plan: Plan, program: Program) -> dict[str, Any]:
    """Return path and hash of a program, and whether it stands in for ours."""
    if program.file is None:
        return {"path": shlex.join(program.command), "sha256": None, "replaced": False}
    digest = sha256_of_file(program.file) if program.file.is_file() else None
    return {"path": str(program.file), "sha256": digest, "replaced": not is_built_here(program, plan.root)}
