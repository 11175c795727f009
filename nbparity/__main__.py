"""Command line of the harness; the only place that prints errors and exits."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from . import (
    bench,
    cases,
    container,
    experiment,
    golden,
    historical,
    historical_supervisor,
    matrix,
    n1,
    thresholds,
    verify,
)
from .errors import BlockedError, ExitCode, ParityError, UsageError
from .programs import Program, Programs, locate

ROOT = Path(__file__).resolve().parents[1]
CAMPAIGN, PHASE = "2025-10-cli-flags", "phase_l"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    arguments = _parser().parse_args(argv)
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
    parser.add_argument("--campaign", default=CAMPAIGN, help="first folder below reports/")
    parser.add_argument("--phase", default=PHASE, help="second folder below reports/")
    parser.add_argument("--reports", type=Path, help="instead of reports/")
    parser.add_argument("--py-threads", type=_positive, default=1, help="threads of the simulator")
    parser.add_argument("--time-limit", type=float, default=3600.0, help="seconds per program")
    parser.add_argument("--image", choices=("cpu", "cuda"), help="run in a container of that image")
    parser.add_argument("--gpus", action="store_true", help="with --image cuda: give the container the GPUs")
    parser.set_defaults(command=_n1)


def _n1(arguments: argparse.Namespace) -> int:
    """Run the experiments one after another; the exit status is that of the first that did not end well."""
    root = arguments.root.resolve()
    reports = (arguments.reports or root / "reports").absolute()
    if arguments.image or arguments.gpus:
        return _n1_in_container(arguments, root, reports)
    codes = []
    for chosen in _chosen_experiments(root, arguments.experiment):
        plan = n1.Plan(
            root=root,
            reports=reports / arguments.campaign / arguments.phase / "nb_compare",
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
        codes.append(outcome.exit_code)
    return next((code for code in codes if code), ExitCode.OK)


def _n1_in_container(arguments: argparse.Namespace, root: Path, reports: Path) -> int:
    """Run the experiments in a container, with the same options."""
    if not arguments.image:
        raise UsageError("--gpus: expected --image cuda beside it")
    if arguments.spec_bin or arguments.py_bin:
        raise UsageError("--spec-bin, --py-bin: not possible with --image, which brings these programs along")
    passed = [f"--experiment={name}" for name in arguments.experiment or ()]
    passed += [f"--campaign={arguments.campaign}", f"--phase={arguments.phase}"]
    passed += [f"--py-threads={arguments.py_threads}", f"--time-limit={arguments.time_limit}"]
    job = container.job(
        root,
        f"nbparity:{arguments.image}",
        tuple(passed),
        reports=reports,
        c_bin=arguments.c_bin,
        gpus=arguments.gpus,
    )
    return container.run(container.connect(), job, sys.stdout.buffer)


def _from_here(path: Path) -> Path:
    """Return a path below the working folder without it, any other as it is."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _chosen_experiments(root: Path, ids: list[str] | None) -> list[experiment.Experiment]:
    if ids:
        return [experiment.load(root, experiment_id) for experiment_id in ids]
    supervisor = experiment.load(root, "supervisor")
    if supervisor.inputs_present():
        return [experiment.load(root, "cro"), supervisor]
    print(f"supervisor: not run, its data are not in {supervisor.inputs_dir} (set NB_SUPERVISOR_DIR)")
    return [experiment.load(root, "cro")]


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
