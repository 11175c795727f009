"""Tables in Markdown whose columns also line up in a terminal, and figures as people read them."""

import math
from collections.abc import Sequence

DIGITS = 6
GROUPED_FROM = 10_000
"""Whole numbers from here on have their digits in groups of three."""


def figure(value: object, digits: int = DIGITS, limits: Sequence[float] = ()) -> str:
    """Write a figure for reading: floats with some significant digits, nothing as '-'.

    More digits are written where fewer would show a whole number, or one of ``limits``, that the figure is
    not: 0.9999998 of all pixels are not 1. All digits of what a bundle states stand in ``summary.json``.
    """
    if value is None or value == "":
        return "-"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}" if abs(value) >= GROUPED_FROM else str(value)
    if not isinstance(value, float) or not math.isfinite(value):
        return str(value)
    for count in range(digits, 17):
        text = f"{value:.{count}g}"
        shown = float(text)
        whole = shown.is_integer() and abs(shown) < 10**digits
        if shown == value or not (whole or shown in limits):
            return text
    return repr(value)


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> str:
    """Return a table; ``right`` are the columns, counted from 0, that are set flush right."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (head, *rows)]
    widths = [max(3, *(len(row[column]) for row in cells)) for column in range(len(head))]
    rule = ["-" * (width - 1) + (":" if column in right else "-") for column, width in enumerate(widths)]
    lines = [cells[0], rule, *cells[1:]]
    return "".join(f"{_line(line, widths, right)}\n" for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int], right: frozenset[int]) -> str:
    padded = (
        cell.rjust(width) if column in right else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"| {' | '.join(padded)} |"
