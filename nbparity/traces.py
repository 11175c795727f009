"""Pixel traces: reading them, setting them side by side, and where two of them part (C7)."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

PREFIXES = ("TRACE_C:", "TRACE_C_PHI")
MARK = b"TRACE_C"
"""In every trace line."""
OF_STEP = " of phi step "
DIGITS = 15
"""Significant digits that programs print of a double (C7)."""
Values = tuple[float, ...]


@dataclass(frozen=True)
class Entry:
    """One key of a trace and its numbers."""

    key: str
    values: Values


@dataclass(frozen=True, kw_only=True)
class Row:
    """One key with the numbers of each program; a program that does not print the key is missing."""

    key: str
    values: Mapping[str, Values]


@dataclass(frozen=True, kw_only=True)
class PhiStep:
    """A spindle step of the first source and domain: angle in degrees, sum of F_latt squared over its lines.

    There is a line for each layer and sub-pixel.
    """

    number: int
    phi_deg: float
    f_latt_squared: float


def entries(text: str) -> list[Entry]:
    """Read the trace lines of a program's output, in order; one entry for each number of a spindle line.

    Raises ValueError for a line that is not of the format of C7.
    """
    found = []
    for line in text.splitlines():
        if line.startswith(PREFIXES[0]):
            _, key, *numbers = line.split()
            found.append(Entry(key, tuple(map(float, numbers))))
        elif line.startswith(PREFIXES[1]):
            step, fields = _spindle_fields(line)
            found += [Entry(f"{name}{OF_STEP}{step}", (value,)) for name, value in fields.items()]
    return found


def _spindle_fields(line: str) -> tuple[int, dict[str, float]]:
    """Return the number of the step and the other fields of a spindle line; ValueError if it is none."""
    fields = dict(word.split("=", 1) for word in line.split()[1:])
    if "phi_tic" not in fields:
        raise ValueError(f"no phi_tic in the line {line!r}")
    return int(fields.pop("phi_tic")), {name: float(value) for name, value in fields.items()}


def phi_steps(text: str) -> list[PhiStep]:
    """Return the spindle steps of a program's output; none where the crystal is not a parallelepiped."""
    sums: dict[int, PhiStep] = {}
    for line in text.splitlines():
        if line.startswith(PREFIXES[1]):
            number, fields = _spindle_fields(line)
            before = sums[number].f_latt_squared if number in sums else 0.0
            squared = before + fields["F_latt"] ** 2
            sums[number] = PhiStep(number=number, phi_deg=fields["phi_deg"], f_latt_squared=squared)
    return [sums[number] for number in sorted(sums)]


def last(trace: Sequence[Entry], key: str) -> float | None:
    """Return the last number printed for a key of one number; None if there is none, or it is not finite."""
    found = [entry.values[0] for entry in trace if entry.key == key and len(entry.values) == 1]
    return found[-1] if found and math.isfinite(found[-1]) else None


def side_by_side(traces: Mapping[str, Sequence[Entry]]) -> list[Row]:
    """Set traces side by side, key by key, in the order in which the keys first appear.

    A key that is printed again, for the next layer or sub-pixel, has its count behind it.
    """
    rows: dict[str, dict[str, Values]] = {}
    for program, trace in traces.items():
        for key, values in _numbered(trace):
            rows.setdefault(key, {})[program] = values
    return [Row(key=key, values=values) for key, values in rows.items()]


def _numbered(trace: Sequence[Entry]) -> Iterator[tuple[str, Values]]:
    seen: Counter[str] = Counter()
    for entry in trace:
        seen[entry.key] += 1
        count = seen[entry.key]
        yield (entry.key if count == 1 else f"{entry.key} ({count})"), entry.values


def relative_difference(x: Values, r: Values) -> float | None:
    """Return the largest difference of two vectors relative to the largest component of the reference.

    Measured so, since a small component is a difference of large numbers. 0 where both are the same, None
    where they cannot be compared: other lengths, a number that is not finite, or a reference of zeros.
    """
    if len(x) != len(r):
        return None
    if all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(x, r, strict=True)):
        return 0.0
    size = max(map(abs, r), default=0.0)
    if size == 0 or not all(map(math.isfinite, (*x, *r))):
        return None
    return max(abs(a - b) for a, b in zip(x, r, strict=True)) / size


def first_difference(x: Sequence[Entry], r: Sequence[Entry], max_relative: float) -> str:
    """Name the first key at which two traces part, with both values; empty if they do not."""
    for number, (mine, theirs) in enumerate(zip(x, r, strict=False), start=1):
        if mine.key != theirs.key:
            return f"line {number}: {mine.key} against {theirs.key}"
        apart = relative_difference(mine.values, theirs.values)
        if apart is None or apart > max_relative:
            return f"{mine.key}: {words(mine.values)} against {words(theirs.values)}"
    return "" if len(x) == len(r) else f"{len(x)} lines against {len(r)}"


def words(values: Values, digits: int = DIGITS) -> str:
    """Write numbers with the significant digits of a trace, or with fewer."""
    return " ".join(f"{value:.{digits}g}" for value in values)
