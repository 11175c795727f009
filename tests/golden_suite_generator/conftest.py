"""Build the C reference programs and run them."""

import os
import subprocess
from pathlib import Path

import pytest

HISTORICAL, SPECIFICATION = "nanoBragg", "nanoBragg-spec"


class Programs:
    """The two programs of one build; each call runs one of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, program, *args, cwd, threads=1):
        """Run a program in the folder ``cwd``; the finished process with text output."""
        env = dict(os.environ, OMP_NUM_THREADS=str(threads), LC_ALL="C")
        for name in ("LD_PRELOAD", "LD_AUDIT"):  # a sanitizer has to come first
            env.pop(name, None)
        command = [str(self.folder / program), *map(str, args)]
        return subprocess.run(
            command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False
        )

    def good(self, program, *args, cwd, threads=1):
        """Run a program that must succeed; its standard output."""
        done = self(program, *args, cwd=cwd, threads=threads)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def programs(make_c):
    """Both programs, built with every warning an error; NB_COVERAGE=1 takes those that count branches."""
    if os.environ.get("NB_COVERAGE") == "1":
        return Programs(make_c("COVERAGE=1") / "coverage")
    return Programs(make_c())


@pytest.fixture(scope="session")
def sanitized(make_c):
    """Both programs with the address and undefined-behaviour sanitizers."""
    return Programs(make_c("SANITIZE=1") / "sanitize")
