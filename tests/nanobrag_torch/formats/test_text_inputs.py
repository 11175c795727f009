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


MOSFLM = b"""\
  0.01837870 -0.01187086 -0.00732621
  0.01328039  0.01776066 -0.00329326
  0.01052876 -0.00168087  0.01694236
       0.000       0.000       0.000
   0.7351479  -0.5539736  -0.3907311
   0.5312157   0.8288307  -0.1756406
   0.4211502  -0.0784407   0.9035926
     60.0000     70.0000     80.0000     90.0000     91.0000     92.0000
       0.000       0.000       0.000
"""
NINE = b"".join(MOSFLM.splitlines(keepends=True)[:3])


def read_matrix(content: bytes, folder: Path) -> matrix.MatrixFile:
    path = folder / "A.mat"
    path.write_bytes(content)
    return matrix.read(str(path))


@pytest.mark.parametrize(
    ("following", "line"),
    [
        (b" and more text \0\n", 3),
        (b"\n\n SYMM P1\n", 5),
        (b"\n1 2 3\n", 4),
        (b"\n# a comment\n ! another\n3", 6),
        (b"\n", None),
        (b"", None),
        (b"  # a comment\n! another\n\n", None),
    ],
)
def test_matrix_ignores_what_follows(following: bytes, line: int | None, tmp_path: Path) -> None:
    """Nine numbers over any lines, then anything, of which the first line is known (F4.1, F4.3, F13.5)."""
    file = read_matrix(b"0.01 0 0  0\r\n0.02 0\n 0 0 0.05" + following, tmp_path)
    assert file.numbers == (0.01, 0, 0, 0, 0.02, 0, 0, 0, 0.05)
    assert file.determinant == pytest.approx(1e-5, rel=1e-15)
    assert (file.mosflm, file.ignored_line) == (None, line)


def test_records_of_a_mosflm_file(tmp_path: Path) -> None:
    """Cell and missetting angles with their lines; U and what follows are ignored (F4.3)."""
    for content in (MOSFLM, MOSFLM + b"SYMM P222\n", MOSFLM.rstrip().rpartition(b"\n")[0]):
        file = read_matrix(content, tmp_path)
        records = file.mosflm
        assert records is not None and file.ignored_line is None
        assert (records.cell, records.cell_line) == ((60, 70, 80, 90, 91, 92), 8)
        assert (records.missets_deg, records.missets_line) == ((0, 0, 0), 4)


@pytest.mark.parametrize("line", [4, 9])
def test_missetting_angles_of_either_line(line: int, tmp_path: Path) -> None:
    """Those of the fourth line, or of the last if only these are not 0 (F4.3)."""
    lines = MOSFLM.splitlines()
    lines[line - 1] = b"5 -3 2"
    records = read_matrix(b"\n".join(lines), tmp_path).mosflm
    assert records is not None
    assert (records.missets_deg, records.missets_line) == ((5, -3, 2), line)


@pytest.mark.parametrize(
    "change",
    [
        (b"60.0000", b"-60.0"),
        (b"60.0000", b"0"),
        (b"92.0000", b"180"),
        (b"0.8288307", b"x"),
        (b"92.0000", b""),
    ],
)
def test_other_numbers_after_the_nine_are_not_those_of_mosflm(
    change: tuple[bytes, bytes], tmp_path: Path
) -> None:
    """No cell where no cell can be, or a word among the first eighteen numbers (F4.3)."""
    content = MOSFLM.replace(*change)
    if not change[1]:
        content = content.rpartition(b"90.0000")[0]
    file = read_matrix(content, tmp_path)
    assert (file.mosflm, file.ignored_line) == (None, 4)


