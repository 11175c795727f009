"""The commands that run the programs and write bundles: n1, n2, o1, parity, causes."""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

from .. import cause_runs, causes, container, digest, experiment, n1, n2, thresholds
from ..errors import ExitCode, UsageError
from ..nb_compare import from_here
from ..outcome import Outcome
from ..programs import locate
from .options import (
    FOLDERS,
    NO_DIGEST,
    Commands,
    bundle_options,
    common,
    programs_of,
    reports_of,
    thread_option,
)


def add_n1(commands: Commands) -> None:
    """Offer the command ``n1``."""
    parser = commands.add_parser("n1", help="run an experiment with all programs, write a bundle")
    common(parser)
    parser.add_argument(
        "--experiment", action="append", help="id; default: cro, and supervisor if its data are there"
    )
    parser.add_argument("--phase", default=FOLDERS.n1, help="second folder below reports/")
    bundle_options(parser)
    thread_option(parser)
    parser.add_argument("--image", choices=("cpu", "cuda"), help="run in a container of that image")
    parser.add_argument("--gpus", action="store_true", help="with --image cuda: give the container the GPUs")
    parser.set_defaults(command=_n1)


def _n1(arguments: argparse.Namespace) -> int:
    """Run the experiments one after another; the exit status is that of the first that did not end well."""
    if arguments.image or arguments.gpus:
        return _n1_in_container(arguments)
    chosen = _chosen_experiments(arguments.root.resolve(), arguments.experiment)
    outcomes = [_run_n1(arguments, one, arguments.phase) for one in chosen]
    return next((outcome.exit_code for outcome in outcomes if outcome.exit_code), ExitCode.OK)


def _n1_in_container(arguments: argparse.Namespace) -> int:
    """Run the experiments in a container, with the same options."""
    if not arguments.image:
        raise UsageError("--gpus: expected --image cuda beside it")
    if arguments.spec_bin or arguments.py_bin:
        raise UsageError("--spec-bin, --py-bin: not possible with --image, which brings these programs along")
    root = arguments.root.resolve()
    passed = [f"--experiment={name}" for name in arguments.experiment or ()]
    passed += [f"--campaign={arguments.campaign}", f"--phase={arguments.phase}"]
    passed += [f"--py-threads={arguments.py_threads}", f"--time-limit={arguments.time_limit}"]
    job = container.job(
        root,
        f"nbparity:{arguments.image}",
        tuple(passed),
        reports=(arguments.reports or root / "reports").absolute(),
        c_bin=arguments.c_bin,
        gpus=arguments.gpus,
    )
    return container.run(container.connect(), job, sys.stdout.buffer)


def _run_n1(arguments: argparse.Namespace, chosen: experiment.Experiment, phase: str) -> Outcome:
    """Run one experiment and print its verdict and where the bundle is."""
    plan = n1.Plan(
        root=arguments.root.resolve(),
        reports=reports_of(arguments, phase),
        experiment=chosen,
        programs=programs_of(arguments),
        thresholds=thresholds.load(),
        threads=arguments.py_threads,
        time_limit_s=arguments.time_limit,
    )
    print(f"{chosen.id}: running", flush=True)
    outcome = n1.parity_n1(plan)
    print(f"{chosen.id}: {outcome.verdict}")
    for reason in outcome.reasons:
        print(f"  {reason}")
    print(f"  bundle: {from_here(outcome.folder)}")
    print(f"  bundle digest: {digest.read(outcome.folder) or NO_DIGEST}", flush=True)
    return outcome


def _chosen_experiments(root: Path, ids: list[str] | None) -> list[experiment.Experiment]:
    if ids:
        return [experiment.load(root, experiment_id) for experiment_id in ids]
    supervisor = experiment.load(root, "supervisor")
    if supervisor.inputs_present():
        return [experiment.load(root, "cro"), supervisor]
    print(f"supervisor: not run, {_without_data(supervisor)}")
    return [experiment.load(root, "cro")]


def _without_data(supervisor: experiment.Experiment) -> str:
    """Say where the data of the experiment were looked for."""
    return (
        f"the data of this experiment are no part of the repository and not in {supervisor.inputs_dir}"
        " (NB_SUPERVISOR_DIR names another folder)"
    )


def add_n2(commands: Commands) -> None:
    """Offer the command ``n2``."""
    parser = commands.add_parser(
        "n2", help="compare anew what a bundle of n1 compared, with limits and its images"
    )
    common(parser)
    parser.add_argument(
        "bundles", type=Path, nargs="*", metavar="BUNDLE", help="default: the newest complete"
    )
    bundle_options(parser)
    parser.set_defaults(command=_n2)


def _n2(arguments: argparse.Namespace) -> int:
    """Check the bundles one after another; the exit status is that of the first that did not end well."""
    bundles = arguments.bundles or [n2.newest(reports_of(arguments, FOLDERS.n1))]
    codes = [_run_n2(arguments, folder) for folder in bundles]
    return next((code for code in codes if code), ExitCode.OK)


