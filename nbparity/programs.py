"""The three programs under comparison: where they are and how they are built."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from .errors import BlockedError

GENERATOR = Path("golden_suite_generator")
BUILT = {"c": GENERATOR / "build" / "nanoBragg", "c_spec": GENERATOR / "build" / "nanoBragg-spec"}
"""Where our C programs lie in a checkout."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program: short name, the command that starts it, the file to hash (None for a Python module)."""

    name: str
    command: tuple[str, ...]
    file: Path | None

    def check(self) -> None:
        """Raise BlockedError if the program's file is missing or not executable."""
        if self.file is None:
            return
        if not self.file.is_file():
            raise BlockedError(f"program {self.name}: no file {self.file}")
        if not os.access(self.file, os.X_OK):
            raise BlockedError(f"program {self.name}: {self.file} is not executable")


@dataclass(frozen=True, kw_only=True)
class Programs:
    """Both C programs, built from the same sources with and without the historical defects; the simulator."""

    c: Program
    c_spec: Program
    py: Program

    def all(self) -> tuple[Program, Program, Program]:
        """Return them in the order in which they run."""
        return self.c, self.c_spec, self.py


def locate(
    root: Path, *, c_bin: str | None = None, spec_bin: str | None = None, py_bin: str | None = None
) -> Programs:
    """Find the programs; ``c_bin``, or else NB_C_BIN, replaces our own ``c``."""
    c_file = _behind_link(Path(c_bin or os.environ.get("NB_C_BIN") or root / BUILT["c"]).absolute(), root)
    spec_file = _behind_link(Path(spec_bin or root / BUILT["c_spec"]).absolute(), root)
    py_file = Path(py_bin).absolute() if py_bin else None
    py = Program(name="py", command=(str(py_file),), file=py_file) if py_file else simulator(sys.executable)
    return Programs(
        c=Program(name="c", command=(str(c_file),), file=c_file),
        c_spec=Program(name="c_spec", command=(str(spec_file),), file=spec_file),
        py=py,
    )


def _behind_link(file: Path, root: Path) -> Path:
    """Return what the build leaves where a link of the build to it was given, which is no other program."""
    built = (root / GENERATOR / "build").absolute()
    linked = file.is_symlink() and file.resolve().parent == built.resolve()
    return built / file.resolve().name if linked else file


def simulator(python: str) -> Program:
    """Return our simulator, run with an interpreter."""
    return Program(name="py", command=(python, "-m", "nanobrag_torch"), file=None)


def stands_in(program: Program, root: Path) -> bool:
    """Tell whether the program was given in place of ours; one of ours in place of another is one, too."""
    own = BUILT.get(program.name)
    return program.file != (None if own is None else (root / own).absolute())


def is_built_here(program: Program, root: Path) -> bool:
    """Tell whether the program is one that ``make -C golden_suite_generator`` makes."""
    return program.file is not None and program.file.parent == (root / GENERATOR / "build").absolute()


def prebuilt_log(root: Path) -> Path | None:
    """Return the log of the build if both C programs came with the checkout, as they do in an image.

    Its first line is the compiler's version. Nothing is built then: an image has no compiler.
    """
    log = root / GENERATOR / "build" / "prebuilt.log"
    return log if log.is_file() else None


def build_command(root: Path) -> tuple[str, ...]:
    """Return the command that builds both C programs."""
    return "make", "-C", str(root / GENERATOR)
