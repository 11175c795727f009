"""SMV, float and PGM files, number format and writing (F1.3, F7, F10 to F12, C5)."""

from __future__ import annotations

import dataclasses
import os
import stat
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nanobrag_torch.errors import InputFileError, OutputFileError
from nanobrag_torch.formats import float_image, pgm, smv
from nanobrag_torch.formats.atomic_write import check_writable, write_file
from nanobrag_torch.formats.general_format import g6
from nanobrag_torch.formats.smv_header import SmvFields, header_bytes, read_header

SAMPLE = SmvFields(
    width=8,
    height=8,
    pixel_mm=0.1,
    distance_mm=100.0,
    wavelength_A=1.0,
    beam_center_mm=(0.45, 0.45),
    adxv_center_mm=(0.5, 0.3),
    mosflm_center_mm=(0.45, 0.45),
    denzo_beam_mm=(0.5, 0.5),
    dials_origin_mm=(-0.5, 0.5, -100.0),
    xds_org_pixels=(5.5, 5.5),
    close_distance_mm=100.0,
    phi_deg=0.0,
    osc_deg=0.0,
    twotheta_deg=0.0,
)
SAMPLE_TEXT = (
    "{ HEADER_BYTES=512; DIM=2; BYTE_ORDER=little_endian; TYPE=unsigned_short; SIZE1=8; SIZE2=8; "
    "PIXEL_SIZE=0.1; DISTANCE=100; WAVELENGTH=1; BEAM_CENTER_X=0.45; BEAM_CENTER_Y=0.45; "
    "ADXV_CENTER_X=0.5; ADXV_CENTER_Y=0.3; MOSFLM_CENTER_X=0.45; MOSFLM_CENTER_Y=0.45; "
    "DENZO_X_BEAM=0.5; DENZO_Y_BEAM=0.5; DIALS_ORIGIN=-0.5,0.5,-100 XDS_ORGX=5.5; XDS_ORGY=5.5; "
    "CLOSE_DISTANCE=100; PHI=0; OSC_START=0; OSC_RANGE=0; TWOTHETA=0; DETECTOR_SN=000; BEAMLINE=fake; }"
)
GOOD_HEADER = b"{\nHEADER_BYTES=512;\nBYTE_ORDER=little_endian;\nSIZE1=4;\nSIZE2=3;\nPIXEL_SIZE=0.1;\n}\f"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (100, "100"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (123456, "123456"),
        (1234567, "1.23457e+06"),
        (999999.5, "1e+06"),
        (89.2926123, "89.2926"),
        (-0.0, "-0"),
    ],
)
def test_general_format(number: float, text: str) -> None:
    """Samples of F1.3."""
    assert g6(number) == text


def test_header_of_the_sample() -> None:
    """F7.4: form feed at offset 447, blanks to byte 512."""
    header = header_bytes(SAMPLE)
    assert len(header) == 512
    assert header[:447].decode() == SAMPLE_TEXT.replace(" ", "\n")
    assert header[447:448] == b"\f"
    assert header[448:] == b" " * 64


def test_long_header_tells_its_length() -> None:
    """More than 512 bytes are padded to the next multiple (F7.2)."""
    x = -1.23456e-105
    long = dataclasses.replace(
        SAMPLE,
        beam_center_mm=(x, x),
        adxv_center_mm=(x, x),
        mosflm_center_mm=(x, x),
        denzo_beam_mm=(x, x),
        dials_origin_mm=(x, x, x),
    )
    header = header_bytes(long)
    assert len(header) == 1024
    assert b"HEADER_BYTES=1024;" in header
    assert header.index(b"\f") > 511


