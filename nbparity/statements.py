"""What ``run.json`` and ``commands.txt`` state, against what they have to say.

A run writes both in one go, so neither proves the other. But the experiment, the programs and the table of
causes leave no choice in which commands were run: they are derived here once more, and with them each other
statement that follows from a file of the bundle.
"""

import json
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from . import causes, command_lines, environment, layout, trace_runs
from .compare import read_float_image
from .experiment import Experiment, from_record, shape_of
from .hashing import files_below
from .programs import Program, Programs, build_command, is_built_here, simulator, stands_in
from .thresholds import of_record

Data = dict[str, Any]
PYTEST, COLLECT, BUILD, PACKAGES = "pytest", "pytest collect", "build", "sbom"


@dataclass(frozen=True, kw_only=True)
class _Expected:
    """A command that a bundle may hold, by its name, with how it may read.

    Of a complete run also: whether it has to be there, and to have ended well.
    """

    label: str
    commands: frozenset[str]
    needed: bool = True
    succeeds: bool = True


def complaints(bundle: Path, known: Sequence[causes.Cause]) -> list[str]:
    """Name every statement of a bundle that is not what follows from its files and the known causes.

    Raises OSError, ValueError, KeyError, TypeError, AttributeError or UsageError if a file is missing or not
    of its format.
    """
    run: Data = json.loads((bundle / layout.RUN).read_text(encoding="utf-8"))
    experiment = from_record(run["experiment"], Path())
    programs = _programs(run)
    complete = run["status"] == "complete"
    found = [
        _statement(
            "experiment.shape", list(experiment.shape), list(shape_of(Path(layout.RUN), experiment.args))
        ),
        _statement("threads_py", run["threads_py"], _threads(bundle)),
        *(
            _statement(
                f"programs.{program.name}.replaced", stated["replaced"], stands_in(program, Path(run["root"]))
            )
            for program, stated in ((program, run["programs"][program.name]) for program in programs.all())
        ),
        *_causes(run, known),
        _pixel(bundle, run, experiment),
        *(_gpu(bundle, run, experiment, programs) if complete else ()),
    ]
    expected = _commands(run, experiment, programs, known)
    return [text for text in found if text] + _command_complaints(bundle, expected, complete=complete)


def _statement(name: str, stated: object, derived: object) -> str:
    """Return the complaint about a statement, nothing if it is what was derived; 1 is not true, nor 1.0."""
    same = stated == derived and type(stated) is type(derived)
    return "" if same else f"untrue: {layout.RUN}: {name} is {stated!r}, expected {derived!r}"


def _programs(run: Data) -> Programs:
    """Return the programs as the run names them."""
    found = {}
    for name in layout.IMAGES:
        path = run["programs"][name]["path"]
        own = simulator(run["python"])
        if name == own.name and path == shlex.join(own.command):
            found[name] = own
        else:
            found[name] = Program(name=name, command=(path,), file=Path(path))
    return Programs(**found)


def _threads(bundle: Path) -> int:
    """Return the threads of the simulator: those of the environment that was recorded before it ran."""
    return int(environment.value_of((bundle / layout.ENV).read_text(encoding="utf-8"), "OMP_NUM_THREADS"))


def _causes(run: Data, known: Sequence[causes.Cause]) -> Iterable[str]:
    """Compare each cause of the bundle with the known one; there may be others, found since."""
    table = {cause["id"]: cause for cause in causes.recorded(known)}
    for stated in run["causes"]:
        yield _statement(f"cause {stated['id']}", stated, table.get(stated["id"]))


def _pixel(bundle: Path, run: Data, experiment: Experiment) -> str:
    """Compare the traced pixel with the brightest of c_spec; a blocked run may not have come to it."""
    stated = run["trace"]["pixel"]
    if stated is None and run["status"] != "complete":
        return ""
    try:
        image = read_float_image(bundle / layout.image("c_spec"), experiment.shape)
    except (OSError, ValueError):
        return _statement("trace.pixel", stated, None)
    return _statement("trace.pixel", stated, list(trace_runs.brightest(image, experiment.roi)))


def _gpu(bundle: Path, run: Data, experiment: Experiment, programs: Programs) -> Iterable[str]:
    """Compare what is said of the GPU leg with the command that ran, or that is there to copy."""
    labels = {row.label for row in layout.read_commands(bundle)}
    yield _statement("gpu.ran", run["gpu"]["ran"], layout.GPU in labels)
    command = shlex.join(command_lines.render_on_gpu(programs.py, experiment.roi_args))
    yield _statement("gpu.command", run["gpu"]["command"], command)


