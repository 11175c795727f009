"""Protected assets: files that no run may change, listed in ``docs/index.md``.

The list is the section "Protected assets": every bullet that starts with a glob in
backticks. A glob may start with ``$NAME/``: the folder that the variable names, or
the default given in the same line as ``default `folder` ``.
"""

import os
import re
from pathlib import Path

from .errors import UsageError
from .hashing import sha256_of_file

INDEX = Path("docs") / "index.md"
SECTION = re.compile(r"^## Protected assets\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BULLET = re.compile(r"^- `([^`]+)`(?:.*?default `([^`]+)`)?", re.MULTILINE)


def globs(root: Path) -> list[str]:
    """Return the globs of the list, variables replaced, relative to the root of the repository."""
    path = root / INDEX
    try:
        section = SECTION.search(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: the list of protected assets cannot be read: {error.strerror}") from None
    rows = BULLET.findall(section[1]) if section else []
    if not rows:
        raise UsageError(
            f"{path}: expected a section 'Protected assets' with bullets that start with `a glob`"
        )
    return [_expand(glob, default) for glob, default in rows]


def _expand(glob: str, default: str) -> str:
    if not glob.startswith("$"):
        return glob
    name, _, rest = glob[1:].partition("/")
    return f"{os.environ.get(name) or default}/{rest}"


def hashes(root: Path) -> dict[str, str]:
    """Return path -> sha256 of every protected file that is there; paths relative to the root."""
    found: dict[str, str] = {}
    for glob in globs(root):
        start, pattern = _split(root, glob)
        for path in sorted(start.glob(pattern)):
            if path.is_file():
                found[os.path.relpath(path, root)] = sha256_of_file(path)
    return dict(sorted(found.items()))


def _split(root: Path, glob: str) -> tuple[Path, str]:
    """Split into a folder without wildcards and a pattern, since pathlib globs only downwards."""
    parts = Path(glob).parts
    first = next((i for i, part in enumerate(parts) if "*" in part), len(parts) - 1)
    return root.joinpath(*parts[:first]), str(Path(*parts[first:]))


def changes(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Name the files that are not what they were."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
