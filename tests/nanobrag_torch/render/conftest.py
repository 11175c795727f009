"""Experiments from command lines, for the tests of the pixel loop."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.command_line.request import Request
from nanobrag_torch.setup.build import experiment
from nanobrag_torch.setup.experiment import Experiment

# P10.1: options common to the check values
COMMON = (
    "-cell 70 80 90 75 85 95 -misset 10 20 30 -default_F 10 -N 5 -distance 100 -detpixels 8 -pixel 1 "
    "-lambda 1.1 -fluence 1e24 -oversample 1"
)


@pytest.fixture
def request_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Request]:
    """The request of the common options of P10.1 and some more, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def parsed(options: str = "") -> Request:
        return parse(f"{COMMON} {options}".split())[0]

    return parsed


@pytest.fixture
def experiment_of(request_of: Callable[[str], Request]) -> Callable[[str], Experiment]:
    """The experiment of the common options of P10.1 and some more, built in an empty folder."""

    def build(options: str = "") -> Experiment:
        return experiment(request_of(options))

    return build


@pytest.fixture
def cubic_list(tmp_path: Path) -> str:
    """Options that read a list of all indices from -6 to 6, whose amplitudes vary with the index."""
    path = tmp_path / "cubic.hkl"
    span = range(-6, 7)
    path.write_text("".join(f"{h} {k} {l} {20 + h + 2 * k - l}\n" for h in span for k in span for l in span))
    return "-cell 20 20 20 90 90 90 -hkl cubic.hkl -nonoise"


@pytest.fixture(scope="session")
def programs() -> Any:
    """Both C programs, as the tests of the C reference build them."""
    path = Path(__file__).resolve().parents[2] / "golden_suite_generator" / "conftest.py"
    spec = importlib.util.spec_from_file_location("c_reference_conftest", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.built()
