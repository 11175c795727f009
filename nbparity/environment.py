"""The pinned environment of every process, and the two records of where a run took place.

``env.txt`` holds only what pinning controls, so it is the same file on every machine;
``machine.txt`` holds what belongs to the machine.
"""

import os
import platform
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from .hashing import sha256_of_file
from .programs import prebuilt_log

FILE = Path(__file__).with_name("environment.toml")
GIT_RECORD = "git_sha.txt"
"""In the root of an image, which has no .git: what ``git_text`` said where the image was built."""
LIBRARIES = ("torch", "numpy", "mpmath", "sympy", "networkx", "jinja2", "typing-extensions", "pytest")


def pinned() -> dict[str, str]:
    """Return the variables that are set for every process."""
    return dict(tomllib.loads(FILE.read_text(encoding="utf-8"))["pinned"])


def recorded_names() -> list[str]:
    """Return the variables that are not set but recorded."""
    return list(tomllib.loads(FILE.read_text(encoding="utf-8"))["recorded"]["names"])


def child_environment(root: Path, threads: int = 1) -> dict[str, str]:
    """Return the environment of a child process: ours, pinned, with the checkout importable."""
    environment = {**os.environ, **pinned()}
    environment["OMP_NUM_THREADS"] = environment["MKL_NUM_THREADS"] = str(threads)
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    return environment


def env_text(root: Path, threads: int = 1) -> str:
    """Return ``env.txt``: one ``name: value`` per line."""
    child = child_environment(root, threads)
    rows = [
        ("os", _os_release()),
        ("image", os.environ.get("NB_IMAGE_DIGEST", "host")),
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
    ]
    return "".join(f"{name}: {value}\n" for name, value in rows)


def machine_text() -> str:
    """Return ``machine.txt``: processor, cores, memory, kernel, GPU."""
    rows = [
        ("processor", _proc_value(Path("/proc/cpuinfo"), "model name")),
        ("cores usable", str(len(os.sched_getaffinity(0)))),
        ("memory", _proc_value(Path("/proc/meminfo"), "MemTotal")),
        ("kernel", platform.release()),
        ("architecture", platform.machine()),
        ("gpu", _first_line("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")),
    ]
    return "".join(f"{name}: {value}\n" for name, value in rows)


def git_text(root: Path) -> str:
    """Return ``git_sha.txt``: the commit, then the files that differ from it."""
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        record = root / GIT_RECORD
        if record.is_file():
            return record.read_text(encoding="utf-8")
        return "commit: none (not a git checkout, or no commit yet)\n"
    changed = _git(root, "status", "--porcelain") or ""
    state = "clean" if not changed else f"{len(changed.splitlines())} paths differ from the commit"
    return f"commit: {commit.strip()}\nstate: {state}\n{changed}"


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
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=60
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
