"""The simulator against the stored golden suite, every file of every case."""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nanobrag_torch.__main__ import main

SUITE = Path(__file__).resolve().parents[2] / "golden_suite_generator" / "golden"
DATA: dict[str, Any] = tomllib.loads((SUITE / "cases.toml").read_text(encoding="utf-8"))
CASES = {case["id"]: case for case in DATA["case"]}
OUTPUTS: dict[str, dict[str, str]] = json.loads((SUITE / "outputs.json").read_text(encoding="utf-8"))
# the two cases whose point is an image of 0 (HD-THK-3, HD-POL-3)
DARK = {"oversample-thick-alone", "dmin-everything"}


@pytest.mark.parametrize("case_id", CASES)
def test_every_file_is_as_stored(
    case_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Float image bit for bit, and the bytes of the integer, grey, noise and cache files (P0, F, R)."""
    case = CASES[case_id]
    inputs = case.get("inputs", [])
    for name in inputs:
        shutil.copy(SUITE / "inputs" / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main([*shlex.split(DATA["base"][case["base"]]), *shlex.split(case["argv"])]) == 0, (
        capsys.readouterr().err
    )
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name not in inputs}
    stored = np.load(SUITE / "images" / f"{case_id}.npy")
    (float_image,) = (data for data in written.values() if len(data) == 4 * stored.size)
    got = np.frombuffer(float_image, np.float32).reshape(stored.shape)
    different = got.view(np.int32) != stored.view(np.int32)
    assert not different.any(), f"{different.sum()} of {different.size} pixels differ"
    assert {name: hashlib.sha256(data).hexdigest() for name, data in written.items()} == OUTPUTS[case_id]


@pytest.mark.parametrize("case_id", CASES)
def test_no_case_is_dark(case_id: str) -> None:
    """An image of 0 would be the same whatever the program does."""
    image = np.load(SUITE / "images" / f"{case_id}.npy")
    assert image.dtype == np.float32 and image.ndim == 2
    assert bool(image.any()) != (case_id in DARK)


def test_nothing_is_stored_without_a_case() -> None:
    """One image and one list of files for each case."""
    assert {path.stem for path in (SUITE / "images").iterdir()} == set(CASES) == set(OUTPUTS)
