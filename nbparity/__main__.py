"""Command line of the harness; the only place that prints errors and exits."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from . import (
    bench,
    cases,
    cause_runs,
    causes,
    experiment,
    golden,
    historical,
    historical_supervisor,
    matrix,
    n1,
    n2,
    nb_compare,
    thresholds,
    verify,
)
from .errors import BlockedError, ExitCode, ParityError, UsageError
from .programs import Program, Programs, locate

ROOT = Path(__file__).resolve().parents[1]
CAMPAIGN, PHASE = "2025-10-cli-flags", "phase_l"
N2_PHASE, O1_PHASE = "phase_n", "phase_o"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["compare"]:
        return nb_compare.main(words[1:])
    arguments = _parser().parse_args(words)
    try:
        return int(arguments.command(arguments))
    except BlockedError as error:
        print(f"nbparity: blocked: {error}", file=sys.stderr)
        if error.output:
            print(error.output, file=sys.stderr)
        return error.exit_code
    except ParityError as error:
        print(f"nbparity: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"nbparity: {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
        return ExitCode.NOT_WRITTEN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nbparity", description="Compare the diffraction programs.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (_add_n1, _add_matrix, _add_verify, _add_golden, _add_historical, _add_bench):
        add(commands)
    for add in (_add_n2, _add_o1, _add_parity, _add_causes):
        add(commands)
    commands.add_parser("compare", help="the same as nb-compare, its exit statuses included", add_help=False)
    return parser


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (default: this one)")
    parser.add_argument("--c-bin", help="historical C program (default: $NB_C_BIN, or the one built here)")
    parser.add_argument("--spec-bin", help="C program in specification mode (default: the one built here)")
    parser.add_argument("--py-bin", help="simulator (default: python -m nanobrag_torch)")


def _programs(arguments: argparse.Namespace) -> Programs:
    return locate(arguments.root, c_bin=arguments.c_bin, spec_bin=arguments.spec_bin, py_bin=arguments.py_bin)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _add_n1(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("n1", help="run an experiment with all programs, write a bundle")
    _common(parser)
    parser.add_argument("--experiment", action="append", help="id; default: cro, and supervisor if it can")
    parser.add_argument("--phase", default=PHASE, help="second folder below reports/")
    _bundle_options(parser)
    _thread_option(parser)
    parser.set_defaults(command=_n1)


def _bundle_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--campaign", default=CAMPAIGN, help="first folder below reports/")
    parser.add_argument("--reports", type=Path, help="instead of reports/")
    parser.add_argument("--time-limit", type=float, default=3600.0, help="seconds per program")


def _thread_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--py-threads", type=_positive, default=1, help="threads of the simulator")


def _n1(arguments: argparse.Namespace) -> int:
    """Run the experiments one after another; the exit status is that of the first that did not end well."""
    chosen = _chosen_experiments(arguments.root.resolve(), arguments.experiment)
    outcomes = [_run_n1(arguments, one, arguments.phase) for one in chosen]
    return next((outcome.exit_code for outcome in outcomes if outcome.exit_code), ExitCode.OK)


def _run_n1(arguments: argparse.Namespace, chosen: experiment.Experiment, phase: str) -> n1.Outcome:
    """Run one experiment and print its verdict and where the bundle is."""
    plan = n1.Plan(
        root=arguments.root.resolve(),
        reports=_reports(arguments, phase),
        experiment=chosen,
        programs=_programs(arguments),
        thresholds=thresholds.load(),
        threads=arguments.py_threads,
        time_limit_s=arguments.time_limit,
    )
    print(f"{chosen.id}: running", flush=True)
    outcome = n1.parity_n1(plan)
    print(f"{chosen.id}: {outcome.verdict}")
    for reason in outcome.reasons:
        print(f"  {reason}")
    print(f"  bundle: {_from_here(outcome.folder)}", flush=True)
    return outcome


def _reports(arguments: argparse.Namespace, phase: str) -> Path:
    """Return the folder of a phase of the campaign, where bundles and records lie side by side."""
    reports: Path = (arguments.reports or arguments.root.resolve() / "reports").absolute()
    return reports / str(arguments.campaign) / phase / "nb_compare"


_from_here = nb_compare.from_here


def _chosen_experiments(root: Path, ids: list[str] | None) -> list[experiment.Experiment]:
    if ids:
        return [experiment.load(root, experiment_id) for experiment_id in ids]
    supervisor = experiment.load(root, "supervisor")
    if supervisor.inputs_present():
        return [experiment.load(root, "cro"), supervisor]
    print(f"supervisor: not run, its data are not in {supervisor.inputs_dir} (set NB_SUPERVISOR_DIR)")
    return [experiment.load(root, "cro")]


def _add_n2(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("n2", help="compare anew over an N1 bundle, with limits and with its images")
    _common(parser)
    parser.add_argument(
        "bundles", type=Path, nargs="*", metavar="BUNDLE", help="default: the newest complete"
    )
    _bundle_options(parser)
    parser.set_defaults(command=_n2)


def _n2(arguments: argparse.Namespace) -> int:
    """Check the bundles one after another; the exit status is that of the first that did not end well."""
    bundles = arguments.bundles or [n2.newest(_reports(arguments, PHASE))]
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
        reports=_reports(arguments, N2_PHASE),
        time_limit_s=arguments.time_limit,
    )
    print(f"{run['experiment']['id']}: comparing anew over {_from_here(plan.bundle)}", flush=True)
    outcome = n2.parity_n2(plan)
    for check in outcome.checks:
        word = "pass" if check.passed else "FAIL"
        print(f"  {check.name:34} {check.value:>14}  {check.expected:14} {word}")
    print(f"  record: {_from_here(outcome.folder)}", flush=True)
    return outcome.exit_code


def _add_o1(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "o1", help="the whole detector of the supervisor experiment: N1, then N2 over it"
    )
    _common(parser)
    _bundle_options(parser)
    _thread_option(parser)
    parser.set_defaults(command=_o1)


def _o1(arguments: argparse.Namespace) -> int:
    """Run the full frame of the supervisor experiment, of cro where its data are not."""
    root = arguments.root.resolve()
    chosen = experiment.load(root, "supervisor")
    if not chosen.inputs_present():
        print(f"supervisor: its data are not in {chosen.inputs_dir} (set NB_SUPERVISOR_DIR): cro instead")
        chosen = experiment.load(root, "cro")
    outcome = _run_n1(arguments, replace(chosen, roi=None), O1_PHASE)
    return outcome.exit_code or _run_n2(arguments, outcome.folder)


def _add_parity(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("parity", help="N1, N2 over its bundles, O1; stops at the first that fails")
    _common(parser)
    parser.add_argument("--experiment", action="append", help="id, for N1 and N2; default as for n1")
    _bundle_options(parser)
    _thread_option(parser)
    parser.set_defaults(command=_parity)


def _parity(arguments: argparse.Namespace) -> int:
    """Run the stages in order; the exit status is that of the stage that failed."""
    folders: list[Path] = []

    def stage_n1() -> int:
        chosen = _chosen_experiments(arguments.root.resolve(), arguments.experiment)
        outcomes = [_run_n1(arguments, one, PHASE) for one in chosen]
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


def _add_causes(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("causes", help="run the experiments on all known causes, print their table")
    _common(parser)
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
        programs=_programs(arguments),
        thresholds=thresholds.load(),
    )
    chosen = [cause for cause in known if not arguments.cause or cause.id in arguments.cause]
    rows = laboratory.run(chosen)
    reports = (arguments.reports or root / "reports").absolute()
    folder = cause_runs.write_report(reports / "causes", laboratory.experiment, rows)
    print(cause_runs.table(rows), end="")
    print(f"table: {_from_here(folder / 'causes.md')}")
    return ExitCode.OK if cause_runs.passed(rows) else ExitCode.UNEXPLAINED


def _add_matrix(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("matrix", help="run the cases of the golden suite with all programs")
    _common(parser)
    parser.add_argument("--case", action="append", help="only this case, by its id")
    parser.add_argument("--jobs", type=_positive, default=_cores(), help="cases at a time")
    parser.add_argument("--reports", type=Path, help="instead of reports/")
    parser.set_defaults(command=_matrix)


def _matrix(arguments: argparse.Namespace) -> int:
    root = arguments.root.resolve()
    chosen, limits = cases.load(root, arguments.case), thresholds.load()
    started = time.monotonic()
    results = matrix.run_matrix(root, chosen, _programs(arguments), limits, arguments.jobs)
    seconds = time.monotonic() - started
    reports = (arguments.reports or root / "reports").absolute()
    folder = matrix.write_report(reports / "parity_matrix", results, seconds)
    for result in results:
        for problem in result.problems:
            print(f"{result.case.id}: {problem}")
    print(matrix.summary(results, seconds), end="")
    print(f"table: {_from_here(folder / 'matrix.md')}")
    return ExitCode.OK if all(result.passed for result in results) else ExitCode.UNEXPLAINED


def _add_verify(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("verify", help="check that bundles are complete, unchanged and true")
    parser.add_argument("bundles", type=Path, nargs="+", metavar="BUNDLE")
    parser.set_defaults(command=_verify)


def _verify(arguments: argparse.Namespace) -> int:
    complaints = {folder: verify.verify(folder) for folder in arguments.bundles}
    for folder, found in complaints.items():
        for complaint in found:
            print(f"{folder}: {complaint}")
        if not found:
            print(f"{folder}: complete, unchanged, every claim follows from its files")
    return ExitCode.NOT_INTACT if any(complaints.values()) else ExitCode.OK


def _add_golden(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("golden", help="check the golden suite, or write it")
    _common(parser)
    parser.add_argument("--case", action="append", help="only this case, by its id")
    parser.add_argument("--program", action="append", choices=["c_spec", "py"], help="only this program")
    parser.add_argument("--write", action="store_true", help="replace the stored suite by what c_spec makes")
    parser.add_argument("--jobs", type=_positive, default=_cores(), help="processes at a time")
    parser.set_defaults(command=_golden)


def _golden(arguments: argparse.Namespace) -> int:
    root, programs = arguments.root.resolve(), _programs(arguments)
    if arguments.write:
        if arguments.case or arguments.program:
            raise UsageError("--write makes the whole suite with c_spec: expected no --case and no --program")
        count = golden.write(root, cases.load(root), programs.c_spec, arguments.jobs)
        print(f"{count} cases written below {_from_here(root / cases.FOLDER)}")
        return ExitCode.OK
    chosen = [
        program
        for program in (programs.c_spec, programs.py)
        if not arguments.program or program.name in arguments.program
    ]
    results = golden.check(root, cases.load(root, arguments.case), chosen, arguments.jobs)
    for result in results:
        for problem in result.problems:
            print(f"{result.case} ({result.program}): {problem}")
    for program in chosen:
        own = [result for result in results if result.program == program.name]
        print(f"{program.name}: {sum(not result.problems for result in own)} of {len(own)} cases as stored")
    return ExitCode.UNEXPLAINED if any(result.problems for result in results) else ExitCode.OK


def _add_historical(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "historical", help="compare with stored output of the historical program (data: $NB_GOLDEN_DIR)"
    )
    _common(parser)
    parser.add_argument("--area", action="append", default=[], help="only cases of this area")
    parser.add_argument("--case", action="append", default=[], help="only this case")
    parser.add_argument("--program", action="append", choices=["c", "c_spec", "py"], help="only this program")
    parser.add_argument("--supervisor", action="store_true", help="also the real-data region and full frame")
    parser.add_argument("--jobs", type=_positive, default=_cores(), help="processes at a time")
    parser.set_defaults(command=_historical)


def _historical(arguments: argparse.Namespace) -> int:
    folder = historical.data_folder(arguments.root)
    limits = thresholds.load()
    chosen = historical.load_cases(folder, arguments.area, arguments.case)
    programs = [p for p in _programs(arguments).all() if not arguments.program or p.name in arguments.program]
    with tempfile.TemporaryDirectory(prefix="nbparity-historical-") as logs:
        results = historical.run_cases(arguments.root, chosen, programs, arguments.jobs, Path(logs))
        if arguments.supervisor:
            results += historical_supervisor.run_supervisor(arguments.root, folder, programs, Path(logs))
    print(historical.table(results, programs))
    print(historical.counts(results, programs, limits), end="")
    outside = [f"{result.case} ({result.program})" for result in results if not result.passes(limits)]
    if outside:
        print(f"outside the thresholds: {', '.join(outside)}")
    return ExitCode.UNEXPLAINED if outside else ExitCode.OK


def _add_bench(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("bench", help="render time of the full frame, simulator against C")
    _common(parser)
    parser.add_argument("--experiment", default="cro")
    parser.add_argument("--threads", type=_positive, action="append", help="default: 1 and 2")
    parser.add_argument("--repeats", type=_positive, default=5)
    parser.set_defaults(command=_bench)


def _bench(arguments: argparse.Namespace) -> int:
    programs = _programs(arguments)
    pair: tuple[Program, Program] = (programs.c_spec, programs.py)
    chosen = experiment.load(arguments.root.resolve(), arguments.experiment)
    timings = bench.bench(
        arguments.root.resolve(), chosen, pair, tuple(arguments.threads or (1, 2)), arguments.repeats
    )
    print(bench.table(timings), end="")
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
