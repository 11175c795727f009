"""``nbparity ledger BUNDLE``: enter a run into ``docs/fix_plan.md``, and into the plan that waits for it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import atomic, layout, locks, outcome
from .digest import LEDGER_FILES
from .errors import ExitCode, NotIntactError, UsageError
from .hashing import sha256_of_file
from .verify import verify

FIX_PLAN, PLAN = map(Path, LEDGER_FILES)
DECISION = "Phase M6, carry-over shim"
ROW = re.compile(rf"^- {re.escape(DECISION)}: \[([^\]\n]*)\].*$", re.MULTILINE)
ATTEMPT = re.compile(r"^## Attempt (\d+): ", re.MULTILINE)
STAMP = re.compile(r"\d{8}T\d{6}Z")


@dataclass(frozen=True, kw_only=True)
class Entered:
    """The number of an attempt, and whether each file changed."""

    attempt: int
    appended: bool
    stamped: bool


def enter(root: Path, bundle: Path) -> Entered:
    """Append the entry of a bundle, unless it is there, and stamp the decision with the latest run.

    Raises NotIntactError for a bundle that does not verify, UsageError for a ledger or plan that is not of
    its format, NotWrittenError if one cannot be written. Both files are changed in one step each, the ledger
    first; what an interrupted call left undone the next one does.
    """
    complaints = verify(bundle)
    if complaints:
        raise NotIntactError(f"{bundle}: not entered, the bundle does not hold: {complaints[0]}")
    with locks.exclusive(root / FIX_PLAN.parent):
        attempt, appended = _append(root, bundle)
        return Entered(attempt=attempt, appended=appended, stamped=_stamp(root, bundle, attempt))


def _append(root: Path, bundle: Path) -> tuple[int, bool]:
    """Return the number of the attempt and whether it is a new one."""
    path = root / FIX_PLAN
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


def _stamp(root: Path, bundle: Path, attempt: int) -> bool:
    """Write the decision that follows from the bundle, unless a later run has decided; tell if it changed."""
    path = root / PLAN
    text = _read(path)
    rows = ROW.findall(text)
    if len(rows) != 1:
        raise UsageError(f"{path}: found {len(rows)} lines '- {DECISION}: [...]', expected one")
    run = json.loads((bundle / layout.RUN).read_text(encoding="utf-8"))
    earlier = STAMP.search(rows[0])
    if earlier and earlier[0] >= run["stamp"]:
        return False
    row = _row(outcome.read(bundle), run, attempt)
    atomic.write(path, ROW.sub(lambda _: row, text))
    return True


def _row(ended: outcome.Outcome, run: dict[str, Any], attempt: int) -> str:
    """Write the decision: only a run of ours that ended well shows that nothing has to be carried over.

    The decision is about any historical program, the user's own included, but about our two others.
    """
    stamp = run["stamp"]
    source = f"experiment {run['experiment']['id']}, attempt {attempt} in {FIX_PLAN.as_posix()}"
    given = [name for name in ("c_spec", "py") if run["programs"][name]["replaced"]]
    if ended.exit_code is ExitCode.OK and given:
        reason = f"verdict {ended.verdict} with programs given by the user in place of {', '.join(given)}"
        return f"- {DECISION}: [open {stamp}] {reason} ({source})"
    if ended.exit_code is ExitCode.OK:
        reason = f"verdict {ended.verdict}, {ended.reasons[0]}: the simulator needs no carry-over to agree"
        return f"- {DECISION}: [N/A - skipped {stamp}] {reason} ({source})"
    reasons = "; ".join(ended.reasons)
    return f"- {DECISION}: [open {stamp}] verdict {ended.verdict}: {reasons} ({source})"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
