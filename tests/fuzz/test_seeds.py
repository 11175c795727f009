"""The fuzzers start where their readers are: each has files that it accepts, and files that it refuses."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "malformed")]

from corpus import GOOD_FILES  # noqa: E402
from parsers import PARSERS, Parser, require_clean_end  # noqa: E402
from seeds import LONGEST, dictionary, seeds, tokens  # noqa: E402

FEW = 40


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_each_reader_accepts_some_of_its_seeds(parser: Parser, tmp_path: Path) -> None:
    """A format that changed under its seeds would leave the fuzzers at the first line of a reader (C5)."""
    for name, content in GOOD_FILES.items():
        (tmp_path / name).write_bytes(content)
    found = seeds(parser.name, parser.kind)
    assert all(len(seed) <= LONGEST for seed in found)
    accepted = 0
    for seed in found[:FEW]:
        (tmp_path / "input").write_bytes(seed)
        accepted += require_clean_end(parser, tmp_path / "input")
    assert accepted
    assert dictionary(tokens(parser.name, parser.kind)).count("\n") > FEW
