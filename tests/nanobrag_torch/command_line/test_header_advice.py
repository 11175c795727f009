"""What the headers of image and mask say and a run does not do (F12.8 to F12.11)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nanobrag_torch.command_line.parse import parse

ADSC = b"""{
HEADER_BYTES=  512;
DIM=2;
BYTE_ORDER=little_endian;
TYPE=unsigned_short;
SIZE1=4;
SIZE2=3;
PIXEL_SIZE=0.102539;
BIN=2x2;
BIN_TYPE=HW;
ADC=fast;
CREV=1;
BEAMLINE=X25;
DETECTOR_SN=905;
DATE=Mon Jul  6 11:22:33 2009;
TIME=1.00;
DISTANCE=220.0000;
OSC_RANGE=1.0000;
PHI=45.0000;
OSC_START=45.0000;
TWOTHETA=0.0000;
AXIS=PHI;
WAVELENGTH=1.1000;
XDS_ORGX=2.5;
XDS_ORGY=2;
CCD_IMAGE_SATURATION=65535;
UNIF_PED=40;
}"""
PIXELS = bytes(24)


def said(
    folder: Path, header: bytes, line: str = "", option: str = "-img", pixels: bytes = PIXELS
) -> list[str]:
    """Advice about a file with this header, as level and text without its path."""
    path = folder / "x.img"
    path.write_bytes(header.ljust(512) + pixels)
    advice = parse(f"{option} {path} -xds {line}".split())[1]
    return [
        f"{piece.level} {str(piece).replace(f'{path}: ', '')}" for piece in advice if str(path) in str(piece)
    ]


def changed(key: str, entry: str) -> bytes:
    """The header with the entry of a key replaced, or ``entry`` added where there is none."""
    old = re.compile(rf"^{key}=.*\n".encode(), re.MULTILINE)
    line = f"{entry};\n".encode() if entry else b""
    return old.sub(line, ADSC) if old.search(ADSC) else ADSC.replace(b"}", line + b"}")


@pytest.mark.parametrize("option", ["-img", "-mask"])
def test_an_ordinary_header_is_read_in_silence(option: str, tmp_path: Path) -> None:
    """Every key of it is used, agrees, or is ignored by name (F12.9)."""
    assert said(tmp_path, ADSC, option=option) == []


ROWS = [
    # key, entry in its place, what is said; nothing said: ""
    ("TWOTHETA", "TWOTHETA=20.000", "TWOTHETA: the swing of 20 degrees is not applied, give -twotheta 20"),
    ("TWOTHETA", "TWOTHETA=-0.002", "TWOTHETA: the swing of -0.002 degrees is not applied"),
    ("TWOTHETA", "TWOTHETA=0.0009", ""),
    ("TWOTHETA", "TWOTHETA=none", ""),
    ("OSC_START", "OSC_START=90", "OSC_START=90 and PHI=45: the spindle starts at PHI, give -phi 90"),
    ("OSC_START", "OSC_START=45.0005", ""),
    ("PHI", "", "OSC_START=45 and no PHI, so it is 0"),
    ("OMEGA", "OMEGA=0.0", ""),
    ("OMEGA", "OMEGA=30", "OMEGA=30 .degrees.: these axes are not turned"),
    ("KAPPA", "KAPPA=-60;\nCHI=5", "CHI=5, KAPPA=-60 .degrees.: these axes"),
    ("AXIS", "AXIS=phi", ""),
    ("AXIS", "AXIS=omega;\nOMEGA=30", "AXIS: the scan turned 'omega', but the spindle turns from PHI"),
    ("WAVELENGTH", "WAVELENGTH=1.1;\nWAVELENGTH=1.10", ""),
    (
        "WAVELENGTH",
        "WAVELENGTH=1.1;\nWAVELENGTH=1.2",
        "WAVELENGTH occurs 2 times, as '1.1' and as '1.2': the last",
    ),
    ("PHI", "PHI=45;\nPHI=1;\nPHI=45", "PHI occurs 3 times, as '1' and as '45': the last counts"),
    ("PHI", "PHI=x;\nPHI=45", "PHI occurs 2 times, as 'x' and as '45': the last counts"),
    ("ORGX", "ORGX=2.5", ""),
    ("ORGX", "ORGX=3.5", "ORGX occurs 2 times, as '2.5' and as '3.5': the last counts"),
    ("BYTE_ORDER", "BYTE_ORDER=a;\nBYTE_ORDER=little_endian", "BYTE_ORDER occurs 2 times, as 'a' and"),
    ("COMMENT", "COMMENT=a;\nCOMMENT=b", ""),
    ("DISTANCE", "DISTANCE=220 mm", ""),
    ("DISTANCE", "DISTANCE=0.22 m", "DISTANCE: 'm' after the number is ignored, the number is taken in mm"),
    ("DISTANCE", "DISTANCE=220,5", "DISTANCE: ',5' after the number is ignored, the number is taken in mm"),
    ("WAVELENGTH", "WAVELENGTH=1.1 Angstrom", ""),
    ("WAVELENGTH", "WAVELENGTH=0.11 nm", "WAVELENGTH: 'nm' after the number is ignored, .* in angstroms"),
    ("PIXEL_SIZE", "PIXEL_SIZE=0.1 0.2", "PIXEL_SIZE: '0.2' after the number is ignored"),
    ("PHI", "PHI=45 OSC_RANGE=1 deg", ""),
    ("OSC_RANGE", "OSC_RANGE=1000 mdeg", "OSC_RANGE: 'mdeg' after the number is ignored"),
    ("SIZE1", "SIZE1=4.9px", "SIZE1: 4.9 is no pixel count, 4 is used"),
    ("DETECTOR_DIMENSIONS", "DETECTOR_DIMENSIONS=4 3", ""),
    ("DETECTOR_DIMENSIONS", "DETECTOR_DIMENSIONS=4", "DETECTOR_DIMENSIONS: 4 pixels, but 4 x 3 .* are used"),
    ("DETECTOR_DIMENSIONS", "DETECTOR_DIMENSIONS=3 4", "DETECTOR_DIMENSIONS: 3 x 4 pixels, but 4 x 3 "),
    ("SIZE1", "SIZE1=0;\nDETECTOR_DIMENSIONS=3 4", "DETECTOR_DIMENSIONS: 3 x 4 pixels, but 3 x 3 "),
    (
        "SOURCE_WAVELENGTH",
        "SOURCE_WAVELENGTH=1 1.5418",
        "keys SOURCE_WAVELENGTH: the geometry of d.TREK is not read",
    ),
    ("CCD_GONIO_VALUES", "CCD_GONIO_VALUES=0 20 0 0 0 50", "keys CCD_GONIO_VALUES: the geometry of d.TREK"),
    ("CCD_GONIO_NAMES", "CCD_GONIO_NAMES=RotZ RotX", ""),
    ("Wavelength", "Wavelength=1.2", "Wavelength is not read, expected WAVELENGTH in capitals"),
    ("xds_orgx", "xds_orgx=7", "xds_orgx is not read, expected XDS_ORGX in capitals"),
    ("LAMBDA", "LAMBDA=1.2;\nFOO_1=3", "does not know are ignored: LAMBDA, FOO_1$"),
    ("WAVELENGTH", "", "defaults stand for: WAVELENGTH .1 Angstrom, see -lambda.$"),
    ("DISTANCE", "", "defaults stand for: DISTANCE .100 mm, see -distance.$"),
    ("DISTANCE", "CLOSE_DISTANCE=220", ""),
    ("PIXEL_SIZE", "", "defaults stand for: PIXEL_SIZE .0.1 mm, see -pixel.$"),
    ("XDS_ORG[XY]", "", "defaults stand for: beam centre"),
    (
        "XDS_ORGX",
        "BEAM_CENTER_X=0.2",
        "BEAM_CENTER_X do not place the detector: the xds convention uses XDS_ORGX",
    ),
]
GIVEN = {
    "TWOTHETA": "-twotheta 0",
    "OSC_START": "-phi 3",
    "WAVELENGTH": "-energy 12000",
    "DISTANCE": "-close_distance 7",
    "PIXEL_SIZE": "-pixel 1",
    "XDS_ORG[XY]": "-ORGX 3 -ORGY 4",
    "XDS_ORGX": "-ORGX 3",
}
"""Options that take the place of a key."""


@pytest.mark.parametrize(("key", "entry", "expected"), ROWS)
def test_what_a_header_says_and_a_run_does_not_do(
    key: str, entry: str, expected: str, tmp_path: Path
) -> None:
    """Each row of F12.9 and F12.10, and its limits: one line that names the file, or none."""
    got = said(tmp_path, changed(key, entry))
    assert len(got) == bool(expected) or (key == "SIZE1" and len(got) == 2), got
    assert re.search(expected, "\n".join(got), re.MULTILINE)
    assert all(text.startswith("NOTE" if "does not know" in text else "WARNING") for text in got)


@pytest.mark.parametrize(
    ("key", "entry"), [(key, entry) for key, entry, expected in ROWS if key in GIVEN and expected]
)
def test_an_option_in_place_of_a_key_is_not_commented(key: str, entry: str, tmp_path: Path) -> None:
    """The user has decided (F12.10), but for what is written in the file in two ways."""
    texts = said(tmp_path, changed(key, entry), GIVEN[key])
    assert all("occurs" in text or "after the number" in text for text in texts), texts


def test_unknown_keys_are_counted(tmp_path: Path) -> None:
    """Ten names and a number fit a line (F12.9)."""
    (text,) = said(tmp_path, ADSC.replace(b"}", b"".join(b"Z%d=1\n" % i for i in range(14)) + b"}"))
    assert text == (
        "NOTE header keys that this program does not know are ignored: "
        "Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9 and 4 more"
    )


@pytest.mark.parametrize(
    ("option", "size", "expected"),
    [
        ("-img", 24, ""),
        ("-img", 0, ""),
        ("-img", 23, "23 bytes of pixels, but SIZE1, SIZE2 and TYPE say 24"),
        ("-img", 48, "48 bytes of pixels, but SIZE1, SIZE2 and TYPE say 24"),
        ("-mask", 24, ""),
        ("-mask", 48, "48 bytes of pixels, but SIZE1, SIZE2 and TYPE say 24: the rest is not read"),
    ],
)
def test_bytes_that_are_not_those_of_the_pixels(
    option: str, size: int, expected: str, tmp_path: Path
) -> None:
    """A wrong TYPE or SIZE shows in the length of the file (F12.8); a mask cut short is an error later."""
    got = said(tmp_path, ADSC, option=option, pixels=bytes(size))
    assert got == ([f"WARNING {expected}"] if expected else [])


@pytest.mark.parametrize("entry", ["TYPE=mad", "COMPRESSION=pck", "DIM=3"])
def test_the_length_of_pixels_that_are_not_read_is_unknown(entry: str, tmp_path: Path) -> None:
    """Nothing is said of an image whose pixels this program could not read, and need not (F12.8)."""
    assert said(tmp_path, changed(entry.partition("=")[0], entry), pixels=bytes(7)) == []


def test_a_centre_without_a_convention(tmp_path: Path) -> None:
    """A note under the convention that nobody chose, silence where one was chosen (F12.11)."""
    path = tmp_path / "x.img"
    header = changed("XDS_ORG[XY]", "BEAM_CENTER_X=0.2;\nBEAM_CENTER_Y=0.1")
    path.write_bytes(header.ljust(512) + PIXELS)
    (note,) = parse(["-img", str(path)])[1]
    assert (note.level, "mosflm is taken" in str(note)) == ("NOTE", True)
    for options in (["-mosflm"], ["-Xbeam", "1", "-Ybeam", "1"], ["-beam_vector", "1", "0", "0"]):
        assert parse(["-img", str(path), *options])[1] == []


def test_a_centre_that_the_convention_does_not_use(tmp_path: Path) -> None:
    """Each way round; the custom convention uses either (C4.6, F12.11)."""
    path = tmp_path / "x.img"
    path.write_bytes(ADSC.ljust(512) + PIXELS)
    (warning,) = parse(["-img", str(path), "-adxv"])[1]
    assert "ORGX, ORGY do not place the detector: the adxv convention uses BEAM_CENTER_X" in str(warning)
    assert parse(["-img", str(path), "-adxv", "-Xbeam", "1", "-Ybeam", "2"])[1] == []
    assert parse(["-img", str(path), "-beam_vector", "1", "0", "0"])[1] == []


def test_the_pixel_of_a_mask_and_of_an_image(tmp_path: Path) -> None:
    """The image wins (F12.6), which is said where it matters (F12.10)."""
    image, mask = tmp_path / "x.img", tmp_path / "m.img"
    image.write_bytes(ADSC.ljust(512) + PIXELS)
    for pixel, count in (("0.102539", 0), ("0.10254", 0), ("0.2", 1)):
        mask.write_bytes(changed("PIXEL_SIZE", f"PIXEL_SIZE={pixel}").ljust(512) + PIXELS)
        line = f"-xds -img {image} -mask {mask}".split()
        advice = parse(line)[1]
        assert len(advice) == count
        assert all(f"{pixel} mm, but {image} has 0.102539 mm" in str(piece) for piece in advice)
        assert len(parse([*line, "-pixel", "1"])[1]) == 0


def test_geometry_is_that_of_the_image_where_there_are_both(tmp_path: Path) -> None:
    """A swing of the mask does not matter beside an image, nor does what it lacks (F12.10)."""
    image, mask = tmp_path / "x.img", tmp_path / "m.img"
    image.write_bytes(changed("WAVELENGTH", "").ljust(512) + PIXELS)
    mask.write_bytes(changed("TWOTHETA", "TWOTHETA=20").ljust(512) + PIXELS)
    assert parse(f"-xds -img {image} -mask {mask}".split())[1] == []
    assert len(parse(f"-xds -mask {mask}".split())[1]) == 1


@pytest.mark.parametrize(
    ("centre", "line", "taken"),
    [
        ("0.4", "", "-0.092383 mm; give -Ybeam 0.4"),
        ("0.16", "", ""),
        ("0.4", "-Ybeam 0.4", ""),
        ("0.4", "-xds", ""),
    ],
)
def test_the_centre_of_a_mask_is_counted_from_the_far_edge(
    centre: str, line: str, taken: str, tmp_path: Path
) -> None:
    """3 rows of 0.102539 mm less BEAM_CENTER_Y (F12.4), unless another centre is in use (F12.11)."""
    header = re.sub(rb"XDS_ORG.=[^;]*;\n", b"", ADSC).replace(
        b"DISTANCE", b"BEAM_CENTER_X=0.1;\nBEAM_CENTER_Y=%s;\nDISTANCE" % centre.encode(), 1
    )
    path = tmp_path / "x.img"
    path.write_bytes(header.ljust(512) + PIXELS)
    found = {
        option: [str(text) for text in parse(f"{option} {path} {line}".split())[1] if "far edge" in str(text)]
        for option in ("-mask", "-img")
    }
    expected = f"{path}: header key BEAM_CENTER_Y: of a mask it is counted from the far edge, so that"
    assert found["-img"] == []
    assert len(found["-mask"]) == bool(taken)
    assert all(text.startswith(f"{expected} Ybeam is {taken}") for text in found["-mask"])
