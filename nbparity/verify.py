"""``nbparity verify FOLDER``: whether a bundle, or what ``n2`` wrote, is complete, unchanged and true."""

import json
from pathlib import Path
from typing import Any

from . import (
    analysis,
    causes,
    layout,
    ledger_entry,
    n2_record,
    provenance,
    report,
    side_by_side,
    signing,
    statements,
    summary,
    thresholds,
)
from .ablation import CAUSE
from .bundle import input_lists
from .errors import NotIntactError, ParityError, UsageError
from .hashing import differences, parse_sha256_list

ROOT = Path(__file__).resolve().parents[1]
"""The checkout whose table of causes a bundle is measured by."""


def verify(bundle: Path, public_key_file: Path | None = None) -> list[str]:
    """Return every complaint about a bundle, each naming the file; an empty list means that it holds.

    A signature that does not fit is a complaint, with or without a key; none, or that of another key, is one
    if a key is given. BlockedError if a package is missing with which report, provenance or signature are
    derived again; UsageError: :func:`signing.check`, or a checkout without its known causes.
    """
    report.check_packages()
    if not bundle.is_dir():
        return [f"{bundle}: not a folder"]
    if bundle.resolve().name.startswith(layout.UNFINISHED):
        return [f"{bundle}: unfinished, a run is building it or was killed"]
    other = _format_complaints(bundle, layout.RUN, layout.FORMAT)
    if other:
        return other
    found = [
        *_hash_complaints(bundle, layout.HASHES),
        *_missing_parts(bundle),
        *_fact_complaints(bundle),
        *_statement_complaints(bundle),
        *_claim_complaints(bundle),
        *_cause_complaints(bundle),
        *signing.check(bundle, public_key_file).complaints,
    ]
    # Drawing the pictures takes longest, and where a file is not what it was they differ in any case.
    return found or _report_complaints(bundle)


def verify_record(folder: Path) -> list[str]:
    """Return every complaint about what ``n2`` wrote, each naming the file; none means that it holds.

    UsageError if a package is missing with which it is derived again.
    """
    if folder.resolve().name.startswith(layout.UNFINISHED):
        return [f"{folder}: unfinished, a run is building it or was killed"]
    other = _format_complaints(folder, n2_record.CHECKS, n2_record.FORMAT)
    if other:
        return other
    side_by_side.require_packages()
    missing = [
        f"incomplete: {name} is not there" for name in n2_record.PARTS if not (folder / name).is_file()
    ]
    return [*_hash_complaints(folder, n2_record.HASHES), *missing, *_record_complaints(folder)]


def _record_complaints(folder: Path) -> list[str]:
    """Derive from the raw files of a record again what follows from them, and compare the texts."""
    limits = thresholds.load_nb_compare()
    measures = n2_record.Measures(thresholds=thresholds.load(), limits=limits)
    try:
        name = str(json.loads((folder / n2_record.CHECKS).read_text(encoding="utf-8"))["bundle"])
        raw = n2_record.raw_hashes(folder)
        checks = n2_record.checks(folder, raw, n2_record.results(folder, limits), measures)
        derived = n2_record.texts(folder, raw, name, checks)
        found = n2_record.statement_complaints(folder, raw)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ParityError) as error:
        return [f"the claims cannot be derived from the raw files: {type(error).__name__}: {error}"]
    return found + [
        complaint
        for file, text in derived.items()
        for complaint in _text_complaints(folder / file, file, text)
    ]


def _format_complaints(folder: Path, name: str, expected: int) -> list[str]:
    """Name the format of a folder if it is another one, since nothing else can be said of it then."""
    try:
        found = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []  # complained about as missing, or as claims that cannot be derived
    stated = found.get("format") if isinstance(found, dict) else expected
    if type(stated) is int and stated == expected:
        return []
    return [
        f"{name}: format {stated!r}, expected {expected}: the version of nbparity that made it can verify it"
    ]


def _hash_complaints(folder: Path, list_name: str) -> list[str]:
    """Compare the files of a folder with the list of their hashes."""
    try:
        listed = parse_sha256_list((folder / list_name).read_bytes().decode("utf-8"), list_name)
    except FileNotFoundError:
        return [f"missing: {list_name}"]
    except (NotIntactError, UnicodeDecodeError, OSError) as error:
        return [f"changed: {error}"]
    return differences(folder, listed, ignore=frozenset({list_name}) | layout.ADDED_LATER)


def _missing_parts(bundle: Path) -> list[str]:
    """Name the files that a bundle of its status has to hold, listed or not."""
    try:
        status = json.loads((bundle / layout.RUN).read_text(encoding="utf-8"))["status"]
    except (OSError, ValueError, KeyError, TypeError):
        status = "unknown"
    needed = list(layout.COMPLETE if status == "complete" else layout.ALWAYS)
    if status == "complete":
        needed += [layout.command_log(name) for name in layout.IMAGES]
    return [f"incomplete: {name} is not there" for name in needed if not (bundle / name).is_file()]