@pytest.mark.parametrize(
    ("case", "name"),
    [
        ("file_names", "i.img"),
        ("int_autoscale_xds", "intimage.img"),
        ("noise_medium", "noiseimage.img"),
    ],
)
def test_golden_image_is_read_and_written_back(
    case: str, name: str, golden_case: Callable[[str], Any], tmp_path: Path
) -> None:
    """Reading the header of a historical image and writing it again gives the same bytes."""
    content = golden_case(case).bytes_of(name)
    path = tmp_path / "image.img"
    path.write_bytes(content)
    header = read_header(str(path))

    def number(key: str) -> float:
        value = header.number(key)
        assert value is not None
        return value

    origin = header.values["DIALS_ORIGIN"].split(",")
    fields = SmvFields(
        width=header.width,
        height=header.height,
        pixel_mm=number("PIXEL_SIZE"),
        distance_mm=number("DISTANCE"),
        wavelength_A=number("WAVELENGTH"),
        beam_center_mm=(number("BEAM_CENTER_X"), number("BEAM_CENTER_Y")),
        adxv_center_mm=(number("ADXV_CENTER_X"), number("ADXV_CENTER_Y")),
        mosflm_center_mm=(number("MOSFLM_CENTER_X"), number("MOSFLM_CENTER_Y")),
        denzo_beam_mm=(number("DENZO_X_BEAM"), number("DENZO_Y_BEAM")),
        dials_origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
        xds_org_pixels=(number("ORGX"), number("ORGY")),
        close_distance_mm=number("CLOSE_DISTANCE"),
        phi_deg=number("PHI"),
        osc_deg=number("OSC_RANGE"),
        twotheta_deg=number("TWOTHETA"),
    )
    smv.write(str(tmp_path / "again.img"), fields, smv.read_pixels(str(path)))
    assert (tmp_path / "again.img").read_bytes() == content


def smv_file(folder: Path, header: bytes, pixels: int = 24) -> str:
    """Path of an SMV file with the given header text."""
    path = folder / "x.img"
    path.write_bytes(header.ljust(512) + b"\1\0" * (pixels // 2))
    return str(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"{\nHEADER", b"{ HEADER", "expected an SMV header"),
        (b"SIZE1=4", b"SIZE1=0", "SIZE1: expected a pixel count"),
        (b"SIZE1=4", b"SIZE1=-4", "SIZE1: expected a pixel count"),
        (b"SIZE1=4", b"SIZE1=9e99", "SIZE1: expected a pixel count"),
        (b"SIZE1=4", b"SIZE1=four", "SIZE1: expected a finite number, got 'four'"),
        (b"SIZE2=3;", b"", "SIZE2: .*got 'nothing'"),
        (b"BYTE_ORDER=little_endian;", b"", "BYTE_ORDER: expected"),
        (b"BYTES=512", b"BYTES=513", "HEADER_BYTES: expected an even number"),
        (b"BYTES=512", b"BYTES=0", "HEADER_BYTES: expected an even number"),
        (b"BYTES=512", b"BYTES=1e300", "HEADER_BYTES: expected an even number"),
        (b"BYTES=512", b"BYTES=4096", "expected a header of 4096 bytes, got a file of"),
        (b"SIZE1=4", b"SIZE1=2000000000", "expected 12000000000 bytes of pixels, got 24"),
        (b"SIZE1=4", b"SIZE1=5", "expected 30 bytes of pixels, got 24 bytes"),
    ],
)
def test_bad_headers(old: bytes, new: bytes, message: str, tmp_path: Path) -> None:
    """Every rule of F12.7 names the file and the key."""
    path = smv_file(tmp_path, GOOD_HEADER.replace(old, new))
    with pytest.raises(InputFileError, match=f"^{path}.*{message}"):
        smv.read_pixels(path)


@pytest.mark.parametrize("content", [b"", b"{\nHEADER_BYTES=512;\n", b"\0" * 600])
def test_truncated_and_empty_images(content: bytes, tmp_path: Path) -> None:
    """Shorter than 512 bytes, or not SMV at all (F12.1)."""
    path = tmp_path / "x.img"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match="expected a"):
        read_header(str(path))


def test_whole_keywords_and_the_last_value_count(tmp_path: Path) -> None:
    """DISTANCE is not found inside CLOSE_DISTANCE; XDS_ORGX stands for ORGX (F12.7, HD-HDR-2)."""
    text = GOOD_HEADER.replace(b"}", b"CLOSE_DISTANCE=7;\nORGX=1;\nXDS_ORGX= 2.5 px;\nPHI=1;\nPHI=\t3;\n}")
    header = read_header(smv_file(tmp_path, text))
    assert header.number("DISTANCE") is None
    assert header.number("CLOSE_DISTANCE") == 7.0
    assert header.number("ORGX") == 2.5
    assert header.number("PHI") == 3.0


