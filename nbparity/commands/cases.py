"""The commands that run many cases, or one for its time: matrix, golden, historical, bench."""

import argparse
import tempfile
import time
from pathlib import Path

from .. import bench, cases, experiment, golden, historical, historical_supervisor, matrix, thresholds
from ..errors import ExitCode, UsageError
from ..nb_compare import from_here
from ..programs import Program
from .options import Commands, common, cores, positive, programs_of


def add_matrix(commands: Commands) -> None:
    """Offer the command ``matrix``."""
    parser = commands.add_parser("matrix", help="run the cases of the golden suite with all programs")
    common(parser)
    parser.add_argument("--case", action="append", help="only this case, by its id")
    parser.add_argument("--jobs", type=positive, default=cores(), help="cases at a time")
    parser.add_argument("--reports", type=Path, help="instead of reports/")
    parser.set_defaults(command=_matrix)


def _matrix(arguments: argparse.Namespace) -> int:
    root = arguments.root.resolve()
    chosen, limits = cases.load(root, arguments.case), thresholds.load()
    started = time.monotonic()
    results = matrix.run_matrix(root, chosen, programs_of(arguments), limits, arguments.jobs)
    seconds = time.monotonic() - started
    reports = (arguments.reports or root / "reports").absolute()
    folder = matrix.write_report(reports / "parity_matrix", results, seconds)
    for result in results:
        for problem in result.problems:
            print(f"{result.case.id}: {problem}")
    print(matrix.summary(results, seconds), end="")
    print(f"table: {from_here(folder / 'matrix.md')}")
    return ExitCode.OK if all(result.passed for result in results) else ExitCode.UNEXPLAINED


def add_golden(commands: Commands) -> None:
    """Offer the command ``golden``."""
    parser = commands.add_parser("golden", help="check the golden suite, or write it")
    common(parser)
    parser.add_argument("--case", action="append", help="only this case, by its id")
    parser.add_argument("--program", action="append", choices=["c_spec", "py"], help="only this program")
    parser.add_argument("--write", action="store_true", help="replace the stored suite by what c_spec makes")
    parser.add_argument("--jobs", type=positive, default=cores(), help="processes at a time")
    parser.set_defaults(command=_golden)


def _golden(arguments: argparse.Namespace) -> int:
    root, programs = arguments.root.resolve(), programs_of(arguments)
    if arguments.write:
        if arguments.case or arguments.program:
            raise UsageError("--write makes the whole suite with c_spec: expected no --case and no --program")
        count = golden.write(root, cases.load(root), programs.c_spec, arguments.jobs)
        print(f"{count} cases written below {from_here(root / cases.FOLDER)}")
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


def add_historical(commands: Commands) -> None:
    """Offer the command ``historical``."""
    parser = commands.add_parser(
        "historical", help="compare with stored output of the historical program (data: $NB_GOLDEN_DIR)"
    )
    common(parser)
    parser.add_argument("--area", action="append", default=[], help="only cases of this area")
    parser.add_argument("--case", action="append", default=[], help="only this case")
    parser.add_argument("--program", action="append", choices=["c", "c_spec", "py"], help="only this program")
    parser.add_argument("--supervisor", action="store_true", help="also the real-data region and full frame")
    parser.add_argument("--jobs", type=positive, default=cores(), help="processes at a time")
    parser.set_defaults(command=_historical)


def _historical(arguments: argparse.Namespace) -> int:
    folder = historical.data_folder(arguments.root)
    limits = thresholds.load()
    chosen = historical.load_cases(folder, arguments.area, arguments.case)
    programs = [
        p for p in programs_of(arguments).all() if not arguments.program or p.name in arguments.program
    ]
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


def add_bench(commands: Commands) -> None:
    """Offer the command ``bench``."""
    parser = commands.add_parser("bench", help="render time of the full frame, simulator against C")
    common(parser)
    parser.add_argument("--experiment", default="cro")
    parser.add_argument("--threads", type=positive, action="append", help="default: 1 and 2")
    parser.add_argument("--repeats", type=positive, default=5)
    parser.add_argument("--write", action="store_true", help="enter the figures into docs/benchmark.toml")
    parser.set_defaults(command=_bench)


def _bench(arguments: argparse.Namespace) -> int:
    programs = programs_of(arguments)
    pair: tuple[Program, Program] = (programs.c_spec, programs.py)
    chosen = experiment.load(arguments.root.resolve(), arguments.experiment)
    timings = bench.bench(
        arguments.root.resolve(), chosen, pair, tuple(arguments.threads or (1, 2)), arguments.repeats
    )
    print(bench.table(timings), end="")
    if arguments.write:
        bench.write(arguments.root.resolve() / "docs" / "benchmark.toml", timings, chosen.id)
    return ExitCode.OK
