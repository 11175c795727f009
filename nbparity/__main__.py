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
    artifact,
    bench,
    cases,
    cause_runs,
    causes,
    container,
    digest,
    experiment,
    golden,
    historical,
    historical_supervisor,
    layout,
    ledger,
    matrix,
    n1,
    n2,
    nb_compare,
    replay,
    signing,
    thresholds,
    trace_runs,
    trace_tables,
    verify,
)
from .errors import BlockedError, ExitCode, NotIntactError, ParityError, UsageError
from .outcome import Outcome
from .programs import Program, Programs, locate

ROOT = Path(__file__).resolve().parents[1]
CAMPAIGN, PHASE = "2025-10-cli-flags", "phase_l"
NO_DIGEST = "none, the run was blocked"
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
    for add in (
        _add_n1,
        _add_n2,
        _add_o1,
        _add_parity,
        _add_causes,
        _add_replay,
        _add_verify,
        _add_sign,
        _add_digest,
        _add_ledger,
        _add_artifact,
        _add_trace,
        _add_matrix,
        _add_golden,
        _add_historical,
        _add_bench,
    ):
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
    parser.add_argument("--image", choices=("cpu", "cuda"), help="run in a container of that image")
    parser.add_argument("--gpus", action="store_true", help="with --image cuda: give the container the GPUs")
    parser.set_defaults(command=_n1)


def _bundle_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--campaign", default=CAMPAIGN, help="first folder below reports/")
    parser.add_argument("--reports", type=Path, help="instead of reports/")
    parser.add_argument("--time-limit", type=float, default=3600.0, help="seconds per program")


def _thread_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--py-threads", type=_positive, default=1, help="threads of the simulator")


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
    print(f"  bundle: {_from_here(outcome.folder)}")
    print(f"  bundle digest: {digest.read(outcome.folder) or NO_DIGEST}", flush=True)
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


