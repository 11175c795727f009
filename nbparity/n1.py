"""``nbparity n1``: one experiment with all three programs, as an evidence bundle."""

import json
import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from . import (
    bundle,
    causes,
    command_lines,
    environment,
    layout,
    locks,
    outcome,
    packed,
    protected,
    provenance,
    report,
    trace_runs,
)
from .compare import FloatImage, compare, crop, read_float_image
from .errors import BlockedError, NotWrittenError
from .experiment import Experiment
from .hashing import sha256_of_file
from .outcome import Outcome
from .processes import OUTPUT_KEPT, TIME_LIMIT_S, Finished, Stopwatch, end_of, run
from .programs import GENERATOR, Program, Programs, build_command, is_built_here, prebuilt_log, stands_in
from .thresholds import Thresholds


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


@dataclass(kw_only=True)
class _Facts:
    """What a run learns on its way; written to ``run.json`` at the end."""

    stamp: str
    watch: Stopwatch
    protected_before: dict[str, str]
    sources: dict[str, str]
    causes: list[causes.Cause]
    programs: dict[str, str] = field(default_factory=dict)
    blocked: dict[str, str] | None = None
    gpu: dict[str, Any] = field(
        default_factory=lambda: {"ran": False, "reason": "not reached", "command": ""}
    )
    trace: dict[str, Any] = field(default_factory=lambda: {"pixel": None, "reason": "not reached"})


def parity_n1(plan: Plan) -> Outcome:
    """Run one experiment and leave its bundle; a blocked prerequisite leaves a bundle, too.

    NotWrittenError if the bundle cannot be written, for example on a full disk; nothing is left of it then.
    """
    provenance.require_library()
    report.check_packages()
    try:
        return _parity_n1(plan)
    except OSError as error:
        raise NotWrittenError(f"no bundle: {error.filename or plan.reports}: {error.strerror}") from None


def _parity_n1(plan: Plan) -> Outcome:
    with bundle.building(plan.reports) as folder:
        facts = _Facts(
            stamp=bundle.stamp(),
            watch=Stopwatch(),
            protected_before=protected.hashes(plan.root),
            sources=provenance.source_hashes(plan.root),
            causes=causes.load(plan.root),
        )
        try:
            _record_surroundings(plan, folder)
            _build(plan, folder)
            _record_versions(plan, folder)
            facts.programs = _program_hashes(plan)
            plan.experiment.check_inputs()
            _run_tests(plan, folder)
            _render_all(plan, folder, facts)
        except BlockedError as error:
            facts.blocked = {
                "time": facts.watch.now(),
                "reason": str(error),
                "output": error.output[-OUTPUT_KEPT:],
            }
            if not (folder / layout.COLLECT_LOG).exists():
                _collect_tests(plan, folder)
        _write_run(plan, folder, facts)
        bundle.seal(folder)
        placed = bundle.place(folder, facts.stamp)
    return outcome.read(placed)


def _record_surroundings(plan: Plan, folder: Path) -> None:
    """Write what is known before any of the three programs has run."""
    (folder / layout.ENV).write_text(environment.env_text(plan.root, plan.threads), encoding="utf-8")
    (folder / layout.MACHINE).write_text(environment.machine_text(), encoding="utf-8")
    (folder / layout.GIT).write_text(environment.git_text(plan.root), encoding="utf-8")
    (folder / layout.COMMANDS).write_text("", encoding="utf-8")
    _list_packages(plan, folder)


def _list_packages(plan: Plan, folder: Path) -> None:
    """Write the packages of the Python environment; nobody needs the log of a tool that succeeded."""
    target = folder / layout.SBOM
    log = target.with_name("sbom.log")
    command = command_lines.list_packages(plan.python)
    _must_succeed(_run(plan, folder, "sbom", command, log, cwd=target.parent), log)
    log.unlink()


def _run(
    plan: Plan,
    folder: Path,
    label: str,
    command: tuple[str, ...],
    log: Path,
    *,
    cwd: Path,
    threads: int = 1,
    inherit: tuple[int, ...] = (),
) -> Finished:
    """Run a command and add its row to ``commands.txt``."""
    done = run(
        command,
        folder=cwd,
        log=log,
        environment=environment.child_environment(plan.root, threads),
        time_limit_s=plan.time_limit_s,
        log_limit_bytes=plan.thresholds.max_log_bytes,
        inherit=inherit,
    )
    _add_row(folder, label, done)
    return done


def _add_row(folder: Path, label: str, done: Finished) -> None:
    row = layout.CommandRow(label, done.started, done.ended, done.status, shlex.join(done.command))
    with (folder / layout.COMMANDS).open("a", encoding="utf-8") as stream:
        stream.write(row.text)


