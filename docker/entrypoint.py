"""What a container runs: a nox session of the checkout in /opt/nbparity, with the rights of the caller.

    (nothing), or parity_n1 [-- ARGS]    an evidence bundle for each experiment, below /reports
    tests, parity_matrix, golden, ...    any other session of noxfile.py
    nanobrag_torch, nbparity ... [ARGS]  a script of pyproject.toml, or python, with its arguments

Started as root, everything runs without capabilities, and can gain none: a script as the owner of the folder
it is started in, if that is mounted (-v "$PWD:/data" -w /data), else, as a session, as the owner of /reports.
So what is written belongs to whoever made the folder. Started as anybody else, that is who it runs as.

Exit status: that of the session; 2 wrong command line, 3 nothing is mounted at /reports.
"""

import os
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REPORTS = Path("/reports")
SCRATCH = "/tmp"
UNPRIVILEGED = 65532
"""Who runs what leaves nothing behind."""
WRITING = {"parity_n1", "parity_matrix"}
"""Sessions whose result is a file below /reports."""


def command(arguments: Sequence[str]) -> tuple[list[str], Path | None]:
    """Return what to run and in which folder (None: where the caller said)."""
    name, *rest = arguments or ["parity_n1"]
    rest = rest[1:] if rest[:1] == ["--"] else rest
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    if name in scripts:
        module, function = scripts[name].split(":")
        code = f"import sys; from {module} import {function}; sys.argv[0] = {name!r}; sys.exit({function}())"
        return ["python", "-c", code, *rest], None
    if name == "python":
        return [name, *rest], None
    return ["nox", "--non-interactive", "--session", name, *(["--", *rest] if rest else [])], ROOT


def is_mounted(folder: Path) -> bool:
    """Tell whether the caller mounted the folder, or one above it."""
    return any(os.path.ismount(place) for place in (folder, *folder.parents) if place != Path("/"))


def owner(folder: Path | None) -> tuple[int, int]:
    """Return user and group for a program of root's that starts in ``folder`` (None: here)."""
    here = Path.cwd()
    places = [REPORTS] if folder is not None else [here, REPORTS]
    for place in places:
        if is_mounted(place):
            found = place.stat()
            return found.st_uid, found.st_gid
    return UNPRIVILEGED, UNPRIVILEGED


def without_rights(user: int, group: int) -> list[str]:
    """Return the command in front of which a program of root's runs as somebody, without capabilities."""
    who = [f"--reuid={user}", f"--regid={group}", "--clear-groups"]
    return ["setpriv", *who, "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--"]


def complain(status: int, message: str) -> int:
    """Say in one line what is wrong."""
    print(f"nbparity image: {message}", file=sys.stderr)
    return status


def main(arguments: Sequence[str]) -> int:
    """Become the program; return only if that cannot be."""
    name = arguments[0] if arguments else "parity_n1"
    if name.startswith("-"):
        return complain(2, f"{name}: expected the name of a session first, for example parity_n1")
    if name in WRITING and not is_mounted(REPORTS):
        return complain(
            3, f'nothing is mounted at {REPORTS}, so no result stays: add -v "$PWD/reports:/reports"'
        )
    started, folder = command(arguments)
    if os.geteuid() == 0:
        started = [*without_rights(*owner(folder)), *started]
    if folder is not None:
        os.chdir(folder)
    os.environ |= {
        "HOME": SCRATCH,
        "COVERAGE_FILE": f"{SCRATCH}/coverage",
        "HYPOTHESIS_STORAGE_DIRECTORY": f"{SCRATCH}/hypothesis",
        "PYTEST_ADDOPTS": "-p no:cacheprovider",
    }
    try:
        os.execvp(started[0], started)
    except OSError as error:
        return complain(3, f"{started[0]}: {error.strerror}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
