"""Build the C reference programs and run them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "golden_suite_generator"
HISTORICAL, SPECIFICATION = "nanoBragg", "nanoBragg-spec"


class Programs:
    """The two programs of one build; each call runs one of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, program, *args, cwd, threads=1):
        """Run a program in the folder ``cwd``; the finished process with text output."""
        env = dict(os.environ, OMP_NUM_THREADS=str(threads), LC_ALL="C")
        command = [str(self.folder / program), *map(str, args)]
        return subprocess.run(
            command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False
        )

    def good(self, program, *args, cwd, threads=1):
        """Run a program that must succeed; its standard output."""
        done = self(program, *args, cwd=cwd, threads=threads)
        assert done.returncode == 0, done.stderr
        return done.stdout


def make(*variables):
    """Run make in the source folder, skipping where there is no compiler."""
    compiler = os.environ.get("CC", "gcc")
    if shutil.which("make") is None or shutil.which(compiler) is None:
        pytest.skip(f"no make or no C compiler ({compiler}): the C reference cannot be built")
    command = ["make", "-s", "-j2", "-C", str(FOLDER), f"CC={compiler}", *variables]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def built():
    """Both programs, built with every warning an error; NB_COVERAGE=1 takes those that count branches."""
    if os.environ.get("NB_COVERAGE") == "1":
        make("COVERAGE=1")
        return Programs(FOLDER / "build" / "coverage")
    if not (FOLDER / "build" / "prebuilt.log").is_file():  # an image brings them along, and no compiler
        make()
    return Programs(FOLDER / "build")


@pytest.fixture(scope="session")
def programs():
    """Both programs."""
    return built()


@pytest.fixture(scope="session")
def sanitized():
    """Both programs with the address and undefined-behaviour sanitizers."""
    make("SANITIZE=1")
    return Programs(FOLDER / "build" / "sanitize")