def _fact_complaints(bundle: Path) -> list[str]:
    """Name facts that no run writes: a status that does not fit, or limits that are not those of today."""
    try:
        run = json.loads((bundle / layout.RUN).read_text(encoding="utf-8"))
        status, blocked, judged_by = run["status"], run["blocked"], dict(run["thresholds"])
    except (OSError, ValueError, KeyError, TypeError):
        return []  # complained about as claims that cannot be derived
    expected = "complete" if blocked is None else "blocked"
    found = []
    if status != expected:
        found.append(f"untrue: {layout.RUN}: status {status!r}, expected {expected!r}")
    limits = thresholds.load().as_dict()
    return found + [
        f"untrue: {layout.RUN}: judged by {name} = {value!r}, {thresholds.FILE.name} has {limits.get(name)!r}"
        for name, value in judged_by.items()
        if name not in thresholds.NOT_JUDGING and value != limits.get(name)
    ]


def _statement_complaints(bundle: Path) -> list[str]:
    """Name what run.json and commands.txt state and what does not follow from the rest of the bundle."""
    known = causes.load(ROOT)
    try:
        return statements.complaints(bundle, known)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
        return [f"the statements cannot be derived from the files: {type(error).__name__}: {error}"]


def _claim_complaints(bundle: Path) -> list[str]:
    """Derive from the raw files again what follows from them, and compare the texts."""
    try:
        data = summary.derive(bundle)
        lists = input_lists(bundle).items()
        return [
            *(complaint for name, text in lists for complaint in _text_complaints(bundle / name, name, text)),
            *_text_complaints(bundle / layout.SUMMARY, layout.SUMMARY, summary.as_text(data)),
            *_text_complaints(bundle / layout.LEDGER, layout.LEDGER, ledger_entry.text(bundle, data)),
            *_text_complaints(bundle / layout.ANALYSIS, layout.ANALYSIS, analysis.text(bundle, data)),
            *_text_complaints(bundle / layout.PROVENANCE, layout.PROVENANCE, provenance.text(bundle)),
        ]
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        return [f"the claims cannot be derived from the raw files: {type(error).__name__}: {error}"]


def _report_complaints(bundle: Path) -> list[str]:
    """Make the report again: its words have to be the same, its pictures the same pixels."""
    claimed = (bundle / layout.REPORT).read_bytes()
    derived = report.html(bundle, summary.derive(bundle))
    if claimed == derived.encode("utf-8"):
        return []
    words = report.without_pictures(derived)
    told = report.without_pictures(claimed.decode("utf-8", errors="replace"))
    return _first_untrue(told.encode("utf-8"), layout.REPORT, words) or report.picture_complaints(
        claimed.decode("utf-8"), derived
    )


def _cause_complaints(bundle: Path) -> list[str]:
    """Name each cause that a text names although no experiment that switches it off was run here."""
    try:
        run = json.loads((bundle / layout.RUN).read_text(encoding="utf-8"))
        ids = {CAUSE, *(cause["id"] for cause in run["causes"])}
        unproved = {cause for cause in ids if not _experiment_ran(bundle, run, cause)}
    except (OSError, ValueError, KeyError, TypeError):
        return []  # complained about as claims that cannot be derived
    complaints = []
    for name in layout.TEXTS:
        path = bundle / name
        text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        complaints += [
            f"unproved: {name} names {cause}, and no experiment that switches it off was run"
            for cause in sorted(unproved)
            if cause in text
        ]
    return complaints


def _experiment_ran(bundle: Path, run: Any, cause: str) -> bool:
    """Tell whether both programs ran with a cause switched off; in a blocked bundle, whether one did."""
    labels = {row.label for row in layout.read_commands(bundle)}
    if run["status"] != "complete":
        return any(label.endswith(layout.ablated_label("", cause)) for label in labels)
    pairs = [
        (experiment["x"], experiment["r"])
        for known in run["causes"]
        if known["id"] == cause
        for experiment in known["experiments"]
    ]
    return any(
        all(
            layout.ablated_label(name, cause) in labels
            and (bundle / layout.ablated_roi(name, cause)).is_file()
            for name in pair
        )
        for pair in pairs
    )


def _text_complaints(path: Path, name: str, derived: str) -> list[str]:
    """Name the first line of a file that is not what the raw files give."""
    try:
        claimed = path.read_bytes()
    except OSError:
        return []  # named as missing already
    return _first_untrue(claimed, name, derived)


def _first_untrue(claimed: bytes, name: str, derived: str) -> list[str]:
    """Name the first line of a text that is not the derived one."""
    if claimed == derived.encode("utf-8"):
        return []
    claims, facts = claimed.decode("utf-8", errors="replace").splitlines(), derived.splitlines()
    for number, (claim, fact) in enumerate(zip(claims, facts, strict=False), start=1):
        if claim != fact:
            return [f"untrue: {name}:{number} says {claim.strip()!r}, the files say {fact.strip()!r}"]
    return [f"untrue: {name} has {len(claims)} lines, the files give {len(facts)}"]