def _must_succeed(done: Finished, log: Path) -> None:
    if done.status != 0:
        raise BlockedError(f"exit status {done.status}: {shlex.join(done.command)}", end_of(log, OUTPUT_KEPT))


def _build(plan: Plan, folder: Path) -> None:
    """Build those C programs that are ours."""
    if any(is_built_here(program, plan.root) for program in plan.programs.all()):
        log = folder / layout.BUILD_LOG
        prebuilt = prebuilt_log(plan.root)
        if prebuilt is not None:
            shutil.copyfile(prebuilt, log)
            return
        # Two runs at once share the build folder, and make does not know of the other. It holds the lock
        # itself, since it goes on when this process is killed.
        with locks.exclusive(plan.root / GENERATOR) as lock:
            command = build_command(plan.root)
            done = _run(plan, folder, "build", command, log, cwd=plan.root, inherit=(lock,))
        _must_succeed(done, log)


def _record_versions(plan: Plan, folder: Path) -> None:
    """Write what each program prints for --version; one that fails blocks the run."""
    with (folder / layout.VERSION).open("ab") as stream:
        for program in plan.programs.all():
            program.check()
            log = folder / f"version-{program.name}"
            done = _run(
                plan,
                folder,
                layout.version_label(program.name),
                command_lines.version(program),
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
    command = command_lines.run_tests(plan.python)
    if _run(plan, folder, "pytest", command, folder / layout.PYTEST_LOG, cwd=plan.root).status != 0:
        _collect_tests(plan, folder)


def _collect_tests(plan: Plan, folder: Path) -> None:
    command = command_lines.collect_tests(plan.python)
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

    def keep(self, written: Path) -> None:
        """Put what the program wrote into place, packed where the target is a packed file."""
        if self.target.suffix == packed.SUFFIX:
            packed.write(self.target, written.read_bytes())
        else:
            shutil.copyfile(written, self.target)


def _render_all(plan: Plan, folder: Path, facts: _Facts) -> None:
    """Run the three programs, the experiments on pairs that differ, the traces and the GPU leg."""
    for program in plan.programs.all():
        threads = plan.threads if program.name == "py" else 1
        _render(plan, folder, _full(folder, program.name, program, plan.experiment.roi_args, threads))
    _run_ablations(plan, folder, facts.causes)
    with ThreadPoolExecutor(max_workers=1) as pool:
        # To ask torch for devices takes as long as a trace, and neither needs the other.
        devices = pool.submit(environment.cuda_devices, plan.python, plan.root)
        _trace_leg(plan, folder, facts)
        _gpu_leg(plan, folder, facts, *devices.result())


def _full(folder: Path, name: str, program: Program, args: tuple[str, ...], threads: int) -> _Render:
    """Return the rendering whose whole image the bundle keeps."""
    log, target = folder / layout.command_log(name), folder / layout.image(name)
    return _Render(label=name, program=program, args=args, log=log, target=target, threads=threads)


def _render(plan: Plan, folder: Path, job: _Render) -> None:
    """Run a program in an empty folder that holds nothing but the inputs, and keep its float image."""
    with tempfile.TemporaryDirectory(prefix=layout.SCRATCH, dir=folder) as scratch:
        plan.experiment.copy_inputs(Path(scratch))
        written = Path(scratch) / packed.plain_name(job.target.name)
        command = command_lines.render(job.program, job.args, written.name)
        done = _run(plan, folder, job.label, command, job.log, cwd=Path(scratch), threads=job.threads)
        if written.is_file():
            job.keep(written)
        _must_succeed(done, job.log)


def _run_ablations(plan: Plan, folder: Path, known: list[causes.Cause]) -> None:
    """Switch known causes off in each pair that differs, one by one, until one leaves it identical."""
    explained: set[str] = set()
    for cause in known:
        for trial in cause.trials:
            names = (trial.x.program, trial.r.program)
            acts = trial.setting.acts_on(plan.experiment.roi_args, plan.thresholds.ablation_offset_deg)
            if not trial.in_bundle or not acts or trial.pair in explained or not _differ(plan, folder, names):
                continue
            x, r = (_ablated(plan, folder, cause, trial, name) for name in names)
            if causes.explains(compare(x, r)):
                explained.add(trial.pair)


def _differ(plan: Plan, folder: Path, names: tuple[str, str]) -> bool:
    """Tell whether both images can be read and are not the same in the region of interest."""
    try:
        x, r = (
            crop(read_float_image(folder / layout.image(name), plan.experiment.shape), plan.experiment.roi)
            for name in names
        )
    except (OSError, ValueError):
        return False
    pair = compare(x, r)
    return not pair.problem and not pair.identical


def _ablated(plan: Plan, folder: Path, cause: causes.Cause, trial: causes.Trial, name: str) -> FloatImage:
    """Run a program with a cause switched off, unless that was done, and keep the region of interest."""
    kept = folder / layout.ablated_roi(name, cause.id)
    if kept.is_file():
        known: FloatImage = np.load(kept, allow_pickle=False)
        return known
    kept.parent.mkdir(parents=True, exist_ok=True)
    label = layout.ablated_label(name, cause.id)
    program = next(program for program in plan.programs.all() if program.name == name)
    args = trial.setting.arguments(plan.experiment.roi_args, plan.thresholds.ablation_offset_deg)
    threads = plan.threads if name == "py" else 1
    with tempfile.TemporaryDirectory(prefix=layout.SCRATCH, dir=folder) as scratch:
        log, target = folder / layout.ablated_log(name, cause.id), Path(scratch) / command_lines.ABLATED_IMAGE
        job = _Render(label=label, program=program, args=args, log=log, target=target, threads=threads)
        _render(plan, folder, job)
        try:
            pixels = crop(read_float_image(target, plan.experiment.shape), plan.experiment.roi)
        except (OSError, ValueError) as error:
            raise BlockedError(f"{label}: no image: {error}") from None
    np.save(kept, pixels, allow_pickle=False)
    return pixels


def _trace_leg(plan: Plan, folder: Path, facts: _Facts) -> None:
    """Trace the brightest pixel of c_spec with the three programs; one that cannot is no reason to stop."""
    try:
        image = read_float_image(folder / layout.image("c_spec"), plan.experiment.shape)
    except (OSError, ValueError) as error:
        facts.trace["reason"] = f"c_spec has no image to take a pixel from: {error}"
        return
    pixel = trace_runs.brightest(image, plan.experiment.roi)
    facts.trace = {"pixel": list(pixel), "reason": ""}
    logs = {program.name: folder / layout.trace_log(program.name) for program in plan.programs.all()}
    (folder / layout.trace_log("c")).parent.mkdir()
    todo = trace_runs.jobs(plan.programs, plan.experiment, pixel, logs)
    finished = trace_runs.run_all(
        plan.root,
        plan.experiment,
        todo,
        folder=folder,
        time_limit_s=plan.time_limit_s,
        log_limit_bytes=plan.thresholds.max_log_bytes,
    )
    for job, done in zip(todo, finished, strict=True):
        _add_row(folder, layout.trace_label(job.program.name), done)


def _gpu_leg(plan: Plan, folder: Path, facts: _Facts, devices: int, reason: str) -> None:
    """Run the simulator on the GPU if torch sees one, else say why not."""
    args = (*plan.experiment.roi_args, *command_lines.ON_GPU)
    program = plan.programs.py
    facts.gpu["command"] = shlex.join(command_lines.render_on_gpu(program, plan.experiment.roi_args))
    facts.gpu["reason"] = reason
    if devices:
        _render(plan, folder, _full(folder, layout.GPU, program, args, plan.threads))
        facts.gpu["ran"] = True


def _write_run(plan: Plan, folder: Path, facts: _Facts) -> None:
    """Write the facts of the run that no other file of the bundle holds."""
    before, after = facts.protected_before | facts.programs, protected.hashes(plan.root)
    if facts.programs:
        after |= _program_hashes(plan)
    experiment = plan.experiment
    data: Mapping[str, Any] = {
        "format": layout.FORMAT,
        "stamp": facts.stamp,
        "started": facts.watch.started,
        "ended": facts.watch.now(),
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
        "root": str(plan.root),
        "python": plan.python,
        "sources": facts.sources,
        "programs": {program.name: _program_data(plan, program) for program in plan.programs.all()},
        "causes": causes.recorded(facts.causes),
        "thresholds": plan.thresholds.as_dict(),
        "threads_py": plan.threads,
        "gpu": facts.gpu,
        "trace": facts.trace,
        "protected": {
            "files": len(facts.protected_before),
            "changed": protected.changes(before, after),
        },
    }
    (folder / layout.RUN).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def _program_hashes(plan: Plan) -> dict[str, str]:
    """Return the hash of every program that is a file, as it is now."""
    files = {program.name: program.file for program in plan.programs.all()}
    return {
        f"program {name}": sha256_of_file(file) for name, file in files.items() if file and file.is_file()
    }


def _program_data(plan: Plan, program: Program) -> dict[str, Any]:
    """Return path and hash of a program, and whether it stands in for ours."""
    if program.file is None:
        return {"path": shlex.join(program.command), "sha256": None, "replaced": False}
    digest = sha256_of_file(program.file) if program.file.is_file() else None
    return {"path": str(program.file), "sha256": digest, "replaced": stands_in(program, plan.root)}
