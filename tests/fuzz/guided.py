"""Coverage-guided fuzzing of the simulator's readers and command line in one process.

Each reader of ``parsers.py`` gets ``--runs`` inputs from atheris, from the seeds of ``seeds.py``. A reader
may return, or raise the error that it documents, in one line that names the file, and give advice in lines.
Any other exception or warning, a crash, a hang, or too much memory is a failure, whose input is kept in
``--folder``. With ``--judge`` the inputs that were worth keeping also go through the three programs, if all
of them read such a file.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "malformed")]

CHILD = "--child"
PROGRAM = "nanobrag_torch"


def child(name: str, options: Sequence[str]) -> None:
    """Fuzz one reader in this process, which ends with it."""
    import atheris

    with atheris.instrument_imports(include=[PROGRAM]):
        from parsers import PARSERS, limit_tables, require_clean_end
    limit_tables()
    parser = next(parser for parser in PARSERS if parser.name == name)
    path = Path.cwd() / "input"

    def one(data: bytes) -> None:
        path.write_bytes(data)
        require_clean_end(parser, path)

    atheris.Setup([sys.argv[0], *options], one)
    atheris.Fuzz()


def command(name: str, scratch: Path) -> list[str]:
    """The same program once more, for one reader."""
    return [sys.executable, __file__, CHILD, name]


def main() -> int:
    """Fuzz the readers; 1 if something failed."""
    if sys.argv[1:2] == [CHILD]:
        child(sys.argv[2], sys.argv[3:])
        return 0
    from guidance import Target, run
    from parsers import PARSERS

    targets = [Target(PROGRAM, p.name, p.kind, partial(command, p.name), p.kind != "") for p in PARSERS]
    return run(__doc__, targets)


if __name__ == "__main__":
    sys.exit(main())
