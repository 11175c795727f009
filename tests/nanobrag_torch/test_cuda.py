"""The simulator on a GPU against the stored golden suite; run by ``nox -s tests_gpu`` where there is one."""

from __future__ import annotations

import shlex
import shutil
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from nanobrag_torch.__main__ import main

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device; runs where there is one"),
]

ROOT = Path(__file__).resolve().parents[2]
SUITE = ROOT / "golden_suite_generator" / "golden"
DATA: dict[str, Any] = tomllib.loads((SUITE / "cases.toml").read_text(encoding="utf-8"))
LIMITS: dict[str, Any] = tomllib.loads((ROOT / "nbparity" / "thresholds.toml").read_text(encoding="utf-8"))[
    "gpu"
]


def ordered(image: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Integers in the order of the values, so that a difference counts units in the last place."""
    bits = image.view(np.int32).astype(np.int64)
    return np.where(bits >= 0, bits, -(bits & 0x7FFFFFFF))


@pytest.fixture(scope="module", params=["float64", "float32"])
def images(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, npt.NDArray[np.float32]]]:
    """The dtype, and the image of every case on the GPU."""
    made = {}
    for case in DATA["case"]:
        if case["id"] == "where-and-how":  # asks for the CPU
            continue
        folder = tmp_path_factory.mktemp(case["id"])
        for name in case.get("inputs", []):
            shutil.copy(SUITE / "inputs" / name, folder)
        arguments = [*shlex.split(DATA["base"][case["base"]]), *shlex.split(case["argv"])]
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            chosen = ["-device", "cuda", "-dtype", request.param, "-floatfile", "cuda.bin"]
            assert main([*arguments, *chosen]) == 0, case["id"]
        shape = np.load(SUITE / "images" / f"{case['id']}.npy").shape
        made[case["id"]] = np.fromfile(folder / "cuda.bin", np.float32).reshape(shape)
    return request.param, made


def test_images_are_those_of_the_c_reference(images: tuple[str, dict[str, npt.NDArray[np.float32]]]) -> None:
    """Nearly all pixels of all cases have the same bits; float32 keeps the bright ones (P0.4, C8.5.4)."""
    dtype, made = images
    stored = {name: np.load(SUITE / "images" / f"{name}.npy") for name in made}
    same = np.concatenate(
        [(made[name].view(np.int32) == stored[name].view(np.int32)).ravel() for name in made]
    )
    distance = max(int(np.abs(ordered(made[name]) - ordered(stored[name])).max()) for name in made)
    print(f"{dtype}: {same.mean():.6f} of {same.size} pixels bit-identical, up to {distance} ULP")
    if dtype == "float64":
        assert same.mean() >= LIMITS["min_bit_identical"]
    else:
        for name, image in made.items():
            bright = stored[name] > stored[name].max() * LIMITS["float32_bright_fraction"]
            np.testing.assert_allclose(
                image[bright], stored[name][bright], rtol=LIMITS["float32_max_relative"]
            )
