"""Numbers as text: the general format with six significant digits (F1.3)."""

from __future__ import annotations


def g6(number: float) -> str:
    """``number`` with six significant digits, trailing zeros removed: ``1e-05``, ``89.2926``, ``-0``."""
    return format(float(number), ".6g")