def _run_n2(arguments: argparse.Namespace, folder: Path) -> ExitCode:
    """Check one bundle and print every check and where the record is."""
    root, run = arguments.root.resolve(), n2.facts(folder)
    used = run["programs"]["c"]
    plan = n2.Plan(
        root=root,
        bundle=folder.absolute(),
        experiment=experiment.load(root, run["experiment"]["id"]),
        programs=locate(
            root,
            c_bin=arguments.c_bin or (used["path"] if used["replaced"] else None),
            spec_bin=arguments.spec_bin,
            py_bin=arguments.py_bin,
        ),
        thresholds=thresholds.load(),
        limits=thresholds.load_nb_compare(),
        reports=reports_of(arguments, FOLDERS.n2),
        time_limit_s=arguments.time_limit,
    )
    print(f"{run['experiment']['id']}: comparing anew over {from_here(plan.bundle)}", flush=True)
    outcome = n2.parity_n2(plan)
    for check in outcome.checks:
        print(f"  {check.name:34} {check.value:>14}  {check.expected:14} {check.result}")
    print(f"  record: {from_here(outcome.folder)}", flush=True)
    return outcome.exit_code


def add_o1(commands: Commands) -> None:
    """Offer the command ``o1``."""
    parser = commands.add_parser(
        "o1", help="n1 on the whole detector of the experiment supervisor, then n2 over its bundle"
    )
    common(parser)
    bundle_options(parser)
    thread_option(parser)
    parser.set_defaults(command=_o1)


def _o1(arguments: argparse.Namespace) -> int:
    """Run the full frame of the supervisor experiment, of cro where its data are not."""
    root = arguments.root.resolve()
    chosen = experiment.load(root, "supervisor")
    if not chosen.inputs_present():
        print(f"supervisor: cro is run instead, {_without_data(chosen)}")
        chosen = experiment.load(root, "cro")
    outcome = _run_n1(arguments, replace(chosen, roi=None), FOLDERS.o1)
    return outcome.exit_code or _run_n2(arguments, outcome.folder)


def add_parity(commands: Commands) -> None:
    """Offer the command ``parity``."""
    parser = commands.add_parser("parity", help="n1, n2 over its bundles, o1; stops at the first that fails")
    common(parser)
    parser.add_argument("--experiment", action="append", help="id, for n1 and n2; default as for n1")
    bundle_options(parser)
    thread_option(parser)
    parser.set_defaults(command=_parity)


def _parity(arguments: argparse.Namespace) -> int:
    """Run the stages in order; the exit status is that of the stage that failed."""
    folders: list[Path] = []

    def stage_n1() -> int:
        chosen = _chosen_experiments(arguments.root.resolve(), arguments.experiment)
        outcomes = [_run_n1(arguments, one, FOLDERS.n1) for one in chosen]
        folders.extend(outcome.folder for outcome in outcomes)
        return next((outcome.exit_code for outcome in outcomes if outcome.exit_code), ExitCode.OK)

    def stage_n2() -> int:
        codes = [_run_n2(arguments, folder) for folder in folders]
        return next((code for code in codes if code), ExitCode.OK)

    lines = []
    for name, stage in (("N1", stage_n1), ("N2", stage_n2), ("O1", lambda: _o1(arguments))):
        print(f"== {name}", flush=True)
        started = time.monotonic()
        code = stage()
        word = "passed" if code == ExitCode.OK else f"FAILED with exit status {int(code)}"
        lines.append(f"{name} {word} in {time.monotonic() - started:.1f} s")
        if code != ExitCode.OK:
            break
    print("\n".join(lines))
    return code


def add_causes(commands: Commands) -> None:
    """Offer the command ``causes``."""
    parser = commands.add_parser("causes", help="run the experiments on all known causes, print their table")
    common(parser)
    parser.add_argument("--experiment", default="cro")
    parser.add_argument("--cause", action="append", help="only this cause, by its id")
    parser.add_argument("--reports", type=Path, help="instead of reports/")
    parser.set_defaults(command=_causes)


def _causes(arguments: argparse.Namespace) -> int:
    root = arguments.root.resolve()
    known = causes.load(root)
    for wanted in arguments.cause or []:
        if wanted not in {cause.id for cause in known}:
            raise UsageError(f"no cause {wanted!r} (known: {', '.join(cause.id for cause in known)})")
    laboratory = cause_runs.Laboratory(
        root=root,
        experiment=experiment.load(root, arguments.experiment),
        programs=programs_of(arguments),
        thresholds=thresholds.load(),
    )
    chosen = [cause for cause in known if not arguments.cause or cause.id in arguments.cause]
    rows = laboratory.run(chosen)
    reports = (arguments.reports or root / "reports").absolute()
    folder = cause_runs.write_report(reports / "causes", laboratory.experiment, rows)
    print(cause_runs.table(rows), end="")
    print(f"table: {from_here(folder / 'causes.md')}")
    return ExitCode.OK if cause_runs.passed(rows) else ExitCode.UNEXPLAINED
