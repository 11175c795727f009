"""Structure-factor list, matrix, sources and amorphous table: values and bad input (F2, F4 to F6)."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats import amorphous, hkl, matrix, sources

DEFAULTS = (-10.0, 0.0, 0.0, 1.0, 1e-10)


def read_sources(path: str) -> object:
    """Sources with the defaults of a beam along x."""
    return sources.read(path, DEFAULTS)


READERS: dict[str, Callable[[str], object]] = {
    "hkl": hkl.read,
    "matrix": matrix.read,
    "sources": read_sources,
    "amorphous": amorphous.read,
}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize(
    ("name", "message"),
    [("missing", "No such file"), ("", "directory"), ("a\0b", "null byte"), ("x" * 300, "too long")],
)
def test_unreadable_names(reader: Callable[[str], object], name: str, message: str, tmp_path: Path) -> None:
    """Missing files, folders and impossible names are errors with a reason."""
    with pytest.raises(InputFileError, match=f"cannot be read: .*{message}"):
        reader(f"{tmp_path}/{name}")


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_devices_are_refused(reader: Callable[[str], object]) -> None:
    """A device has no size and may never end."""
    with pytest.raises(InputFileError, match="not a regular file"):
        reader("/dev/zero")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_permission(tmp_path: Path) -> None:
    """A file without permission is an error."""
    path = tmp_path / "secret"
    path.touch(mode=0)
    with pytest.raises(InputFileError, match="Permission denied"):
        hkl.read(str(path))


@pytest.mark.parametrize(
    ("reader", "text", "message"),
    [
        ("hkl", b"", r":1: expected 'h k l F', got no record at all"),
        ("hkl", b"# h k l F\n\n", r":1: expected .* no record"),
        ("hkl", b"0 0 0 1\n1 0 0\n", r":2: expected 'h k l F', got 3 numbers: '1 0 0'"),
        ("hkl", b"0 0 0 1 5\n", r":1: expected 'h k l F', got 5 numbers"),
        ("hkl", b"0 0 0\n1 0 0 0 5\n", r":1: "),
        ("hkl", b"\n\n1.5 0 0 1\n", r":3: expected an integer for h, got '1.5'"),
        ("hkl", b"1 1e0 0 1\n", r":1: expected an integer for k, got '1e0'"),
        ("hkl", b"h k l F\n0 0 0 1\n", r":1: expected a number for h, got 'h'"),
        ("hkl", b"0 0 0 1\n1 0 0 # comment\n", r":2: expected .*'#'"),
        ("hkl", b"0 0 0 nan\n", r":1: expected a number for F, got 'nan'"),
        ("hkl", b"0 0 0 inf\n", r":1: expected a number for F, got 'inf'"),
        ("hkl", b"0 0 0 1e999\n", r":1: .*finite, got '1e999'"),
        ("hkl", b"0 0 0 1_0\n", r":1: .*got '1_0'"),
        ("hkl", b"0 0 0 0x10\n", r":1: .*got '0x10'"),
        ("hkl", b"0 0 0 1,5\n", r":1: .*got '1,5'"),
        ("hkl", b"0 0 0 1\0\n", r":1: .*got '1\\x00'"),
        ("hkl", b"\xff\xfe0\0 \n", r":1: "),
        ("hkl", b"0 0 0 1\n\0\0\0\0", r":2: "),
        ("hkl", b"0 0 3000000000 1\n", r":1: expected l within 32 bits"),
        ("hkl", b"0 2147483648 0 1\n", r":1: expected k within 32 bits"),
        ("hkl", b"-2147483649 0 0 1\n", r":1: expected h within 32 bits"),
        ("hkl", b"0 0 0 " + b"9" * 5000 + b"\n", r":1: .*finite"),
        ("matrix", b"", r":1: expected 9 numbers, got 0"),
        ("matrix", b"1 0 0\n0 1 0\n0 0\n", r":3: expected 9 numbers, got 8"),
        ("matrix", b"1 0 0\n0 x 0\n0 0 1\n", r":2: expected a number, got 'x'"),
        ("matrix", b"1 0 0\n0 1 0\n1 1 0\n", r": expected a matrix that can be inverted, got determinant 0"),
        ("matrix", b"1e200 0 0 0 1e200 0 0 0 1e200\n", r": .*got determinant inf"),
        ("matrix", b"nan 0 0 0 1 0 0 0 1\n", r":1: expected a number, got 'nan'"),
        ("matrix", b"\0" * 2000, r":1: expected a number"),
        ("sources", b"", r":1: expected 'x y z weight wavelength', got no source at all"),
        ("sources", b"# nothing\n , ; \n", r":1: .*no source"),
        ("sources", b"-1 0 0 1 1D-10\n", r":1: expected a number, got '1D-10'"),
        ("sources", b"-1 0 0\n0 0 0\n", r":2: expected a direction, got 0 0 0"),
        ("sources", b"-1 0 0 1 0\n", r":1: expected a wavelength above 0"),
        ("sources", b"-1 0 0 1 -1e-10\n", r":1: expected a wavelength above 0"),
        ("sources", b"a b c\n", r":1: expected a number, got 'a'"),
        ("amorphous", b"", r":1: expected 'abscissa F'"),
        ("amorphous", b"0.1\n", r":1: expected 'abscissa F', got 1 number"),
        ("amorphous", b"0.1 2\n0.2 x\n", r":2: expected a number, got 'x'"),
    ],
)
def test_bad_content_is_named_with_its_line(reader: str, text: bytes, message: str, tmp_path: Path) -> None:
    """One line that holds path, line, what was expected and what was found."""
    path = tmp_path / "bad"
    path.write_bytes(text)
    with pytest.raises(InputFileError, match=f"^{path}{message}") as caught:
        READERS[reader](str(path))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 150
    assert caught.value.exit_code == 9


@pytest.mark.parametrize(
    "text",
    [
        b"0 0 0 100\n1 0 -1 50.5\n0 2 0 -7\n",
        b"0 0 0 100\n1 0 -1 50.5\n0 2 0 -7",
        b"0 0 0 100\r\n1 0 -1 50.5\r\n0 2 0 -7\r\n",
        b"\xef\xbb\xbf0 0 0 100\n1 0 -1 50.5\n0 2 0 -7\n",
        b"# h k l F\n\n 0\t0 0 1e2\n  # end\n1. 0.00 -1 +50.5 0 2 0 -7.\n",
    ],
)
def test_list_of_reflections(text: bytes, tmp_path: Path) -> None:
    """Line ends, byte-order mark, comments and integers with a point (F2.7); list of F13.3."""
    path = tmp_path / "list.hkl"
    path.write_bytes(text)
    indices, amplitudes = hkl.read(str(path))
    assert indices.tolist() == [[0, 0, 0], [1, 0, -1], [0, 2, 0]]
    assert amplitudes.tolist() == [100.0, 50.5, -7.0]
    assert amplitudes.dtype == np.float64


@pytest.mark.parametrize(
    ("default_F", "rows"),
    [
        (0.0, [[0, 100, 0], [0, 0, 0], [0, -7, 0], [0, 0, 0], [50.5, 0, 0]]),
        (3.0, [[3, 100, 0], [3, 3, 0], [3, -7, 0], [0, 0, 0], [50.5, 3, 0]]),
    ],
)
def test_table_of_a_list(default_F: float, rows: list[list[float]]) -> None:  # noqa: N803
    """The table of F13.3, extra planes 0 also with a default."""
    indices = np.array([[0, 0, 0], [1, 0, -1], [0, 2, 0]], dtype=np.int32)
    box, table = hkl.fill_table("list", indices, np.array([100.0, 50.5, -7.0]), default_F)
    assert box == (0, 1, 0, 2, -1, 0)
    assert table.reshape(-1, 3)[:5].tolist() == rows
    assert not table[2].any()


def test_a_default_of_minus_zero_fills_nothing() -> None:
    """Only a default that is not 0 is written into the box (F2.3), so no sign gets into the cache."""
    indices = np.array([[0, 0, 0], [2, 0, 0]], dtype=np.int32)
    _, table = hkl.fill_table("list", indices, np.array([5.0, 3.0]), -0.0)
    assert table.tobytes() == struct.pack("<16d", 5, 0, 0, 0, 0, 0, 0, 0, 3, *[0] * 7)


def test_indices_reach_both_ends_of_32_bits(tmp_path: Path) -> None:
    """Only what lies outside 32-bit integers is an error (F2.7)."""
    path = tmp_path / "list.hkl"
    for text in (b"-2147483648 0 2147483647 5\n", b"# slowly\n-2147483648 0. 2147483647 5\n"):
        path.write_bytes(text)
        assert hkl.read(str(path))[0].tolist() == [[-(2**31), 0, 2**31 - 1]]


def test_last_duplicate_counts() -> None:
    """Later records replace earlier ones (F2.4, F13.4), and can be counted."""
    indices = np.zeros((3, 3), dtype=np.int32)
    assert hkl.fill_table("list", indices, np.array([100.0, 8.0, 7.0]), 0.0)[1][0, 0, 0] == 7.0
    assert hkl.duplicates(indices) == 2


def test_absurd_box_is_refused() -> None:
    """Before any memory is asked for (F2.7)."""
    indices = np.array([[-(2**31) + 1] * 3, [2**31 - 1] * 3], dtype=np.int32)
    with pytest.raises(InputFileError, match="expected a table of at most"):
        hkl.fill_table("list", indices, np.ones(2), 0.0)


def test_matrix_ignores_what_follows(tmp_path: Path) -> None:
    """Nine numbers over any lines, then anything (F4.1, F13.5)."""
    path = tmp_path / "A.mat"
    path.write_bytes(b"0.01 0 0  0\r\n0.02 0\n 0 0 0.05 and more text \0\n")
    assert matrix.read(str(path)) == (0.01, 0, 0, 0, 0.02, 0, 0, 0, 0.05)


@pytest.mark.parametrize(
    ("line", "source"),
    [
        (b"-1 2 3 4 5e-10\n", (-1, 2, 3, 4, 5e-10)),
        (b"-1 2 3 4 5e-10 6 x\n", (-1, 2, 3, 4, 5e-10)),
        (b"-1,2;3:4!5e-10", (-1, 2, 3, 4, 5e-10)),
        (b"-1 2 3\r\n", (-1, 2, 3, 1, 1e-10)),
        (b"# comment\n ,-1 2", (-1, 2, 0, 1, 1e-10)),
    ],
)
def test_sources(line: bytes, source: tuple[float, ...], tmp_path: Path) -> None:
    """Separators, defaults for missing columns, columns beyond the fifth (F5)."""
    path = tmp_path / "sources"
    path.write_bytes(line)
    assert sources.read(str(path), DEFAULTS) == [source]


def test_amorphous_table(tmp_path: Path) -> None:
    """Two columns (F6)."""
    path = tmp_path / "table"
    path.write_bytes(b"# stol F\n0.2, 2.5 \n0.1 2.57 more\n")
    assert amorphous.read(str(path)) == [(0.2, 2.5), (0.1, 2.57)]


def test_a_long_list_is_read_fast_and_right(golden_inputs: Path) -> None:
    """The 64333 reflections of the lysozyme list."""
    indices, amplitudes = hkl.read(str(golden_inputs / "scaled.hkl"))
    assert len(amplitudes) == 64333
    first = (golden_inputs / "scaled.hkl").read_text().split()[:4]
    assert [*map(str, indices[0])] == first[:3]
    assert amplitudes[0] == float(first[3])
