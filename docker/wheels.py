"""The Python packages of an image: which files the locks ask for, fetched by hash before the build.

The CPU image holds what ``requirements/dev.txt`` pins. The CUDA image holds the same tools on the simulator's
packages in ``requirements/cuda.txt``, whose PyTorch takes the place of the CPU build.
"""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

VARIANTS = ("cpu", "cuda")
LOCKS = {"cpu": ("dev",), "cuda": ("dev", "cuda")}
"""Locks of each image below ``requirements/``; a later one replaces packages of an earlier one."""

LEFT_OUT = {"ast-serialize", "atheris", "hdf5plugin", "librt", "mypy", "mypy-extensions", "ruff"}
"""Packages of the dev lock that no image holds: they check sources, fuzz, or read compressed HDF5; 300 MB."""

PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def pins(lock: str) -> dict[str, str]:
    """Return the pins of a lock: normalised name -> its lines, hashes and all, comments left out."""
    lock = re.sub(r"^ *#.*\n", "", lock, flags=re.MULTILINE)
    starts = [(match.start(), match[1]) for match in PIN.finditer(lock)]
    ends = [start for start, _ in starts[1:]] + [len(lock)]
    return {
        re.sub(r"[-_.]+", "-", name).lower(): lock[start:end].rstrip() + "\n"
        for (start, name), end in zip(starts, ends, strict=True)
    }


def requirements(root: Path, variant: str) -> dict[str, str]:
    """Return the pins of an image, sorted by name."""
    found: dict[str, str] = {}
    for lock in LOCKS[variant]:
        found |= pins((root / "requirements" / f"{lock}.txt").read_text(encoding="utf-8"))
    return {name: found[name] for name in sorted(found.keys() - LEFT_OUT)}


def fetch(root: Path, variant: str, folder: Path) -> None:
    """Make ``folder`` hold one wheel for each pin of the image, and ``requirements.txt``.

    Only what is missing is downloaded. pip finds it as it is set up and takes only files whose hash is in the
    lock; where it cannot, it says why and CalledProcessError is raised.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = requirements(root, variant)
    (folder / "requirements.txt").write_text("".join(wanted.values()), encoding="utf-8")
    present = keep_locked(folder, wanted)
    missing = [pin for pin in wanted.values() if not present.intersection(HASH.findall(pin))]
    if missing:
        download(missing, variant, folder)
        keep_locked(folder, wanted)


def keep_locked(folder: Path, wanted: dict[str, str]) -> set[str]:
    """Remove wheels that no pin names by hash; return the hashes of those that stay."""
    allowed = set(HASH.findall("".join(wanted.values())))
    kept = set()
    for wheel in sorted(folder.glob("*.whl")):
        with wheel.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest in allowed:
            kept.add(digest)
        else:
            wheel.unlink()
    return kept


def download(missing: list[str], variant: str, folder: Path) -> None:
    """Let pip download some pins."""
    environment = dict(os.environ)
    if variant == "cuda":
        # Wheel folders set up for the CPU build would shadow the CUDA build.
        for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
            environment.pop(name, None)
        environment["PIP_CONFIG_FILE"] = os.devnull
    wanted = folder / "missing.txt"
    wanted.write_text("".join(missing), encoding="utf-8")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    command += ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--progress-bar", "off"]
    try:
        subprocess.run([*command, "--dest", str(folder), "-r", str(wanted)], check=True, env=environment)
    finally:
        wanted.unlink()
