"""SHA-256 of files and folders, and lists in the format of ``sha256sum``."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from .errors import NotIntactError

LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def sha256_of_file(path: Path) -> str:
    """Return the hexadecimal digest of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def files_below(folder: Path) -> list[str]:
    """List everything below a folder that is not a folder, relative, with '/', in byte order."""
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def sha256_list(folder: Path, names: Iterable[str]) -> str:
    """Return lines that ``sha256sum -c`` accepts when started in the folder."""
    return "".join(f"{sha256_of_file(folder / name)}  {name}\n" for name in names)


def parse_sha256_list(text: str, source: str) -> dict[str, str]:
    """Return name -> digest; NotIntactError names the first line that is not of the format."""
    digests: dict[str, str] = {}
    lines = text.split("\n")
    if lines.pop() != "":
        raise NotIntactError(f"{source}: the last line has no end")
    for number, line in enumerate(lines, start=1):
        match = LINE.fullmatch(line)
        if match is None or match[2] in digests:
            raise NotIntactError(f"{source}:{number}: expected '<sha256>  <new name>', found {line[:100]!r}")
        digests[match[2]] = match[1]
    return digests


def differences(folder: Path, digests: dict[str, str], ignore: frozenset[str] = frozenset()) -> list[str]:
    """Name every file that is missing, changed, or there without being listed."""
    present = set(files_below(folder)) - ignore
    complaints = [f"missing: {name}" for name in sorted(set(digests) - present)]
    complaints += [f"extra: {name}" for name in sorted(present - set(digests))]
    for name in sorted(present & set(digests)):
        path = folder / name
        if path.is_symlink() or not path.is_file():
            complaints.append(f"changed: {name} is not a plain file")
        elif sha256_of_file(path) != digests[name]:
            complaints.append(f"changed: {name}")
    return complaints
