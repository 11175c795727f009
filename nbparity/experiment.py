"""Experiments are data: what to run, on which inputs, which region to compare.

One file ``golden_suite_generator/experiments/<id>.toml`` holds

    id, title, shows      what it is and what one sees in it
    args                  arguments in order; input files by bare name; no -roi, no output names
    roi                   fast first, fast last, slow first, slow last, inclusive (optional)
    inputs                array of tables: name, sha256, and in words what it is (optional)
    inputs_dir            folder of the inputs, relative to the file
    inputs_dir_env, inputs_dir_default   or: an environment variable that names it, and where else to
                          look, relative to the root of the repository
"""

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .compare import Roi, as_roi
from .errors import BlockedError, UsageError
from .hashing import sha256_of_file

FOLDER = Path("golden_suite_generator") / "experiments"
REQUIRED: dict[str, type] = {"id": str, "title": str, "shows": str, "args": list, "inputs": list}
OPTIONAL: dict[str, type] = {"roi": list, "inputs_dir": str, "inputs_dir_env": str, "inputs_dir_default": str}


@dataclass(frozen=True, kw_only=True)
class InputFile:
    """A file an experiment reads, pinned by its hash."""

    name: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One experiment; ``shape`` is (slow, fast) in pixels."""

    id: str
    title: str
    shows: str
    args: tuple[str, ...]
    inputs: tuple[InputFile, ...]
    inputs_dir: Path
    shape: tuple[int, int]
    roi: Roi | None

    @property
    def roi_args(self) -> tuple[str, ...]:
        """The arguments with the region of interest appended."""
        return self.args if self.roi is None else (*self.args, "-roi", *map(str, self.roi))

    def inputs_present(self) -> bool:
        """Tell whether every input file is there, whatever it holds."""
        return all((self.inputs_dir / file.name).is_file() for file in self.inputs)

    def check_inputs(self) -> None:
        """Raise BlockedError if an input is missing or is not the pinned file."""
        for file in self.inputs:
            path = self.inputs_dir / file.name
            if not path.is_file():
                raise BlockedError(f"input {file.name} of experiment {self.id} is missing: no file {path}")
            found = sha256_of_file(path)
            if found != file.sha256:
                raise BlockedError(
                    f"input {file.name} of experiment {self.id} is not the pinned file:"
                    f" sha256 {found}, expected {file.sha256}"
                )

    def copy_inputs(self, folder: Path) -> None:
        """Put the inputs into a working folder; copies, so that no program can change the originals."""
        for file in self.inputs:
            (folder / file.name).write_bytes((self.inputs_dir / file.name).read_bytes())


def known_ids(root: Path) -> list[str]:
    """List the experiments of the repository, in alphabetical order."""
    return sorted(path.stem for path in (root / FOLDER).glob("*.toml"))


def load(root: Path, experiment_id: str) -> Experiment:
    """Read an experiment by its id; UsageError names the known ones if there is none."""
    path = root / FOLDER / f"{experiment_id}.toml"
    if not path.is_file():
        known = ", ".join(known_ids(root)) or "none"
        raise UsageError(f"no experiment {experiment_id!r}: {path} does not exist (known: {known})")
    return read(path, root)


def read(path: Path, root: Path) -> Experiment:
    """Read and check an experiment file; UsageError names file, key, value and expectation."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a TOML file: {error}") from None
    _check_keys(path, data)
    args = _strings(path, "args", data["args"])
    shape = shape_of(path, args)
    return Experiment(
        id=data["id"],
        title=data["title"],
        shows=data["shows"],
        args=args,
        inputs=_inputs(path, data["inputs"]),
        inputs_dir=_inputs_dir(path, root, data),
        shape=shape,
        roi=_roi(path, data.get("roi"), shape),
    )


def from_record(record: dict[str, Any], inputs_dir: Path) -> Experiment:
    """Return the experiment that ``run.json`` of a bundle records, with its inputs in a folder."""
    slow, fast = record["shape"]
    return Experiment(
        id=record["id"],
        title=record["title"],
        shows=record["shows"],
        args=tuple(record["args"]),
        inputs=tuple(InputFile(name=name, sha256=sha256) for name, sha256 in record["inputs"].items()),
        inputs_dir=inputs_dir,
        shape=(slow, fast),
        roi=as_roi(record["roi"]),
    )


