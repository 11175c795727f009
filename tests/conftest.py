"""What every test shares: where the repository is, and an environment without the user's overrides."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(autouse=True)
def without_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that the user put in place of the C reference must not decide a test."""
    monkeypatch.delenv("NB_C_BIN", raising=False)
