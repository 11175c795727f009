"""libFuzzer on every reader of the C programs.

Builds the targets of this folder (clang and its runtime), seeds each with the corpus of malformed files, and
prints a table. A crash, a report of a sanitizer, a leak, a hang, or a message that is not one line with place
and expectation ends a target, and the input is kept in ``--folder``. With ``--judge`` the files that the
targets of nanoBragg-spec found also go through all three programs, which have to agree.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "malformed")]

from guidance import GENERATOR, Target, run  # noqa: E402
from seeds import COMMAND_LINE  # noqa: E402

READERS = {
    "list": "hkl",
    "cache": "dump",
    "matrix": "mat",
    "sources": "sourcefile",
    "amorphous": "stol",
    "header": "img",
    "mask": "mask",
    "command_line": COMMAND_LINE,
}
"""Target -> the kind of file of the corpus that it reads."""
PROGRAMS = {"spec": "nanoBragg-spec", "hist": "nanoBragg"}


def command(build: str, reader: str, scratch: Path) -> list[str]:
    """The target, silent: a copy, so that a build in the meantime does not matter."""
    binary = GENERATOR / "build" / "fuzz" / build / f"fuzz-{reader}"
    return [str(shutil.copy2(binary, scratch)), "-close_fd_mask=3"]


def main() -> int:
    """Fuzz; 1 if something failed."""
    make = ["make", "-s", "-j2", "-C", str(GENERATOR)]
    for goal in ("fuzz", "SANITIZE=1"):
        subprocess.run([*make, goal], check=True)
    targets = [
        Target(program, reader, kind, partial(command, build, reader), build == "spec")
        for reader, kind in READERS.items()
        for build, program in PROGRAMS.items()
    ]
    return run(__doc__, targets)


if __name__ == "__main__":
    sys.exit(main())