XPARM = b"""\
     1        0.0000    1.0000  1.000000  0.000000  0.000000
       0.976800       0.000000       0.000000       1.023751
      2463      2527    0.172000    0.172000
"""
DENZO = b"""\
lysozyme frame 1
 -0.00728371 -0.00173706 -0.01994261  0.1002 -0.2003  0.3001
  0.01666918 -0.01295051 -0.00227200  0.4004  0.5005 -0.6006
  0.00123456  0.01234567 -0.00345678 -0.7007  0.8008  0.9009
osc start     0.00000 osc end     1.00000
"""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b" XPARM.XDS    VERSION Jan 10, 2022\n" + XPARM,
            "is XPARM.XDS, the geometry of XDS: expected the nine numbers",
        ),
        (XPARM, "is XPARM.XDS, .*dials.export format=mosflm"),
        (XPARM.replace(b"\n", b"\r\n"), "is XPARM.XDS, "),
        (
            DENZO,
            "is a DENZO file .*: expected the nine numbers of .*; the matrix of DENZO is in other axes",
        ),
        (b'{\n  "__id__": "ExperimentList",\n', "is an experiment list of DIALS .*dials.export"),
        (b'[{"a": 1}]', "is a JSON file: "),
    ],
)
def test_other_files_in_place_of_a_matrix(content: bytes, message: str, tmp_path: Path) -> None:
    """The message says what the file is (F1.6, F4.5)."""
    with pytest.raises(InputFileError, match=f"A.mat: {message}"):
        read_matrix(content, tmp_path)


@pytest.mark.parametrize(
    "content",
    [NINE, b"\n" + NINE, b"0.1 0 0 0 0.1 0\n0 0 0.1\n", b"1 0 0 0 1 0\n0 0 1\n", b"1 0 0 0 1 0 0 0 1"],
)
def test_a_matrix_is_not_taken_for_another_file(content: bytes, tmp_path: Path) -> None:
    """However its numbers are spread over lines (F4.1)."""
    assert len(read_matrix(content, tmp_path).numbers) == 9


@pytest.mark.parametrize("reader", ["matrix", "sources", "amorphous"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_text_in_another_encoding_is_named(reader: str, encoding: str, tmp_path: Path) -> None:
    """Windows programs write UTF-16 when asked for Unicode (F1.6)."""
    path = tmp_path / "x"
    path.write_bytes("-1 2 3 4 5 6 7 9 8\n".encode(encoding))
    with pytest.raises(InputFileError, match=f"is text in {encoding[:6].upper()}: expected plain text"):
        READERS[reader](str(path))


@pytest.mark.parametrize("reader", ["matrix", "sources", "amorphous"])
def test_the_mark_of_utf_8_is_skipped(reader: str, tmp_path: Path) -> None:
    """The same numbers with and without (F1.6)."""
    path = tmp_path / "x"
    found = []
    for mark in (b"", b"\xef\xbb\xbf"):
        path.write_bytes(mark + b"-1 2 3 4 5 6 7 9 8\n")
        found.append(READERS[reader](str(path)))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("text", "source", "line", "further"),
    [
        (b"-1 2 3 4 5e-10\n", (-1, 2, 3, 4, 5e-10), 1, 0),
        (b"-1 2 3 4 5e-10 6 x\n", (-1, 2, 3, 4, 5e-10), 1, 2),
        (b"-1 2 3 4 5e-10 # 6 x\n", (-1, 2, 3, 4, 5e-10), 1, 0),
        (b"-1 2 3 4 5e-10 6 # x\n", (-1, 2, 3, 4, 5e-10), 1, 1),
        (b"-1,2;3:4!5e-10", (-1, 2, 3, 4, 5e-10), 1, 0),
        (b"\n-1 2 3\r\n", (-1, 2, 3, 1, 1e-10), 2, 0),
        (b"# comment\n ,-1 2", (-1, 2, 0, 1, 1e-10), 2, 0),
    ],
)
def test_sources(text: bytes, source: tuple[float, ...], line: int, further: int, tmp_path: Path) -> None:
    """Separators, defaults for missing columns, columns beyond the fifth, which are counted (F5)."""
    path = tmp_path / "sources"
    path.write_bytes(text)
    assert sources.read(str(path), DEFAULTS) == [(*source, line, further)]


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
