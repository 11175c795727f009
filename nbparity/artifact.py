"""``nbparity artifact``: the bundles of a run as one folder to hand on, the report of each first."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from . import layout
from .bundle import below
from .errors import BlockedError, NotWrittenError
from .hashing import files_below

FILE_LIST = "files.txt"
# What somebody opens first, in this order; a bundle of a blocked run may lack some.
FIRST = ("results/report.html", layout.ANALYSIS, layout.SUMMARY, layout.LEDGER)


def finished(reports: Path) -> list[Path]:
    """Return every finished bundle below a folder, in order; BlockedError if there is none."""
    bundles = below(reports)
    if not bundles:
        raise BlockedError(f"{reports}: no bundle below it, expected at least one: nox -s parity_n1")
    return bundles


def newest(reports: Path) -> list[Path]:
    """Return the newest bundle of each experiment below a folder, by name of the experiment.

    BlockedError if there is none.
    """
    found: dict[str, tuple[str, Path]] = {}
    for bundle in finished(reports):
        key, started = _experiment(bundle)
        found[key] = max(found.get(key, ("", bundle)), (started, bundle))
    return [found[key][1] for key in sorted(found)]


def file_list(bundles: Sequence[Path]) -> list[str]:
    """List what the artefact holds, each file as <experiment>/<file of the bundle>, reports first."""
    listed = []
    for name, bundle in _names(bundles).items():
        files = files_below(bundle)
        ordered = [file for file in FIRST if file in files]
        ordered += [file for file in files if file not in FIRST]
        listed.append([f"{name}/{file}" for file in ordered])
    return [files[0] for files in listed] + [file for files in listed for file in files[1:]]


def collect(bundles: Sequence[Path], target: Path) -> list[str]:
    """Copy bundles into a folder of their own, with the list of files; whatever was in it is gone.

    The bundles are copied as they are, also those that do not verify: a failed run is what one wants to see.
    """
    files = file_list(bundles)
    folders = _names(bundles)
    try:
        shutil.rmtree(target, ignore_errors=True)
        for file in files:
            name, _, inner = file.partition("/")
            path = target / file
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folders[name] / inner, path)
        (target / FILE_LIST).write_text("".join(f"{file}\n" for file in files), encoding="utf-8")
    except OSError as error:
        raise NotWrittenError(f"{error.filename or target}: {error.strerror}") from None
    return files


def _names(bundles: Sequence[Path]) -> dict[str, Path]:
    """Give each bundle the name of its experiment, with its own name where two are of one experiment."""
    ids = [_experiment(bundle)[0] for bundle in bundles]
    return {
        one if ids.count(one) == 1 else f"{one}-{bundle.resolve().name}": bundle
        for one, bundle in zip(ids, bundles, strict=True)
    }


def _experiment(bundle: Path) -> tuple[str, str]:
    """Return experiment and start of a bundle; its own name and nothing if it does not say."""
    try:
        run = json.loads((bundle / layout.RUN).read_text(encoding="utf-8"))
        return str(run["experiment"]["id"]), str(run["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return bundle.resolve().name, ""
