"""Binary cache of structure factors (F3)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats import fdump, hkl

HEADER = b"0 1 0 2 -1 0\n\f"
NUMBERS = [0.0, 100, 0, 0, 0, 0, 0, -7, 0, 0, 0, 0, 50.5] + [0.0] * 23


def test_bytes_of_the_vector(tmp_path: Path) -> None:
    """Header and data of F13.3."""
    path = tmp_path / "cache"
    table = np.array(NUMBERS).reshape(3, 4, 3)
    fdump.write(str(path), (0, 1, 0, 2, -1, 0), table)
    assert path.read_bytes() == HEADER + struct.pack("<36d", *NUMBERS)
    box, again = fdump.read(str(path))
    assert box == (0, 1, 0, 2, -1, 0)
    assert (again == table).all()


def test_first_number_may_begin_with_white_space(tmp_path: Path) -> None:
    """Exactly two bytes separate header and data (F3.4, HD-SF-1)."""
    path = tmp_path / "cache"
    table = np.zeros((2, 2, 2))
    table[0, 0, 0] = 100.07836985774748
    fdump.write(str(path), (0, 0, 0, 0, 0, 0), table)
    assert path.read_bytes()[13] in b"\t\n\v\f\r "
    assert fdump.read(str(path))[1][0, 0, 0] == 100.07836985774748


def test_box_at_both_ends_of_32_bits(tmp_path: Path) -> None:
    """What a list may hold (F2.7), its cache may hold."""
    path = tmp_path / "cache"
    box = (-(2**31), -(2**31), 0, 0, 2**31 - 1, 2**31 - 1)
    header = b"-2147483648 -2147483648 0 0 2147483647 2147483647\n\f"
    path.write_bytes(header + struct.pack("<8d", 5, *[0] * 7))
    assert fdump.read(str(path))[0] == box


def test_golden_cache(golden_case: Callable[[str], Any], golden_inputs: Path, tmp_path: Path) -> None:
    """Byte for byte the cache that the historical program wrote."""
    indices, amplitudes = hkl.read(str(golden_inputs / "sparse.hkl"))
    fdump.write(str(tmp_path / "cache"), *hkl.fill_table("list", indices, amplitudes, 25.0))
    assert (tmp_path / "cache").read_bytes() == golden_case("defaultF_with_hkl").bytes_of("Fdump.bin")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected 'hmin hmax"),
        (b"0 1 0 2 -1\n\f", "expected 'hmin hmax"),
        (b"0 1 0 2 -1 0\n" + b"\0" * 288, "expected 'hmin hmax"),
        (b"0  1 0 2 -1 0\n\f" + b"\0" * 288, "expected 'hmin hmax"),
        (b"0 1 0 2 -1 0.5\n\f", "expected 'hmin hmax"),
        (b"\0" * 100, "expected 'hmin hmax"),
        (b"1 0 0 2 -1 0\n\f", "expected hmin <= hmax, got 1 and 0"),
        (b"0 9999999999 0 2 -1 0\n\f", "within 32 bits"),
        (b"-2147483649 0 0 2 -1 0\n\f", "within 32 bits"),
        (b"0 0 0 2 2147483648 2147483648\n\f", "within 32 bits"),
        (b"0 2000000000 0 2000000000 0 2000000000\n\f", "expected a table of at most"),
        (HEADER + b"\0" * 287, "expected 302 bytes .* got 301"),
        (HEADER + b"\0" * 289, "expected 302 bytes .* got 303"),
        (HEADER + struct.pack("<d", float("nan")) + b"\0" * 280, "expected finite"),
    ],
)
def test_bad_caches(content: bytes, message: str, tmp_path: Path) -> None:
    """Malformed header, wrong length, absurd size (F3.5)."""
    path = tmp_path / "cache"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=message):
        fdump.read(str(path))