def _add_trace(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("trace", help="set the traces of one pixel side by side, and the phi steps")
    _common(parser)
    parser.add_argument("--experiment", help="id (default: cro)")
    parser.add_argument(
        "--pixel",
        type=int,
        nargs=2,
        metavar=("SLOW", "FAST"),
        help="default: the brightest pixel of the region of interest",
    )
    parser.add_argument("--bundle", type=Path, help="show the traces it holds instead of running programs")
    parser.set_defaults(command=_trace)


def _trace(arguments: argparse.Namespace) -> int:
    if arguments.bundle is not None:
        if arguments.experiment or arguments.pixel:
            raise UsageError("--bundle shows the pixel that was traced: expected no --experiment, no --pixel")
        run = _bundled_traces(arguments.bundle)
    else:
        root = arguments.root.resolve()
        chosen = experiment.load(root, arguments.experiment or "cro")
        pixel = (arguments.pixel[0], arguments.pixel[1]) if arguments.pixel else None
        run = trace_runs.trace_now(root, chosen, _programs(arguments), pixel)
    data = trace_tables.facts(run, thresholds.load().trace_max_relative)
    print(trace_tables.text(run, data), end="")
    return ExitCode.OK


def _bundled_traces(folder: Path) -> trace_runs.Run:
    try:
        return trace_runs.from_bundle(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{folder}: expected a bundle with traces: {type(error).__name__}: {error}"
        ) from None


def _add_verify(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("verify", help="check that bundles are complete, unchanged and true")
    parser.add_argument("bundles", type=Path, nargs="*", metavar="BUNDLE", help="default: all below reports/")
    parser.add_argument("--key", type=Path, help="public key that has to have signed, ed25519, PEM")
    parser.set_defaults(command=_verify)


def _verify(arguments: argparse.Namespace) -> int:
    bundles = arguments.bundles or artifact.finished(ROOT / "reports")
    complaints = {folder: verify.verify(folder, arguments.key) for folder in bundles}
    for folder, found in complaints.items():
        for complaint in found:
            print(f"{folder}: {complaint}")
        if not found:
            print(f"{folder}: complete, unchanged, every claim follows from its files")
            print(f"{folder}: {signing.check(folder, arguments.key).note}")
    return ExitCode.NOT_INTACT if any(complaints.values()) else ExitCode.OK


def _require_intact(bundle: Path) -> None:
    """Raise NotIntactError for a bundle that does not hold."""
    complaints = verify.verify(bundle)
    if complaints:
        raise NotIntactError(f"{bundle}: the bundle does not hold: {complaints[0]}")


def _add_replay(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("replay", help="run what a bundle ran, here and now, and compare")
    _common(parser)
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.add_argument("--inputs", type=Path, help="folder of the inputs (default: that of the experiment)")
    parser.add_argument(
        "--py-threads", type=_positive, help="threads of the simulator (default: as recorded)"
    )
    parser.add_argument("--keep", type=Path, help="keep the bundle of the replay below this folder")
    parser.set_defaults(command=_replay)


def _replay(arguments: argparse.Namespace) -> int:
    _require_intact(arguments.bundle)
    with tempfile.TemporaryDirectory(prefix="nbparity-replay-") as scratch:
        plan = replay.plan(
            arguments.bundle,
            root=arguments.root.resolve(),
            programs=_programs(arguments),
            reports=(arguments.keep or Path(scratch)).absolute(),
            threads=arguments.py_threads,
            inputs=arguments.inputs,
        )
        print(f"{arguments.bundle}: running {plan.experiment.id} again", flush=True)
        outcome = n1.parity_n1(plan)
        if outcome.exit_code is ExitCode.BLOCKED:
            raise BlockedError(outcome.reasons[-1])
        found = replay.compare_bundles(arguments.bundle, outcome.folder)
        if arguments.keep:
            print(f"bundle of the replay: {_from_here(found.folder)}")
    for part in found.parts:
        print(f"{part.name}: {'differs' if part.differences else 'the same'}")
        for difference in part.differences:
            print(f"  {difference}")
    differing = [part.name for part in found.parts if part.differences]
    if differing:
        print(f"not reproduced: {', '.join(differing)}")
        print(f"bundle digest: {found.found}, recorded {found.recorded}")
        return ExitCode.UNEXPLAINED
    print(f"reproduced: {len(found.parts)} of {len(found.parts)} parts")
    print(f"bundle digest: {found.recorded}")
    return ExitCode.OK


def _add_sign(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("sign", help="sign a bundle that holds with an ed25519 key")
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.add_argument("--key", type=Path, required=True, help="private key, PEM, PKCS #8")
    parser.set_defaults(command=_sign)


def _sign(arguments: argparse.Namespace) -> int:
    _require_intact(arguments.bundle)
    keyid = signing.sign(arguments.bundle, arguments.key)
    print(f"{arguments.bundle}: signed with key {keyid}: {layout.SIGNATURE}")
    return ExitCode.OK


def _add_digest(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("digest", help="print the digest of what can be reproduced of a bundle")
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.add_argument(
        "--parts", action="store_true", help="print the text that the digest is the SHA-256 of"
    )
    parser.set_defaults(command=_digest)


def _digest(arguments: argparse.Namespace) -> int:
    _require_intact(arguments.bundle)
    own = digest.read(arguments.bundle)
    if own is None:
        raise UsageError(f"{arguments.bundle}: the bundle of a blocked run has no digest")
    print(digest.read_text(arguments.bundle) if arguments.parts else own, end="" if arguments.parts else "\n")
    return ExitCode.OK


def _add_ledger(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("ledger", help=f"enter a bundle into {ledger.FIX_PLAN} and {ledger.PLAN}")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (default: this one)")
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.set_defaults(command=_ledger)


def _ledger(arguments: argparse.Namespace) -> int:
    entered = ledger.enter(arguments.root.resolve(), arguments.bundle)
    what = "appended" if entered.appended else "is there already"
    print(f"{ledger.FIX_PLAN}: attempt {entered.attempt} {what}")
    print(f"{ledger.PLAN}: {'stamped' if entered.stamped else 'left as it is'}")
    return ExitCode.OK


def _add_artifact(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("artifact", help="collect bundles in one folder, reports first")
    parser.add_argument("bundles", type=Path, nargs="*", metavar="BUNDLE")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (default: this one)")
    parser.add_argument(
        "--reports", type=Path, help="where to look for the newest bundles (default: reports/)"
    )
    parser.add_argument("--into", type=Path, help="folder to fill (default: build/artifact)")
    parser.set_defaults(command=_artifact)


def _artifact(arguments: argparse.Namespace) -> int:
    root = arguments.root.resolve()
    bundles = arguments.bundles or artifact.newest(arguments.reports or root / "reports")
    target = arguments.into or root / "build" / "artifact"
    for file in artifact.collect(bundles, target):
        print(file)
    return ExitCode.OK


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