def _wrong(path: Path, key: str, value: object, expected: str) -> UsageError:
    return UsageError(f"{path}: key '{key}': found {value!r}, expected {expected}")


def _check_keys(path: Path, data: dict[str, Any]) -> None:
    """Raise for a missing, unknown or mistyped key, or an id that is not the file's name."""
    known: dict[str, type] = REQUIRED | OPTIONAL
    for key, kind in REQUIRED.items():
        if key not in data:
            raise UsageError(f"{path}: key '{key}' is missing, expected a {kind.__name__}")
    for key, value in data.items():
        if key not in known:
            raise _wrong(path, key, value, f"one of the keys {', '.join(known)}")
        if not isinstance(value, known[key]):
            raise _wrong(path, key, value, f"a {known[key].__name__}")
    if data["id"] != path.stem:
        raise _wrong(path, "id", data["id"], f"the name of the file, {path.stem!r}")


def _strings(path: Path, key: str, values: list[Any]) -> tuple[str, ...]:
    for value in values:
        if not isinstance(value, str):
            raise _wrong(path, key, value, "strings only (quote the numbers)")
    return tuple(values)


def _inputs(path: Path, rows: list[Any]) -> tuple[InputFile, ...]:
    files = []
    for row in rows:
        if not isinstance(row, dict) or not {"name", "sha256"} <= set(row) <= {"name", "sha256", "what"}:
            raise _wrong(path, "inputs", row, "a table with name, sha256 and perhaps what")
        if "/" in row["name"] or row["name"] in {"", ".", ".."}:
            raise _wrong(path, "inputs.name", row["name"], "a bare file name")
        if not re.fullmatch(r"[0-9a-f]{64}", row["sha256"]):
            raise _wrong(path, "inputs.sha256", row["sha256"], "64 hexadecimal digits")
        files.append(InputFile(name=row["name"], sha256=row["sha256"]))
    return tuple(files)


def _inputs_dir(path: Path, root: Path, data: dict[str, Any]) -> Path:
    """Return where the inputs lie: beside the file, or where the user's variable says."""
    if "inputs_dir" in data:
        return path.parent / str(data["inputs_dir"])
    if "inputs_dir_env" not in data or "inputs_dir_default" not in data:
        instead = "'inputs_dir_env' and 'inputs_dir_default'"
        raise UsageError(f"{path}: key 'inputs_dir' is missing, expected it, or both {instead}")
    chosen = os.environ.get(data["inputs_dir_env"])
    return Path(chosen).absolute() if chosen else (root / str(data["inputs_dir_default"])).resolve()


def shape_of(path: Path, args: tuple[str, ...]) -> tuple[int, int]:
    """Return (slow, fast) from the pixel counts among the arguments; later ones win, as in the programs."""
    fast = slow = 0
    for flag, value in zip(args, args[1:], strict=False):
        if flag in {"-detpixels", "-detpixels_x", "-detpixels_f", "-detpixels_y", "-detpixels_s"}:
            if not value.isdecimal() or int(value) == 0:
                raise _wrong(path, f"args {flag}", value, "a positive number of pixels")
            fast = int(value) if not flag.endswith(("_y", "_s")) else fast
            slow = int(value) if not flag.endswith(("_x", "_f")) else slow
    if not (fast and slow):
        raise _wrong(path, "args", "no pixel counts", "-detpixels, or -detpixels_x and -detpixels_y")
    return slow, fast


def _roi(path: Path, value: list[Any] | None, shape: tuple[int, int]) -> Roi | None:
    if value is None:
        return None
    expected = (
        f"four integers, fast first and last, slow first and last, within {shape[1]} x {shape[0]} pixels"
    )
    if len(value) != 4 or not all(type(n) is int for n in value):
        raise _wrong(path, "roi", value, expected)
    fast_first, fast_last, slow_first, slow_last = value
    if not (0 <= fast_first <= fast_last < shape[1] and 0 <= slow_first <= slow_last < shape[0]):
        raise _wrong(path, "roi", value, expected)
    return fast_first, fast_last, slow_first, slow_last
