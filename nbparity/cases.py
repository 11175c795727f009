"""The cases of the parity matrix and of the golden suite, read from one data file.

``golden_suite_generator/golden/cases.toml`` holds ``[base]``, named beginnings of command lines, and
``[[case]]`` tables:

    id, why         name, and what the case is there for
    base, argv      the command line: the named base, then these arguments, split as a shell does
    inputs          files of ``inputs/`` that it reads (optional)
    cause, without  the historical defect that separates c from c_spec, and the arguments that, added to the
                    others, switch it off (optional, both or none)
"""

import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import UsageError

FOLDER = Path("golden_suite_generator") / "golden"
FILE = "cases.toml"
INPUTS = "inputs"
REQUIRED = {"id", "base", "argv", "why"}
OPTIONAL = {"inputs", "cause", "without"}
FLOAT_OPTIONS = ("-floatfile", "-floatimage")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One command line; ``without`` are the arguments that switch ``cause`` off; both may be empty."""

    id: str
    why: str
    args: tuple[str, ...]
    inputs: tuple[str, ...]
    cause: str
    without: tuple[str, ...]

    @property
    def corrected(self) -> bool:
        """Tell whether the case asks for the physics that c does not offer."""
        return "corrected" in self.args

    @property
    def float_file(self) -> str:
        """The name of the float image."""
        named = [
            value for flag, value in zip(self.args, self.args[1:], strict=False) if flag in FLOAT_OPTIONS
        ]
        return named[-1] if named else "floatimage.bin"

    def copy_inputs(self, root: Path, folder: Path) -> None:
        """Put the input files into a working folder."""
        for name in self.inputs:
            (folder / name).write_bytes((root / FOLDER / INPUTS / name).read_bytes())


def load(root: Path, ids: list[str] | None = None) -> list[Case]:
    """Read all cases, or some by their ids; UsageError names what is wrong."""
    path = root / FOLDER / FILE
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    cases = [_case(path, data["base"], row) for row in data["case"]]
    known = {case.id: case for case in cases}
    if len(known) != len(cases):
        twice = sorted({case.id for case in cases if sum(other.id == case.id for other in cases) > 1})
        raise UsageError(f"{path}: ids used twice: {', '.join(twice)}")
    for wanted in ids or []:
        if wanted not in known:
            raise UsageError(f"{path}: no case {wanted!r} (known: {', '.join(known)})")
    return [known[wanted] for wanted in ids] if ids else cases


def _case(path: Path, bases: dict[str, str], row: dict[str, Any]) -> Case:
    where = f"{path}: case {row.get('id', row)!r}"
    keys = set(row)
    if not REQUIRED <= keys <= REQUIRED | OPTIONAL:
        raise UsageError(
            f"{where}: found the keys {sorted(keys)}, expected {sorted(REQUIRED)} and {sorted(OPTIONAL)}"
        )
    if ("cause" in row) != ("without" in row):
        raise UsageError(f"{where}: expected both of cause and without, or none")
    if row["base"] not in bases:
        raise UsageError(f"{where}: base {row['base']!r}, expected one of {', '.join(bases)}")
    return Case(
        id=row["id"],
        why=row["why"],
        args=(*shlex.split(bases[row["base"]]), *shlex.split(row["argv"])),
        inputs=tuple(row.get("inputs", ())),
        cause=row.get("cause", ""),
        without=tuple(shlex.split(row.get("without", ""))),
    )
