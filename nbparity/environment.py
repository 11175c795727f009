"""The pinned environment of every process, and the two records of where a run took place.

``env.txt`` holds only what pinning controls, so it is the same file on every machine;
``machine.txt`` holds what belongs to the machine.
"""

import os
import platform
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from .hashing import sha256_of_file
from .programs import prebuilt_log

FILE = Path(__file__).with_name("environment.toml")
IMAGE_DIGEST = "NB_IMAGE_DIGEST"
"""Set in an image: the SHA-256 of its layers' digests."""
HOST = "host"
"""What ``env.txt`` says in its place where there is no image."""
GIT_RECORD = "git_sha.txt"
"""In the root of an image, which has no .git: what ``git_text`` said where the image was built."""
LIBRARIES = (
    "torch",
    "numpy",
    "mpmath",
    "sympy",
    "networkx",
    "jinja2",
    "typing-extensions",
    "pytest",
    "matplotlib",
    "markdown-it-py",
)


def pinned() -> dict[str, str]:
    """Return the variables that are set for every process."""
    return dict(_table("pinned"))


def recorded_names() -> list[str]:
    """Return the variables that are not set but recorded."""
    return list(_table("recorded")["names"])


def free_names() -> frozenset[str]:
    """Return the rows of ``env.txt`` that no image depends on."""
    return frozenset(_table("free")["names"])


def _table(name: str) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads(FILE.read_text(encoding="utf-8"))[name]
    return table


def child_environment(root: Path, threads: int = 1) -> dict[str, str]:
    """Return the environment of a child process: ours, pinned, with the checkout importable.

    What is set by the user stays where no image depends on it (``[free]``), and goes where no run needs it
    (``[removed]``).
    """
    chosen = free_names() & os.environ.keys()
    environment = {**os.environ, **{name: value for name, value in pinned().items() if name not in chosen}}
    for name in _table("removed")["names"]:
        environment.pop(name, None)
    environment["OMP_NUM_THREADS"] = environment["MKL_NUM_THREADS"] = str(threads)
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    return environment


def _set_by_user(root: Path) -> dict[str, str]:
    """Return those variables of ``[recorded_if_set]`` that are set.

    Of PYTHONPATH without what each child has in any case: the checkout, and the folder in which it runs.
    """
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    added = os.pathsep.join(path for path in paths if path not in {"", ".", str(root)})
    values = {name: os.environ.get(name, "") for name in _table("recorded_if_set")["names"]}
    return {name: value for name, value in (values | {"PYTHONPATH": added}).items() if value}


