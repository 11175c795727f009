"""Both C programs with sanitizers, and the modules of this folder."""

import importlib.util
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


def c_reference():
    """The module that builds the C reference for its own tests."""
    path = HERE.parent / "golden_suite_generator" / "conftest.py"
    spec = importlib.util.spec_from_file_location("c_reference_conftest", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def binaries() -> Path:
    """Folder of both C programs with the address and undefined-behaviour sanitizers."""
    reference = c_reference()
    reference.make("SANITIZE=1")
    return reference.FOLDER / "build" / "sanitize"
