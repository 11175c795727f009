"""The modules of docker/, which are scripts beside each other and no package."""

import hashlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docker"


def load(name: str) -> ModuleType:
    """Load a module of docker/ under its own name, as it is when a script of that folder imports it."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
        assert spec is not None and spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session")
def canonical() -> ModuleType:
    """The canonical writer."""
    return load("canonical")


@pytest.fixture(scope="session")
def debian() -> ModuleType:
    """The Debian lock."""
    return load("debian")


@pytest.fixture(scope="session")
def packages(debian: ModuleType) -> ModuleType:
    """The list of what an image holds; it imports the Debian lock."""
    return load("packages")


@pytest.fixture(scope="session")
def wheels() -> ModuleType:
    """The Python packages."""
    return load("wheels")


@pytest.fixture(scope="session")
def entrypoint() -> ModuleType:
    """What a container runs."""
    return load("entrypoint")


@pytest.fixture(scope="session")
def sha256_of() -> Callable[[Path], str]:
    """The SHA-256 of a file."""

    def digest(path: Path) -> str:
        return hashlib.sha256(path.read_bytes()).hexdigest()

    return digest
