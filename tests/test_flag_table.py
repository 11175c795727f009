"""Every option, shape, convention and file format is specified and exercised (tests/flag_table.py)."""

import dataclasses
import importlib.util
from enum import Enum
from pathlib import Path
from types import ModuleType

import pytest

from nanobrag_torch.command_line.flags import BY_SPELLING
from nanobrag_torch.command_line.request import CrystalShape


@pytest.fixture(scope="module")
def table(root: Path) -> ModuleType:
    """The script that prints the table."""
    spec = importlib.util.spec_from_file_location("flag_table", root / "tests" / "flag_table.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Shape(Enum):
    """An enumeration with a member that nothing knows."""

    SQUARE = "parallelepiped"
    CUBIC = "cube"


class File(Enum):
    """A kind of file that nothing knows."""

    ZIP = "a ZIP archive"


def test_every_option_and_word_is_specified_and_exercised(table: ModuleType) -> None:
    """A row of C3, C8.3 or C8.5 with these spellings, and a golden case, or else the test that is named."""
    assert table.missing_options() == []


def test_every_shape_convention_and_pivot_is_specified_and_exercised(table: ModuleType) -> None:
    """A row or column of P6.9 or P2.4, and a golden case that the parser reads so."""
    assert table.missing_members() == []


def test_every_file_format_is_specified_and_exercised(table: ModuleType) -> None:
    """A section of formats.md, a row of F2.8, and a stored output or a test."""
    assert table.missing_formats() == []


def test_what_is_new_is_missing(table: ModuleType) -> None:
    """An option, a spelling, a word, a member and a format that nobody wrote anything about are all named."""
    flag = BY_SPELLING["-physics"]
    option = dataclasses.replace(flag, spellings=("-unheard",), words=())
    assert table.missing_options([option]) == [
        "-unheard: no row of specs/cli.md, expected C8.5.7",
        "-unheard: in no golden case, and no test is named for it",
    ]
    spelling = dataclasses.replace(flag, spellings=("-physics", "-laws"))
    assert table.missing_options([spelling]) == ["-laws: no row of specs/cli.md, expected C8.5.7"]
    word = dataclasses.replace(flag, words=("corrected", "wrong"))
    assert table.missing_options([word]) == [
        "-physics wrong: in no golden case, and no test is named for it",
        "-physics wrong: not in its row of specs/cli.md",
    ]
    enumerations = {**table.ENUMERATIONS, Shape: ("shape", "P6.9")}
    del enumerations[CrystalShape]
    assert set(table.missing_members(enumerations)) == {
        "Shape.CUBIC: not in P6.9 of specs/physics.md",
        "Shape.CUBIC: in no golden case",
        "Shape.SQUARE: in no golden case",
        "CrystalShape: no table is named for it",
    }
    assert table.missing_formats([], File) == [
        "File.ZIP: no row of F2.8 in specs/formats.md for a ZIP archive",
        "File.ZIP: in no test",
    ]
    image = dataclasses.replace(BY_SPELLING["-floatfile"], default="image.tiff")
    assert table.missing_formats([image], []) == ["-floatfile: no golden case writes image.tiff"]


def test_a_named_test_has_to_exist(table: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that was renamed exercises nothing."""
    monkeypatch.setitem(table.ELSEWHERE, "-h", "nanobrag_torch/command_line/test_usage.py::test_usage")
    assert table.missing_options([BY_SPELLING["-h"]]) == [
        "-h: in no golden case, and no test is named for it"
    ]
