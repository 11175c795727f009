"""Golden data for the tests: output of the historical program."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from nanobrag_torch.advice import NanoBragWarning

REPOSITORY = Path(__file__).resolve().parents[2]


def golden_folder() -> Path:
    """Folder of the golden data, from NB_GOLDEN_DIR or beside the repository."""
    return Path(os.environ.get("NB_GOLDEN_DIR", REPOSITORY.parent / "shared" / "golden"))


@dataclass(frozen=True)
class GoldenCase:
    """One case: its arguments, float image and files."""

    folder: Path
    recipe: dict[str, Any]

    @property
    def args(self) -> list[str]:
        """Arguments of the run, file names without a folder."""
        return list(self.recipe["args"])

    @property
    def image(self) -> npt.NDArray[np.float32]:
        """Float image of the corrected historical program, shape (slow, fast)."""
        return np.load(self.folder / "fixed_float.npy")  # type: ignore[no-any-return]

    @property
    def stdout(self) -> str:
        """Text that the run printed."""
        return (self.folder / "stdout.txt").read_text()

    def bytes_of(self, name: str) -> bytes:
        """Content of an output file that is kept."""
        return gzip.decompress((self.folder / f"fixed_{name}.gz").read_bytes())


@pytest.fixture
def golden_inputs() -> Path:
    """Folder of the input files of the golden cases."""
    folder = golden_folder() / "inputs"
    if not folder.is_dir():
        pytest.skip(f"no golden data at {folder}; set NB_GOLDEN_DIR")
    return folder


@pytest.fixture
def golden_case(golden_inputs: Path) -> Callable[[str], GoldenCase]:
    """Look up a golden case by name."""

    def load(name: str) -> GoldenCase:
        folder = golden_inputs.parent / "cases" / name
        return GoldenCase(folder, json.loads((folder / "case.json").read_text()))

    return load


@pytest.fixture
def advice(recwarn: pytest.WarningsRecorder) -> Callable[[], str]:
    """What the package has said so far in this test, a line each (C8.3)."""
    return lambda: "\n".join(
        str(said.message) for said in recwarn if isinstance(said.message, NanoBragWarning)
    )
