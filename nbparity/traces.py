"""Pixel traces: reading them, and where two of them part (C7)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

PREFIXES = ("TRACE_C:", "TRACE_C_PHI")


@dataclass(frozen=True)
class Entry:
    """One key of a trace and its numbers."""

    key: str
    values: tuple[float, ...]


def entries(text: str) -> list[Entry]:
    """Read the trace lines of a program's output, in order; one entry for each number of a spindle line."""
    found = []
    for line in text.splitlines():
        if line.startswith(PREFIXES[0]):
            _, key, *numbers = line.split()
            found.append(Entry(key, tuple(map(float, numbers))))
        elif line.startswith(PREFIXES[1]):
            fields = dict(word.split("=", 1) for word in line.split()[1:])
            step = fields.pop("phi_tic")
            found += [Entry(f"{name} of phi step {step}", (float(value),)) for name, value in fields.items()]
    return found


def first_difference(x: Sequence[Entry], r: Sequence[Entry], max_relative: float) -> str:
    """Name the first key at which two traces part, with both values; empty if they do not."""
    for number, (mine, theirs) in enumerate(zip(x, r, strict=False), start=1):
        if mine.key != theirs.key:
            return f"line {number}: {mine.key} against {theirs.key}"
        if not _close(mine.values, theirs.values, max_relative):
            return f"{mine.key}: {_words(mine)} against {_words(theirs)}"
    return "" if len(x) == len(r) else f"{len(x)} lines against {len(r)}"


def _close(x: tuple[float, ...], r: tuple[float, ...], max_relative: float) -> bool:
    """Compare vectors by their largest component, since a small one is a difference of large numbers."""
    if len(x) != len(r):
        return False
    size = max((abs(value) for value in r if math.isfinite(value)), default=0.0)
    return all(
        a == b or (math.isnan(a) and math.isnan(b)) or abs(a - b) <= max_relative * size
        for a, b in zip(x, r, strict=True)
    )


def _words(entry: Entry) -> str:
    return " ".join(f"{value:.15g}" for value in entry.values)
