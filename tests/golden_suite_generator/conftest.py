"""Build the C reference programs and run them."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

HISTORICAL, SPECIFICATION = "nanoBragg", "nanoBragg-spec"


@dataclass(frozen=True)
class Done:
    """How a program ended, with text output."""

    program: str
    returncode: int
    stdout: str
    stderr: str

    def said(self, level):
        """Texts of a level on standard error, from lines ``PROGRAM: LEVEL: text`` (C5)."""
        start = f"{self.program}: {level}: "
        return [line.removeprefix(start) for line in self.stderr.splitlines() if line.startswith(start)]

    @property
    def error(self):
        """The text of the one error of a run that ended with status 9 (C5)."""
        errors = self.said("ERROR")
        assert (self.returncode, len(errors)) == (9, 1), self.stderr
        return errors[0]


class Programs:
    """The two programs of one build; each call runs one of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, program, *args, cwd, threads=1):
        """Run a program in the folder ``cwd``."""
        env = dict(os.environ, OMP_NUM_THREADS=str(threads), LC_ALL="C")
        for name in ("LD_PRELOAD", "LD_AUDIT"):  # a sanitizer has to come first
            env.pop(name, None)
        command = [str(self.folder / program), *map(str, args)]
        done = subprocess.run(
            command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False
        )
        return Done(program, done.returncode, done.stdout, done.stderr)

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
