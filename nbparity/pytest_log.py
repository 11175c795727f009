"""How the tests of a bundle ended: passed, failed and skipped are counted as what they are."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from . import layout

Data = dict[str, Any]
END = re.compile(r"^=+ (.*\b(?:passed|failed|error|errors|skipped|no tests ran)\b.*?) in [0-9.]+s.*=+$")
COUNT = re.compile(r"(\d+) ([a-z]+)")
# Of the short summary that -rs asks for: how many tests, where, and why.
SKIP = re.compile(r"^SKIPPED \[(\d+)\] (?:.*?:\d+: )?(.*)$")


def read(rows: Sequence[layout.CommandRow], log: str) -> Data:
    """Return the counts of a log of pytest, why tests were skipped, and how it ended.

    Args: ``rows`` of ``commands.txt``, with the exit status of pytest; ``log``, what it printed.
    ``failed`` is true where a test failed, where none passed, and where pytest did not run.
    """
    row = next((row for row in rows if row.label == "pytest"), None)
    if row is None:
        return {"failed": True, "status": "not run", "counts": {}, "skips": []}
    lines = log.splitlines()
    ends = [match[1] for match in map(END.match, lines) if match]
    counts = {word: int(count) for count, word in COUNT.findall(ends[-1] if ends else "")}
    why = Counter[str]()
    for match in filter(None, map(SKIP.match, lines)):
        why[match[2]] += int(match[1])
    skips = [{"count": count, "why": reason} for reason, count in why.items()]
    if row.status != 0:
        status = f"failed with exit status {row.status}"
    elif not counts.get("passed"):
        status = "none passed"
    elif counts.get("skipped"):
        status = "passed in part"
    else:
        status = "passed"
    failed = row.status != 0 or not counts.get("passed")
    return {"failed": failed, "status": status, "counts": counts, "skips": skips}


def words(tests: Data) -> str:
    """Write how the tests ended in one line, without the reasons of those that were skipped."""
    counts = ", ".join(f"{count} {word}" for word, count in tests["counts"].items())
    if tests["status"] == "not run":
        return "not run"
    return f"{tests['status']}: {counts or 'pytest printed no counts'}" if tests["failed"] else counts


def skip_words(tests: Data) -> list[str]:
    """Write why tests were skipped, one entry for each reason."""
    return [f"{skip['count']} skipped: {skip['why']}" for skip in tests["skips"]]
