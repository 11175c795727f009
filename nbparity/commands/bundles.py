"""The commands about finished bundles: verify, replay, sign, digest, ledger, artifact, trace."""

import argparse
import sys
import tempfile
from pathlib import Path

from .. import (
    artifact,
    campaign,
    container,
    digest,
    experiment,
    layout,
    ledger,
    n1,
    n2_record,
    replay,
    signing,
    thresholds,
    trace_runs,
    trace_tables,
    verify,
)
from ..bundle import below
from ..errors import BlockedError, ExitCode, NotIntactError, UsageError
from ..nb_compare import from_here
from .options import ROOT, Commands, common, positive, programs_of


def add_verify(commands: Commands) -> None:
    """Offer the command ``verify``."""
    parser = commands.add_parser(
        "verify", help="check that bundles, and what n2 wrote, are complete, unchanged and true"
    )
    parser.add_argument("bundles", type=Path, nargs="*", metavar="FOLDER", help="default: all below reports/")
    parser.add_argument(
        "--key", type=Path, help="public key that has to have signed, ed25519, PEM; bundles only"
    )
    parser.set_defaults(command=_verify)


def _verify(arguments: argparse.Namespace) -> int:
    complaints = {
        folder: _complaints(folder, arguments.key)
        for folder in arguments.bundles or _all_below(ROOT / "reports", with_records=not arguments.key)
    }
    for folder, found in complaints.items():
        for complaint in found:
            print(f"{folder}: {complaint}")
        if not found:
            print(f"{folder}: complete, unchanged, every claim follows from its files")
            if not n2_record.is_record(folder):
                print(f"{folder}: {signing.check(folder, arguments.key).note}")
    return ExitCode.NOT_INTACT if any(complaints.values()) else ExitCode.OK


def _all_below(reports: Path, *, with_records: bool) -> list[Path]:
    """Return every finished bundle, and every record of ``nbparity n2`` if wanted: nobody signs one."""
    records = below(reports, n2_record.MARKS) if with_records else []
    return [*artifact.finished(reports), *records]


def _complaints(folder: Path, key: Path | None) -> list[str]:
    if not n2_record.is_record(folder):
        return verify.verify(folder, key)
    if key is not None:
        raise UsageError(f"--key: {folder} is a record of nbparity n2, which nobody signs, expected bundles")
    return verify.verify_record(folder)


def _require_intact(bundle: Path) -> None:
    """Raise NotIntactError for a bundle that does not hold."""
    complaints = verify.verify(bundle)
    if complaints:
        raise NotIntactError(f"{bundle}: the bundle does not hold: {complaints[0]}")


def add_replay(commands: Commands) -> None:
    """Offer the command ``replay``."""
    parser = commands.add_parser("replay", help="run what a bundle ran, here and now, and compare")
    common(parser)
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.add_argument("--inputs", type=Path, help="folder of the inputs (default: that of the experiment)")
    parser.add_argument("--py-threads", type=positive, help="threads of the simulator (default: as recorded)")
    parser.add_argument("--keep", type=Path, help="keep the bundle of the replay below this folder")
    parser.set_defaults(command=_replay)


def _replay(arguments: argparse.Namespace) -> int:
    _require_intact(arguments.bundle)
    with tempfile.TemporaryDirectory(prefix="nbparity-replay-") as scratch:
        reports = (arguments.keep or Path(scratch)).absolute()
        image = replay.other_image(arguments.bundle)
        if image is None:
            folder = _replay_here(arguments, reports)
        else:
            folder = _replay_in_image(arguments, reports, image)
        found = replay.compare_bundles(arguments.bundle, folder)
        if arguments.keep:
            print(f"bundle of the replay: {from_here(found.folder)}")
    for part in found.parts:
        print(f"{part.name}: {'differs' if part.differences else 'the same'}")
        for difference in part.differences:
            print(f"  {difference}")
    if not found.reproduced:
        print(f"not reproduced: {', '.join(part.name for part in found.parts if part.differences)}")
        print(f"bundle digest: {found.found}, recorded {found.recorded}")
        return ExitCode.UNEXPLAINED
    print(f"reproduced: {len(found.parts)} of {len(found.parts)} parts")
    print(f"bundle digest: {found.recorded}")
    return ExitCode.OK


def _replay_here(arguments: argparse.Namespace, reports: Path) -> Path:
    """Run what a bundle ran with the programs of this checkout; return the new bundle."""
    plan = replay.plan(
        arguments.bundle,
        root=arguments.root.resolve(),
        programs=programs_of(arguments),
        reports=reports,
        threads=arguments.py_threads,
        inputs=arguments.inputs,
    )
    print(f"{arguments.bundle}: running {plan.experiment.id} again", flush=True)
    outcome = n1.parity_n1(plan)
    if outcome.exit_code is ExitCode.BLOCKED:
        raise BlockedError(outcome.reasons[-1])
    return outcome.folder


def _replay_in_image(arguments: argparse.Namespace, reports: Path, image: str) -> Path:
    """Run what a bundle ran in a container of the image it names; return the new bundle."""
    if arguments.spec_bin or arguments.py_bin or arguments.inputs:
        raise UsageError(
            "--spec-bin, --py-bin, --inputs: not possible for a bundle of an image, which brings these along"
        )
    client = container.connect()
    job = container.job(
        arguments.root.resolve(),
        container.tag_of(client, image),
        replay.arguments_in_image(arguments.bundle, arguments.py_threads),
        reports=reports,
        c_bin=arguments.c_bin,
        gpus=False,
    )
    print(f"{arguments.bundle}: running it again in {job.tag}", flush=True)
    before = below(reports)
    container.run(client, job, sys.stdout.buffer)
    made = [folder for folder in below(reports) if folder not in before]
    if len(made) != 1:
        raise BlockedError(f"the container left {len(made)} bundles, expected 1: its output says why")
    return made[0]


def add_sign(commands: Commands) -> None:
    """Offer the command ``sign``."""
    parser = commands.add_parser("sign", help="sign a bundle that holds with an ed25519 key")
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.add_argument("--key", type=Path, required=True, help="private key, PEM, PKCS #8")
    parser.set_defaults(command=_sign)


def _sign(arguments: argparse.Namespace) -> int:
    _require_intact(arguments.bundle)
    keyid = signing.sign(arguments.bundle, arguments.key)
    print(f"{arguments.bundle}: signed with key {keyid}: {layout.SIGNATURE}")
    return ExitCode.OK


def add_digest(commands: Commands) -> None:
    """Offer the command ``digest``."""
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


def add_ledger(commands: Commands) -> None:
    """Offer the command ``ledger``."""
    parser = commands.add_parser("ledger", help="enter a bundle into the ledger and the plan of the campaign")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (default: this one)")
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.set_defaults(command=_ledger)


def _ledger(arguments: argparse.Namespace) -> int:
    entered = ledger.enter(arguments.root.resolve(), arguments.bundle)
    what = "appended" if entered.appended else "is there already"
    names = campaign.ledger()
    print(f"{names.entries}: attempt {entered.attempt} {what}")
    note = f": {entered.note}" if entered.note else ""
    print(f"{names.plan}: {'stamped' if entered.stamped else 'left as it is'}{note}")
    return ExitCode.OK


def add_artifact(commands: Commands) -> None:
    """Offer the command ``artifact``."""
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


def add_trace(commands: Commands) -> None:
    """Offer the command ``trace``."""
    parser = commands.add_parser("trace", help="set the traces of one pixel side by side, and the phi steps")
    common(parser)
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
        run = trace_runs.trace_now(root, chosen, programs_of(arguments), pixel)
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
