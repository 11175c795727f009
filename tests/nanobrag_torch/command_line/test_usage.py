"""Texts of -h and --version (C8.5)."""

from __future__ import annotations

from nanobrag_torch import __version__
from nanobrag_torch.command_line.flags import BY_SPELLING
from nanobrag_torch.command_line.usage import text_for


def test_usage_names_every_spelling() -> None:
    """Every option with its synonyms (C8.5.1)."""
    words = set(text_for("-h").split())
    assert set(BY_SPELLING) <= words


def test_a_default_can_be_given_as_it_is_shown() -> None:
    """The default fluence to its last digit (C3.40)."""
    assert "default 1.2593201528622709e29" in text_for("-h")


def test_usage_fits_the_terminal() -> None:
    """No line is longer than 100 characters."""
    assert max(map(len, text_for("-h").splitlines())) <= 100


def test_version_is_one_line() -> None:
    """Program name and version (C8.5.2)."""
    assert text_for("--version") == f"nanobrag_torch {__version__}\n"
