"""Both C programs with sanitizers, and the modules of this folder."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))


@pytest.fixture(scope="session")
def binaries(make_c: Callable[..., Path]) -> Path:
    """Folder of both C programs with the address and undefined-behaviour sanitizers."""
    return make_c("SANITIZE=1") / "sanitize"
