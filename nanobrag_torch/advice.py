"""What a user should know and no error stops (C8.3), in two levels, on Python's ``warnings``.

Each text is said once per process. A library user silences it by ordinary means, for
example ``warnings.filterwarnings("ignore", category=NanoBragNote)``; the command line
shows it as ``nanobrag_torch: LEVEL: text``.
"""

from __future__ import annotations

import warnings


class NanoBragWarning(UserWarning):
    """The image is probably not the one that was meant. Source: C8.3."""

    level = "WARNING"


class NanoBragNote(NanoBragWarning):
    """Said for completeness: a default was filled in, an option never has an effect. Source: C8.3."""

    level = "NOTE"


def warn(text: str) -> None:
    """Say what the user must see."""
    warnings.warn(NanoBragWarning(text), stacklevel=2)


def note(text: str) -> None:
    """Say what the user may ignore."""
    warnings.warn(NanoBragNote(text), stacklevel=2)