def env_text(root: Path, threads: int = 1) -> str:
    """Return ``env.txt``: one ``name: value`` per line."""
    child = child_environment(root, threads)
    rows = [
        ("os", _os_release()),
        ("image", os.environ.get(IMAGE_DIGEST, HOST)),
        ("python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("libc", " ".join(platform.libc_ver())),
        ("compiler", _compiler(root)),
        *((name, _version_of(name)) for name in LIBRARIES),
        ("torch build", _torch_build()),
        *(
            (f"lock {path.name}", sha256_of_file(path))
            for path in sorted((root / "requirements").glob("*.txt"))
        ),
        *((name, child.get(name, "not set")) for name in [*pinned(), *recorded_names()]),
        *_set_by_user(root).items(),
    ]
    return "".join(f"{name}: {_one_line(value)}\n" for name, value in rows)


def value_of(env_text: str, name: str) -> str:
    """Return the value of a row of ``env.txt``; KeyError if there is none."""
    return _rows(env_text)[name]


def locks(env_text: str) -> dict[str, str]:
    """Return file name -> SHA-256 of the locks that ``env.txt`` records."""
    rows = _rows(env_text).items()
    return {name.removeprefix("lock "): value for name, value in rows if name.startswith("lock ")}


def _rows(env_text: str) -> dict[str, str]:
    return {name: value for name, _, value in (line.partition(": ") for line in env_text.splitlines())}


def machine() -> dict[str, str]:
    """Return what this machine is: processor, cores, memory, kernel, GPU."""
    return {
        "processor": _proc_value(Path("/proc/cpuinfo"), "model name"),
        "cores usable": str(len(os.sched_getaffinity(0))),
        "memory": _proc_value(Path("/proc/meminfo"), "MemTotal"),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "gpu": _first_line("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"),
    }


def machine_text() -> str:
    """Return ``machine.txt``, a line for each fact of ``machine``."""
    return "".join(f"{name}: {value}\n" for name, value in machine().items())


@dataclass(frozen=True)
class ChangedPath:
    """A path that differs from the commit: git's two letters, hash of what is there ('-': nothing), name."""

    status: str
    sha256: str
    name: str

    @property
    def text(self) -> str:
        """Return the row as it stands in ``git_sha.txt``."""
        return f"{self.status} {self.sha256} {self.name}\n"


def parse_changed(row: str) -> ChangedPath:
    """Read a row of ``git_sha.txt``; ValueError if it is none."""
    match = re.fullmatch(r"(..) ([0-9a-f]{64}|-) (.+)\n?", row)
    if match is None:
        raise ValueError(f"git_sha.txt: expected '<status> <sha256> <path>', found {row.strip()!r}")
    return ChangedPath(match[1], match[2], match[3])


def git_text(root: Path) -> str:
    """Return ``git_sha.txt``: the commit, then the files that differ from it, with their hashes."""
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        record = root / GIT_RECORD
        if record.is_file():
            return record.read_text(encoding="utf-8")
        return "commit: none (not a git checkout, or no commit yet)\n"
    changed = _changed_paths(root)
    state = "clean" if not changed else f"{len(changed)} paths differ from the commit"
    return f"commit: {commit.strip()}\nstate: {state}\n{''.join(path.text for path in changed)}"


def _changed_paths(root: Path) -> list[ChangedPath]:
    """Ask git for the paths that differ from the commit, files in new folders one by one."""
    # Renames are shown as one path gone and one new, so that every row has one name.
    listed = _git(root, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames") or ""
    found = []
    for row in filter(None, listed.split("\0")):
        path = root / row[3:]
        found.append(
            ChangedPath(row[:2], sha256_of_file(path) if path.is_file() else "-", _one_line(row[3:]))
        )
    return found


def _one_line(text: str) -> str:
    """Write the name of a file, or the value of a variable, on one line, whatever it holds."""
    return text if text.isprintable() else ascii(text)


def cuda_devices(python: str, root: Path) -> tuple[int, str]:
    """Ask torch, in a process of its own, how many CUDA devices it sees; 0 and the reason if none."""
    code = "import torch; print(torch.cuda.device_count() if torch.cuda.is_available() else 0)"
    try:
        asked = subprocess.run(
            [python, "-c", code], capture_output=True, text=True, timeout=300, env=child_environment(root)
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 0, f"torch could not be asked: {error}"
    if asked.returncode != 0:
        return 0, f"torch could not be asked: {(asked.stderr.strip().splitlines() or ['no message'])[-1]}"
    count = int(asked.stdout.split()[-1])
    return count, "" if count else "no CUDA device"


def _compiler(root: Path) -> str:
    """Return the compiler of the C programs: of an image the one that built them, otherwise the one here."""
    log = prebuilt_log(root)
    if log is not None:
        return log.read_text(encoding="utf-8").partition("\n")[0]
    return _first_line(os.environ.get("CC", "gcc"), "--version")


def _torch_build() -> str:
    """Tell from the installed version what torch was built for, without importing it."""
    version = _version_of("torch")
    if version == "not installed":
        return version
    if version.endswith("+cpu"):
        return "CPU only"
    try:
        runtime = metadata.version("nvidia-cuda-runtime")
    except metadata.PackageNotFoundError:
        return "unknown: no CUDA runtime package beside it"
    return f"CUDA {runtime}"


@cache
def _version_of(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _os_release() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "unknown")
    except OSError:
        return f"{sys.platform}, no os-release file"


def _first_line(*command: str) -> str:
    """Return the first line a program prints, or why there is none."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        return f"none ({command[0]} not found)"
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"none ({type(error).__name__})"
    if done.returncode != 0 or not done.stdout.strip():
        return f"none ({command[0]} ended with {done.returncode})"
    return done.stdout.strip().splitlines()[0]


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _proc_value(path: Path, key: str) -> str:
    """Return the first value of a key in a ``key : value`` file of the kernel."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "unknown")