def test_longer_header(tmp_path: Path) -> None:
    """Pixels begin where HEADER_BYTES says, and keys may lie beyond byte 512 (F12.3)."""
    text = GOOD_HEADER.replace(b"=512", b"=1024").replace(b"}\f", b"").ljust(600) + b"PHI=4;\n}\f"
    path = tmp_path / "x.img"
    path.write_bytes(text.ljust(1024) + bytes(range(24)))
    assert read_header(str(path)).number("PHI") == 4.0
    assert smv.read_pixels(str(path))[0].tolist() == [0x0100, 0x0302, 0x0504, 0x0706]


TYPE_NAMES = {
    "B": "unsigned_byte unsigned_char byte signed_char UNSIGNED_BYTE",
    "H": "unsigned_short Unsigned_Short signed_short short unsigned-short",
    "I": "signed_long unsigned_long long unsigned_int signed_int int integer INTEGER",
    "f": "float",
    "d": "double",
}
TYPES = [(code, name) for code, names in TYPE_NAMES.items() for name in names.split()]
TYPES += [("H", "unsigned short int"), ("I", " long  int "), ("f", "float IEEE")]


def typed(folder: Path, keys: bytes, pixels: bytes, order: bytes = b"little_endian") -> str:
    """Path of an image of 4 x 3 pixels whose header has ``keys``."""
    header = GOOD_HEADER.replace(b"little_endian", order).replace(b"}", keys + b"\n}")
    path = folder / "x.img"
    path.write_bytes(header.ljust(512) + pixels)
    return str(path)


@pytest.mark.parametrize(("code", "name"), TYPES)
@pytest.mark.parametrize("order", ["little", "big"])
def test_pixels_of_every_type(code: str, name: str, order: str, tmp_path: Path) -> None:
    """As many bytes as TYPE says, in the byte order of the header (F12.8)."""
    numbers = [0, 1, 127, 0, 0, 100, 0, 2, 3, 4, 5, 0]
    pixels = struct.pack(f"{'<' if order == 'little' else '>'}12{code}", *numbers)
    path = typed(tmp_path, f"TYPE={name};".encode(), pixels, f"{order}_endian".encode())
    assert smv.read_pixels(path).tolist() == np.reshape(numbers, (3, 4)).tolist()


def test_the_sign_of_a_real_zero_does_not_matter(tmp_path: Path) -> None:
    """Minus 0 is 0, the smallest number and no number are not; each byte order has its sign bit (F12.8)."""
    numbers = [0.0, -0.0, 5e-324, -5e-324, float("nan"), 1.0] * 2
    for order, letter in ((b"little_endian", "<"), (b"big_endian", ">")):
        path = typed(tmp_path, b"TYPE=double;", struct.pack(f"{letter}12d", *numbers), order)
        masked = (smv.read_pixels(path) == 0).reshape(-1).tolist()
        assert masked == [True, True, False, False, False, False] * 2


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (b"TYPE=mad;", "TYPE: expected one of unsigned_byte .* double, got 'mad'"),
        (b"TYPE=;", "TYPE: expected one of .* got ''"),
        (b"TYPE=signed_long;", "expected 48 bytes of pixels, got 24 bytes"),
        (b"TYPE=double;", "expected 96 bytes of pixels, got 24 bytes"),
        (b"DATA_TYPE=float;", "expected 48 bytes of pixels, got 24 bytes"),
        (b"Data_type=long int;", "expected 48 bytes of pixels, got 24 bytes"),
        (
            b"TYPE=unsigned_short;\nData_type=long int;",
            "TYPE and Data_type: unsigned_short and long int, expected",
        ),
        (b"TYPE=float;\nDATA_TYPE=integer;", "TYPE and DATA_TYPE: float and integer, expected one type"),
        (b"DIM=3;", "DIM: expected 2, got '3'"),
        (b"DIM=two;", "DIM: expected 2, got 'two'"),
        (b"COMPRESSION=pck;", "COMPRESSION: expected none, got 'pck'"),
    ],
)
def test_pixels_that_cannot_be_read(keys: bytes, message: str, tmp_path: Path) -> None:
    """The message names the keys and what was expected (F12.7, F12.8)."""
    path = typed(tmp_path, keys, bytes(24))
    with pytest.raises(InputFileError, match=f"^{path}: .*{message}"):
        smv.read_pixels(path)