def _commands(
    run: Data, experiment: Experiment, programs: Programs, known: Sequence[causes.Cause]
) -> dict[str, _Expected]:
    """Return every command that the run may have run, by name."""
    python, root, ran = run["python"], Path(run["root"]), run["programs"]
    rows = [
        _row(PACKAGES, command_lines.list_packages(python)),
        _row(PYTEST, command_lines.run_tests(python), succeeds=False),
        _row(COLLECT, command_lines.collect_tests(python), needed=False, succeeds=False),
        *_ablations(run, experiment, programs, known),
    ]
    if any(is_built_here(program, root) for program in programs.all()):
        # an image brings them along
        rows.append(_row(BUILD, build_command(root), needed=False))
    for program in programs.all():
        rows.append(_row(layout.version_label(program.name), command_lines.version(program)))
        file = layout.float_file(program.name)
        rows.append(_row(program.name, command_lines.render(program, experiment.roi_args, file)))
    if run["gpu"]["ran"] or run["status"] != "complete":
        rows.append(_row(layout.GPU, command_lines.render_on_gpu(programs.py, experiment.roi_args)))
    if run["trace"]["pixel"] is not None:
        slow, fast = run["trace"]["pixel"]
        logs = {name: Path(layout.trace_log(name)) for name in ran}
        for job in trace_runs.jobs(programs, experiment, (slow, fast), logs):
            rows.append(_row(layout.trace_label(job.program.name), job.command, succeeds=False))
    return {row.label: row for row in rows}


def _row(label: str, *commands: Sequence[str], needed: bool = True, succeeds: bool = True) -> _Expected:
    return _Expected(
        label=label, commands=frozenset(map(shlex.join, commands)), needed=needed, succeeds=succeeds
    )


def _ablations(
    run: Data, experiment: Experiment, programs: Programs, known: Sequence[causes.Cause]
) -> Iterable[_Expected]:
    """Return the runs with a cause switched off; which of them were needed, the images decide."""
    stated = {cause["id"] for cause in run["causes"]}
    offset_deg = of_record(run["thresholds"]).ablation_offset_deg
    for cause in known:
        trials = [trial for trial in cause.trials if trial.in_bundle and cause.id in stated]
        for program in programs.all():
            commands = [
                command_lines.render(
                    program,
                    trial.setting.arguments(experiment.roi_args, offset_deg),
                    command_lines.ABLATED_IMAGE,
                )
                for trial in trials
                if program.name in (trial.x.program, trial.r.program)
            ]
            if commands:
                yield _row(layout.ablated_label(program.name, cause.id), *commands, needed=False)


def _command_complaints(bundle: Path, expected: dict[str, _Expected], *, complete: bool) -> list[str]:
    """Compare the commands of a bundle with those it may hold, and with the regions that prove a cause."""
    rows = layout.read_commands(bundle)
    labels = [row.label for row in rows]
    found = [
        f"{label!r} ran {labels.count(label)} times"
        for label in sorted(set(labels))
        if labels.count(label) > 1
    ]
    for row in rows:
        if row.label not in expected:
            found.append(f"{row.label!r} is no command of this run")
            continue
        wanted = expected[row.label]
        if row.command not in wanted.commands:
            found.append(f"{row.label!r} {_first_difference(row.command, min(wanted.commands))}")
        if complete and wanted.succeeds and row.status != 0:
            found.append(f"{row.label!r} ended with {row.status}, and the run is stated to be complete")
    missing = [row.label for row in expected.values() if row.needed] if complete else []
    found += [f"{label!r} did not run" for label in missing if label not in labels]
    found += _ablation_complaints(bundle, set(labels), complete=complete)
    return [f"untrue: {layout.COMMANDS}: {text}" for text in found]


def _ablation_complaints(bundle: Path, labels: set[str], *, complete: bool) -> list[str]:
    """Compare the regions that were kept with the commands that made them."""
    kept = {
        layout.ablated_label(program, path.parent.name)
        for path in map(Path, files_below(bundle))
        for program in layout.IMAGES
        if path.as_posix() == layout.ablated_roi(program, path.parent.name)
    }
    made = {label for label in labels if layout.WITHOUT in label}
    found = [f"{label!r} did not run, and its region is there" for label in sorted(kept - made)]
    if complete:
        found += [f"{label!r} ran, and its region is not there" for label in sorted(made - kept)]
    return found


def _first_difference(command: str, expected: str) -> str:
    """Say at which word a command is not the one expected."""
    pairs = enumerate(zip_longest(_words(command), _words(expected)), start=1)
    number, (ran, wanted) = next(
        ((number, pair) for number, pair in pairs if pair[0] != pair[1]), (1, (command, expected))
    )
    return f"has word {number} {ran!r}, expected {wanted!r}"


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return [command]
