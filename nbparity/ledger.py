"""``nbparity ledger BUNDLE``: enter a run into the ledger, and into the plan that waits for it.

Where both are, and which decision it is, says ``campaign.toml``.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import atomic, campaign, layout, locks, outcome
from .bundle import stamp as now
from .errors import ExitCode, NotIntactError, UsageError
from .hashing import sha256_of_file
from .verify import verify

ATTEMPT = re.compile(r"^## Attempt (\d+): ", re.MULTILINE)
STAMP = re.compile(r"\d{8}T\d{6}Z")


@dataclass(frozen=True, kw_only=True)
class Entered:
    """The number of an attempt, whether each file changed, and what there is to say of the decision."""

    attempt: int
    appended: bool
    stamped: bool
    note: str = ""


def enter(root: Path, bundle: Path) -> Entered:
    """Append the entry of a bundle, unless it is there, and stamp the decision with the latest run.

    Raises NotIntactError for a bundle that does not verify, UsageError for a ledger or plan that is not of
    its format, NotWrittenError if one cannot be written. Both files are changed in one step each, the ledger
    first; what an interrupted call left undone the next one does.
    """
    complaints = verify(bundle)
    if complaints:
        raise NotIntactError(f"{bundle}: not entered, the bundle does not hold: {complaints[0]}")
    names = campaign.ledger()
    with locks.exclusive((root / names.entries).parent):
        attempt, appended = _append(root / names.entries, root, bundle)
        stamped, note = _stamp(root / names.plan, names, bundle, attempt)
    # entered again it has nothing to decide, and all that was said the first time
    return Entered(attempt=attempt, appended=appended, stamped=stamped, note=note if appended else "")


def _append(path: Path, root: Path, bundle: Path) -> tuple[int, bool]:
    """Return the number of the attempt and whether it is a new one."""
    text = _read(path)
    # Every run has its own hash list, since the times in it differ; a copy of a bundle has the same one.
    identity = sha256_of_file(bundle / layout.HASHES)
    numbers = [int(match[1]) for match in ATTEMPT.finditer(text)]
    if identity in text:
        before = text[: text.index(identity)]
        return int(ATTEMPT.findall(before)[-1]), False
    attempt = max(numbers, default=0) + 1
    run = json.loads((bundle / layout.RUN).read_text(encoding="utf-8"))
    ended = outcome.read(bundle)
    entry = (bundle / layout.LEDGER).read_text(encoding="utf-8")
    head = f"## Attempt {attempt}: {run['stamp']}, {run['experiment']['id']}, {ended.verdict}\n\n"
    where = f"- bundle: {_place(root, bundle)}; SHA-256 of its hash list: {identity}\n"
    atomic.write(path, f"{text.rstrip()}\n\n{head}{where}{entry}")
    return attempt, True


def _place(root: Path, bundle: Path) -> str:
    """Name the bundle's folder from the root of the checkout, or by its last name if it is elsewhere."""
    folder, top = bundle.resolve(), root.resolve()
    return folder.relative_to(top).as_posix() if folder.is_relative_to(top) else folder.name


def _stamp(path: Path, names: campaign.Ledger, bundle: Path, attempt: int) -> tuple[bool, str]:
    """Write the decision that follows from the bundle, unless a later run has decided.

    Tell whether it changed, and in words why not, or why no later run will change it.
    """
    text = _read(path)
    row = re.compile(rf"^- {re.escape(names.decision)}: \[([^\]\n]*)\].*$", re.MULTILINE)
    rows = row.findall(text)
    if len(rows) != 1:
        raise UsageError(f"{path}: found {len(rows)} lines '- {names.decision}: [...]', expected one")
    run = json.loads((bundle / layout.RUN).read_text(encoding="utf-8"))
    decided = STAMP.search(rows[0])
    if decided and decided[0] >= run["stamp"]:
        return False, _why_left(decided[0], run["stamp"])
    decision = f"- {names.decision}: {_decision(outcome.read(bundle), run, names, attempt)}"
    atomic.write(path, row.sub(lambda _: decision, text))
    return True, _early(run["stamp"])


def _why_left(decided: str, stamp: str) -> str:
    """Say that a later run has decided; nothing if it was this one."""
    if decided == stamp:
        return ""
    return "; ".join(
        filter(None, (f"a run of {decided} has decided, this one is of {stamp}", _early(decided)))
    )


def _early(stamp: str) -> str:
    """Warn of a stamp that the clock has not reached; stamps are compared as text, in the order of time."""
    if stamp <= now():
        return ""
    return f"{stamp} is in the future: no run before it decides until the row is put right by hand"


def _decision(ended: outcome.Outcome, run: dict[str, Any], names: campaign.Ledger, attempt: int) -> str:
    """Write the state of the decision and why: only a run of ours that ended well closes it.

    The decision is about any program in the place of c, but about our two others.
    """
    stamp = run["stamp"]
    source = f"experiment {run['experiment']['id']}, attempt {attempt} in {names.entries}"
    given = [name for name in ("c_spec", "py") if run["programs"][name]["replaced"]]
    if ended.exit_code is ExitCode.OK and given:
        reason = f"verdict {ended.verdict} with programs given by the user in place of {', '.join(given)}"
        return f"[open {stamp}] {reason} ({source})"
    if ended.exit_code is ExitCode.OK:
        reason = f"verdict {ended.verdict}, {ended.reasons[0]}: {names.because}"
        return f"[{names.closed} {stamp}] {reason} ({source})"
    reasons = "; ".join(ended.reasons)
    return f"[open {stamp}] verdict {ended.verdict}: {reasons} ({source})"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