@pytest.mark.parametrize(
    "keys",
    [b"TYPE=unsigned_short;\nData_type=short int;", b"DIM=2;\nCOMPRESSION=None;", b"COMPRESSION=0;", b""],
)
def test_keys_of_pixels_that_agree(keys: bytes, tmp_path: Path) -> None:
    """Two names of two bytes are one type, and the default has two bytes (F12.8)."""
    assert smv.read_pixels(typed(tmp_path, keys, bytes(24))).nbytes == 24


def test_a_value_ends_at_the_next_key(tmp_path: Path) -> None:
    """Also where neither semicolons nor line ends part them (F12.8)."""
    text = GOOD_HEADER.replace(b";\n", b" ").replace(b"HEADER_BYTES=512 ", b"HEADER_BYTES=512\nTYPE=short ")
    header = read_header(smv_file(tmp_path, text))
    assert (header.word("TYPE"), header.word("BYTE_ORDER"), header.word("PIXEL_SIZE")) == (
        "short",
        "little_endian",
        "0.1",
    )
    assert header.word("MISSING") == ""


def test_float_image_is_nothing_but_pixels(tmp_path: Path) -> None:
    """Fast index first (F1.1, F10)."""
    image = np.arange(6, dtype=np.float32).reshape(2, 3)
    float_image.write(str(tmp_path / "f.bin"), image.T)
    assert (tmp_path / "f.bin").read_bytes() == image.T.tobytes()


def test_pgm_header(tmp_path: Path) -> None:
    """Bytes of F13.2."""
    pgm.write(str(tmp_path / "x.pgm"), np.zeros((4, 4), dtype=np.uint8), 1.0)
    expected = bytes.fromhex("50350a3420340a2320706978656c73207363616c656420627920310a3235350a")
    assert (tmp_path / "x.pgm").read_bytes() == expected + bytes(16)


def test_nothing_is_left_after_a_failure(tmp_path: Path) -> None:
    """The old file stays, the new one disappears (C5)."""
    path = tmp_path / "out"
    path.write_bytes(b"old")

    descriptors = len(os.listdir("/proc/self/fd"))
    with pytest.raises(TypeError):
        write_file(str(path), b"x" * 100000, object())  # type: ignore[arg-type]
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]
    assert path.read_bytes() == b"old"
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_full_disk(tmp_path: Path) -> None:
    """The reason of the operating system is passed on."""
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with pytest.raises(OutputFileError, match="/dev/full: cannot be written: No space left"):
        write_file("/dev/full", b"x" * 100000)


@pytest.mark.parametrize("writer", [check_writable, lambda path: write_file(path, b"x")])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none/out", "No such file"),
        ("", "folder|directory"),
        ("file/out", "Not a directory"),
        ("x" * 300, "too long"),
    ],
)
def test_impossible_outputs(writer: Callable[[str], None], name: str, message: str, tmp_path: Path) -> None:
    """Found out before a long run, and again when written."""
    (tmp_path / "file").touch()
    with pytest.raises(OutputFileError, match=f"cannot be written: .*({message})"):
        writer(f"{tmp_path}/{name}")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_check_leaves_no_trace(tmp_path: Path) -> None:
    """Neither a new file nor a change of the old one."""
    check_writable(str(tmp_path / "new"))
    assert not list(tmp_path.iterdir())
    (tmp_path / "old").write_bytes(b"old")
    check_writable(str(tmp_path / "old"))
    assert (tmp_path / "old").read_bytes() == b"old"


def test_permissions_and_links_survive(tmp_path: Path) -> None:
    """A file written through a link keeps its permissions; the link stays a link."""
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    write_file(str(tmp_path / "link"), b"new", memoryview(b"er"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"newer"
    assert stat.S_IMODE((tmp_path / "real").stat().st_mode) == 0o640


def test_devices_are_not_replaced() -> None:
    """Output to the null device is thrown away, the device stays."""
    check_writable("/dev/null")
    write_file("/dev/null", b"x")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
