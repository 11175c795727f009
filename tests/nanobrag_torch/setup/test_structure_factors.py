"""Structure factors: list, cache, default value and interpolation (P3.9, P3.10, F2, F3, C4.10, C4.17)."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from nanobrag_torch.advice import NanoBragNote, NanoBragWarning
from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.command_line.request import Request
from nanobrag_torch.command_line.required_input import with_default_cache
from nanobrag_torch.errors import InputFileError
from nanobrag_torch.setup import structure_factors as module
from nanobrag_torch.setup.experiment import StructureFactors
from nanobrag_torch.setup.structure_factors import factor_file, write_cache

LIST = "-1 2 3 10.5\n1 2 3 -20\n0 3 5 30.25\n0 2 4 0\n"
LOWEST = (-1, 2, 3)
ENTRIES = {(-1, 2, 3): 10.5, (1, 2, 3): -20.0, (0, 3, 5): 30.25, (0, 2, 4): 0.0}
BOX = [(h, k, l) for h in (-1, 0, 1) for k in (2, 3) for l in (3, 4, 5)]


def asked(line: str) -> Request:
    """Request of a command line, which looks for the default cache."""
    return with_default_cache(parse(line.split())[0])


def structure_factors(request: Request) -> StructureFactors:
    """The table in force, for a file that has a cell of its own or needs none."""
    return module.structure_factors(request, factor_file(request), (50, 60, 70, 90, 90, 90))


def entries(factors: StructureFactors) -> dict[tuple[int, int, int], float]:
    """The table as a dictionary from Miller indices to amplitudes."""
    lowest, (nh, nk, nl) = factors.lowest, factors.table.shape
    return {
        (h + lowest[0], k + lowest[1], l + lowest[2]): float(factors.table[h, k, l])
        for h in range(nh)
        for k in range(nk)
        for l in range(nl)
    }


@pytest.fixture
def listed(empty_folder: Path) -> Path:
    """A list of four reflections in the current folder."""
    path = empty_folder / "a.hkl"
    path.write_text(LIST)
    return path


# list


@pytest.mark.parametrize(
    ("h", "k", "l", "half"),
    [
        (range(-5, 6), range(-5, 6), range(-1, 2), ""),
        (range(-5, 6), range(-5, 6), range(1), ""),
        (range(6), range(-5, 6), range(-1, 2), "negative h"),
        (range(-5, 6), range(-5, 1), range(-1, 2), "positive k"),
        (range(-5, 6), range(-5, 6), range(1, 3), "negative l"),
        (range(9), range(11), range(1), ""),
    ],
)
def test_half_a_list_is_said(
    h: range, k: range, l: range, half: str, empty_folder: Path, advice: Callable[[], str]
) -> None:
    """An asymmetric unit of 100 reflections is not all of P1; shorter lists are what they are (F2.7)."""
    indices = [(x, y, z) for x in h for y in k for z in l]
    (empty_folder / "a.hkl").write_text("".join(f"{x} {y} {z} 5\n" for x, y, z in indices))
    structure_factors(asked("-hkl a.hkl -default_F 3"))
    assert advice() == (
        f"a.hkl: no record has a {half}, so -default_F (3) stands for half of all reflections: expected a"
        " list in P1, with all symmetry equivalents and Friedel mates"
        if half
        else ""
    )


@pytest.mark.parametrize("default", [0.0, 7.5])
@pytest.mark.usefixtures("listed")
def test_a_list_fills_a_box(default: float) -> None:
    """The box is that of the indices; the default stands where the list is silent, F may be 0 (P3.10)."""
    factors = structure_factors(asked(f"-hkl a.hkl -default_F {default}"))
    assert entries(factors) == dict.fromkeys(BOX, default) | ENTRIES
    assert factors.lowest == LOWEST
    assert float(factors.default_F) == default
    assert factors.reflections == 4
    assert factors.table.dtype == torch.float64
    assert factors.table.is_contiguous()


def test_the_last_of_several_records_counts(empty_folder: Path, advice: Callable[[], str]) -> None:
    """Duplicates are counted as records and worth one warning (P3.10, F2.6, F2.7)."""
    (empty_folder / "a.hkl").write_text("0 0 1 5\n0 0 1 6\n0 0 2 8\n0 0 1 7\n")
    factors = structure_factors(asked("-hkl a.hkl"))
    assert entries(factors) == {(0, 0, 1): 7.0, (0, 0, 2): 8.0}
    assert factors.reflections == 4
    assert advice().splitlines() == ["a.hkl: 2 records repeat earlier indices, the last one counts"]


@pytest.mark.usefixtures("listed")
def test_a_list_without_repetitions_is_read_silently(advice: Callable[[], str]) -> None:
    """No warning without a reason (F2.7)."""
    structure_factors(asked("-hkl a.hkl"))
    assert advice() == ""


def test_an_unreadable_list_is_an_error(empty_folder: Path) -> None:
    """Even if there is a cache (C4.17, C5)."""
    (empty_folder / "a.hkl").write_text(LIST)
    request = asked("-hkl a.hkl")
    write_cache(request, structure_factors(request))
    with pytest.raises(InputFileError, match="b.hkl"):
        structure_factors(asked("-hkl b.hkl"))


# cache


@pytest.mark.usefixtures("listed")
def test_a_list_written_through_can_be_read_back() -> None:
    """Table and box come back bit for bit; the count is then the volume of the box (F3.2, F3.3)."""
    request = asked("-hkl a.hkl -default_F 7.5 -dump cache.bin")
    written = structure_factors(request)
    write_cache(request, written)
    read = structure_factors(asked("-dump cache.bin"))
    assert entries(read) == entries(written)
    assert read.lowest == LOWEST
    assert read.reflections == 3 * 2 * 3


@pytest.mark.usefixtures("listed")
def test_bytes_of_the_cache() -> None:
    """Six integers, two bytes, then one plane more than the box along each axis, all 0 (F3.1)."""
    request = asked("-hkl a.hkl -default_F 7.5")
    write_cache(request, structure_factors(request))
    content = Path("Fdump.bin").read_bytes()
    header = b"-1 1 2 3 3 5\n\f"
    assert content.startswith(header)
    numbers = torch.frombuffer(bytearray(content[len(header) :]), dtype=torch.float64).reshape(4, 3, 4)
    assert not numbers[3].any() and not numbers[:, 2].any() and not numbers[:, :, 3].any()
    assert numbers[0, 0].tolist() == [10.5, 7.5, 7.5, 0.0]
    assert numbers[1, 1].tolist() == [7.5, 7.5, 30.25, 0.0]


@pytest.mark.usefixtures("listed")
def test_the_default_of_the_writing_run_is_frozen_in_the_cache() -> None:
    """A later default only serves indices outside of the box (P3.10, HD-SF-2)."""
    request = asked("-hkl a.hkl -default_F 7.5")
    write_cache(request, structure_factors(request))
    read = structure_factors(asked("-default_F 99"))
    assert entries(read) == dict.fromkeys(BOX, 7.5) | ENTRIES
    assert float(read.default_F) == 99.0


def stamped(path: Path) -> str:
    """Give a file a time; what is said of it."""
    moment = time.mktime((2026, 1, 2, 3, 4, 5, 0, 0, -1))
    os.utime(path, (moment, moment))
    return f"the structure factors are those of the cache {path.name} of 2026-01-02T03:04:05"


@pytest.mark.usefixtures("listed")
def test_a_cache_found_by_chance_is_reported(advice: Callable[[], str], empty_folder: Path) -> None:
    """Which one, of which date, and its box; it wins over -default_F there (C4.17, HD-SF-2, C8.3)."""
    structure_factors(asked("-default_F 1"))
    request = asked("-hkl a.hkl -default_F 1")
    write_cache(request, structure_factors(request))
    assert not advice()
    said = stamped(empty_folder / "Fdump.bin") + ", h -1 to 1, k 2 to 3, l 3 to 5"
    structure_factors(asked(""))
    assert advice().splitlines() == [said]
    structure_factors(asked("-default_F 1"))
    assert advice().splitlines()[1:] == [f"{said}; -default_F only serves the others"]


@pytest.mark.usefixtures("listed")
def test_a_cache_that_was_named_is_worth_a_note(recwarn: pytest.WarningsRecorder, empty_folder: Path) -> None:
    """It is what was asked for, unless it stands against -default_F or is not there (C4.17, C8.3)."""
    request = asked("-hkl a.hkl -dump cache.bin")
    write_cache(request, structure_factors(request))
    for options in ("", "-default_F 1", "-default_F 1 -dump no.bin"):
        structure_factors(asked(f"-dump cache.bin {options}"))
    assert [said.category for said in recwarn] == [NanoBragNote, NanoBragWarning, NanoBragWarning]
    assert str(recwarn[2].message).startswith("-dump has no effect: no.bin is not there")


@pytest.mark.usefixtures("listed")
def test_a_library_call_neither_reads_nor_writes_the_folder(empty_folder: Path) -> None:
    """A request that names no cache has none, whatever lies about (C4.17)."""
    (empty_folder / "Fdump.bin").write_bytes(b"no cache at all")
    request = parse(["-hkl", "a.hkl"])[0]
    write_cache(request, structure_factors(request))
    default = structure_factors(parse(["-default_F", "7"])[0])
    assert default.reflections == 0 and set(entries(default).values()) == {7.0}
    assert (empty_folder / "Fdump.bin").read_bytes() == b"no cache at all"
    assert {path.name for path in empty_folder.iterdir()} == {"a.hkl", "Fdump.bin"}


def test_a_list_beats_a_cache(empty_folder: Path) -> None:
    """The cache is only looked for where no list is named (C4.17)."""
    (empty_folder / "a.hkl").write_text(LIST)
    (empty_folder / "Fdump.bin").write_bytes(b"no cache at all")
    assert structure_factors(asked("-hkl a.hkl")).reflections == 4


def test_a_broken_cache_is_an_error(empty_folder: Path) -> None:
    """It is never silently taken for the default (F3.5)."""
    (empty_folder / "Fdump.bin").write_bytes(b"0 1 0 1 0 1\n\f")
    with pytest.raises(InputFileError, match="Fdump.bin"):
        structure_factors(asked("-default_F 5"))


def test_a_first_number_that_begins_like_white_space_survives_the_cache(empty_folder: Path) -> None:
    """The example of F3.4, which historically shifted the whole table (HD-SF-1)."""
    (empty_folder / "a.hkl").write_text("0 0 0 100.07836985774748\n")
    request = asked("-hkl a.hkl")
    write_cache(request, structure_factors(request))
    assert entries(structure_factors(asked(""))) == {(0, 0, 0): 100.07836985774748}


def test_nothing_is_cached_without_a_list(empty_folder: Path) -> None:
    """Neither for a default amplitude nor over the cache that was read (F3.2)."""
    request = asked("-default_F 5")
    write_cache(request, structure_factors(request))
    assert list(empty_folder.iterdir()) == []


@pytest.mark.usefixtures("listed")
def test_a_cache_that_cannot_be_written_is_a_warning(advice: Callable[[], str]) -> None:
    """The run goes on (F3.2, C5)."""
    request = asked("-hkl a.hkl -dump nowhere/cache.bin")
    write_cache(request, structure_factors(request))
    assert "nowhere/cache.bin" in advice()


# one amplitude for all


def test_a_default_alone_serves_every_index() -> None:
    """No reflection is counted, and what table there is holds the default (P3.10, C4.17)."""
    factors = structure_factors(asked("-default_F 100"))
    assert factors.reflections == 0
    assert float(factors.default_F) == 100.0
    assert set(entries(factors).values()) == {100.0}


# interpolation


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", True),
        ("-N 2", True),
        ("-N 3", False),
        ("-N 3 -Na 2", True),
        ("-N 3 -Nb 2", True),
        ("-N 3 -Nc 1", True),
        ("-Na 5 -Nb 6 -Nc 7", False),
        ("-samplesize 0.01", True),
        ("-samplesize 0.01 -N 3", False),
        ("-N 3 -interpolate", True),
        ("-N 1 -nointerpolate", False),
        ("-N 1 -interpolate -nointerpolate", False),
    ],
)
@pytest.mark.usefixtures("listed")
def test_interpolation(options: str, expected: bool) -> None:
    """Automatic for at most two cells along an axis, by the counts of the options (P3.9, HD-INT-3)."""
    request = asked(f"-hkl a.hkl {options}")
    assert structure_factors(request).interpolate is expected
    write_cache(request, structure_factors(request))
    from_cache = dataclasses.replace(request, hkl_file=None)
    assert structure_factors(from_cache).interpolate is expected


def test_one_reflection_is_enough_for_interpolation(empty_folder: Path) -> None:
    """Only a table without any reflection switches it off (P3.9)."""
    (empty_folder / "a.hkl").write_text("0 0 1 5\n")
    assert structure_factors(asked("-hkl a.hkl")).interpolate is True


@pytest.mark.parametrize("options", ["", "-N 1", "-interpolate"])
def test_no_interpolation_without_reflections(options: str) -> None:
    """It is off where nothing is tabulated, even if asked for (P3.9, C4.10)."""
    assert structure_factors(asked(f"-default_F 100 {options}")).interpolate is False
