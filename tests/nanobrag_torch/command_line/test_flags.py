"""The table of options is complete and every row works (C3, C8.2, C9.1)."""

from __future__ import annotations

import dataclasses

import pytest

from nanobrag_torch.command_line.flags import BY_SPELLING, FLAGS, Flag, Kind
from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.command_line.request import Request
from nanobrag_torch.command_line.scan import NUMBER
from nanobrag_torch.errors import UsageError

STOPPING = ("-h", "--help", "--version")
HEADER_FILES = ("-img", "-mask")
TAKING_VALUES = sorted(s for s, flag in BY_SPELLING.items() if flag.kind is not Kind.SWITCH)
NUMERIC = [s for s in TAKING_VALUES if BY_SPELLING[s].kind not in (Kind.FILE, Kind.NAME, Kind.WORD)]


def valid_values(flag: Flag) -> list[str]:
    """Values that the row accepts."""
    if flag.kind is Kind.SWITCH:
        return []
    if flag.kind in (Kind.FILE, Kind.NAME):
        return ["some.file"]
    if flag.kind is Kind.WORD:
        return [flag.words[0]]
    return ["1"] * flag.arity


def test_table_has_the_options_and_spellings_of_c3() -> None:
    """118 options with 163 spellings (C8.2)."""
    rows = [flag for flag in FLAGS if flag.source.startswith("C3.")]
    assert len(rows) == 118
    assert sum(len(flag.spellings) for flag in rows) == 163
    assert len(BY_SPELLING) == sum(len(flag.spellings) for flag in FLAGS)


def test_every_field_of_a_row_is_a_field_of_the_request() -> None:
    """The table cannot name a field that does not exist."""
    known = {field.name for field in dataclasses.fields(Request)}
    assert {name for flag in FLAGS for name in (*flag.fields, *flag.sets)} <= known


@pytest.mark.parametrize("spelling", [s for s in BY_SPELLING if s not in STOPPING + HEADER_FILES])
def test_every_spelling_parses(spelling: str) -> None:
    """Each spelling with valid values is accepted (C9.1)."""
    parse([spelling, *valid_values(BY_SPELLING[spelling])])


STATED = [flag for flag in FLAGS if flag.default == "selected" or NUMBER.fullmatch(flag.default)]
STATED += [
    flag for flag in FLAGS if flag.default and flag.kind in (Kind.FILE, Kind.WORD) and flag.name != "-pivot"
]


@pytest.mark.parametrize("flag", STATED, ids=lambda flag: flag.name)
def test_the_default_of_the_usage_text_is_the_default(flag: Flag) -> None:
    """Giving it changes nothing; the text rounds to six digits."""
    given = parse([flag.name, *([] if flag.kind is Kind.SWITCH else [flag.default])])[0]
    for name in (*flag.fields, *flag.sets):
        default = getattr(Request(), name)
        if isinstance(default, float):
            assert getattr(given, name) == pytest.approx(default, rel=1e-5), name
        elif default is not None:
            assert getattr(given, name) == default, name


@pytest.mark.parametrize("spelling", TAKING_VALUES)
def test_one_value_too_few_is_an_error(spelling: str) -> None:
    """The message names option, number of values wanted and found (C8.4)."""
    flag = BY_SPELLING[spelling]
    given = [] if flag.kind is Kind.CELL else valid_values(flag)[:-1]
    with pytest.raises(UsageError, match=rf"{spelling}: expected .*\d value.* found {len(given)}$"):
        parse([spelling, *given])


@pytest.mark.parametrize("spelling", NUMERIC)
def test_numeric_option_refuses_text(spelling: str) -> None:
    """The message names option, position and text (C8.4)."""
    values = ["abc", *valid_values(BY_SPELLING[spelling])[1:]]
    with pytest.raises(UsageError, match=rf"{spelling}: value 1 of \d, 'abc', is not a number"):
        parse([spelling, *values])


@pytest.mark.parametrize("spelling", [s for s in TAKING_VALUES if s not in NUMERIC])
def test_file_or_word_refuses_a_leading_minus_sign(spelling: str) -> None:
    """The next option is not taken for a value (C8.4)."""
    with pytest.raises(UsageError, match=f"{spelling}: value '-x' begins with a minus sign"):
        parse([spelling, "-x"])
