"""A full frame of the experiment cro, and what must not change it; run by ``nox -s tests_slow``."""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
GENERATOR = ROOT / "golden_suite_generator"
EXPERIMENT = tomllib.loads((GENERATOR / "experiments" / "cro.toml").read_text(encoding="utf-8"))
LIMITS = tomllib.loads((ROOT / "nbparity" / "thresholds.toml").read_text(encoding="utf-8"))["golden"]
SIMULATOR = [sys.executable, "-m", "nanobrag_torch"]
ROI = ["-roi", *map(str, EXPERIMENT["roi"])]
MOST_MEMORY_BYTES = 2**30


def render(command: list[str], folder: Path, *options: str, **environment: str) -> bytes:
    """Run a program on the experiment and return its float image."""
    for name in ("cro.mat", "cro.hkl"):
        shutil.copy(GENERATOR / "experiments" / "cro" / name, folder)
    done = subprocess.run(
        [*command, *EXPERIMENT["args"], *options, "-noprogress", "-nopgm"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return (folder / "floatimage.bin").read_bytes()


def ordered(image: bytes) -> npt.NDArray[np.int64]:
    """Integers in the order of the pixel values, so that a difference counts units in the last place."""
    bits = np.frombuffer(image, np.int32).astype(np.int64)
    return np.where(bits >= 0, bits, -(bits & 0x7FFFFFFF))


@pytest.fixture(scope="module")
def reference(make_c: Callable[..., Path]) -> list[str]:
    """The specification program, built here."""
    return [str(make_c() / "nanoBragg-spec")]


@pytest.mark.parametrize("threads", ["1", "2"])
def test_full_frame_is_that_of_the_c_reference(threads: str, reference: list[str], tmp_path: Path) -> None:
    """Six million pixels: at least 99.99 % the same bits, none more than a unit away (P0, P9)."""
    theirs = ordered(render(reference, tmp_path, OMP_NUM_THREADS="2"))
    mine = ordered(render(SIMULATOR, tmp_path, OMP_NUM_THREADS=threads))
    assert (mine == theirs).mean() >= LIMITS["min_bit_identical"]
    assert np.abs(mine - theirs).max() <= LIMITS["max_ulp"]


def test_memory_is_bounded(tmp_path: Path) -> None:
    """A full frame takes less than a gibibyte, since only tiles of it are in work."""
    render(SIMULATOR, tmp_path)
    # the largest of all children so far, this one included
    peak_bytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    assert peak_bytes < MOST_MEMORY_BYTES


def test_threads_and_vector_instructions_do_not_show(tmp_path: Path) -> None:
    """The region of interest has one hash, whatever torch computes it with (P0.7)."""
    settings = [
        {"OMP_NUM_THREADS": threads, "ATEN_CPU_CAPABILITY": capability}
        for threads in ("1", "2")
        for capability in ("default", "avx2", "avx512")
    ]
    hashes = {
        hashlib.sha256(render(SIMULATOR, tmp_path, *ROI, **setting)).hexdigest() for setting in settings
    }
    assert len(hashes) == 1
