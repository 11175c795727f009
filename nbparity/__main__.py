"""Command line of the harness; the only place that prints errors and exits."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from . import bench, experiment, golden, golden_supervisor, n1, thresholds, verify
from .errors import BlockedError, ExitCode, ParityError
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
    for add in (_add_n1, _add_verify, _add_golden, _add_bench):
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


def _add_n1(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("n1", help="run an experiment with all programs, write a bundle")
    _common(parser)
    parser.add_argument("--experiment", action="append", help="id; default: cro, and supervisor if it can")
    parser.add_argument("--campaign", default=CAMPAIGN, help="first folder below reports/")
    parser.add_argument("--phase", default=PHASE, help="second folder below reports/")
    parser.add_argument("--reports", type=Path, help="instead of reports/")
    parser.add_argument("--py-threads", type=_positive, default=1, help="threads of the simulator")
    parser.add_argument("--time-limit", type=float, default=3600.0, help="seconds per program")
    parser.set_defaults(command=_n1)


def _n1(arguments: argparse.Namespace) -> int:
    """Run the experiments one after another; the exit status is that of the first that did not end well."""
    root = arguments.root.resolve()
    reports = (arguments.reports or root / "reports").absolute()
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
    parser = commands.add_parser("golden", help="run the programs on the golden cases (data: $NB_GOLDEN_DIR)")
    _common(parser)
    parser.add_argument("--area", action="append", default=[], help="only cases of this area")
    parser.add_argument("--case", action="append", default=[], help="only this case")
    parser.add_argument("--program", action="append", choices=["c", "c_spec", "py"], help="only this program")
    parser.add_argument("--supervisor", action="store_true", help="also the real-data region and full frame")
    parser.add_argument("--jobs", type=_positive, default=2, help="processes at a time")
    parser.set_defaults(command=_golden)


def _golden(arguments: argparse.Namespace) -> int:
    folder = golden.data_folder(arguments.root)
    limits = thresholds.load()
    cases = golden.load_cases(folder, arguments.area, arguments.case)
    programs = [p for p in _programs(arguments).all() if not arguments.program or p.name in arguments.program]
    with tempfile.TemporaryDirectory(prefix="nbparity-golden-") as logs:
        results = golden.run_cases(arguments.root, cases, programs, arguments.jobs, Path(logs))
        if arguments.supervisor:
            results += golden_supervisor.run_supervisor(arguments.root, folder, programs, Path(logs))
    print(golden.table(results, programs))
    print(golden.counts(results, programs, limits), end="")
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
