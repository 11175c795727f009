"""Centres that an image header states: written, and compared when they come back (P2.9, F12.11)."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.formats.smv_header import header_bytes
from nanobrag_torch.image_header import smv_fields
from nanobrag_torch.setup.build import experiment

CONVENTIONS = ["mosflm", "denzo", "adxv", "xds", "dials"]
GEOMETRIES = {
    "middle": "-detpixels_f 20 -detpixels_s 14",
    "centre": "-detpixels_f 20 -detpixels_s 14 -pixel 0.172 -distance 231.27466 {}",
    "full frame": "-detpixels_f 2463 -detpixels_s 2527 -pixel 0.172 -close_distance 231.27466 {}",
    "far away": "-detpixels 8 -pixel 0.05 -distance 1234.567 {}",
}
CENTRES = {
    "middle": ("", ""),
    "centre": ("-Xbeam 1.2345 -Ybeam 0.777", "-ORGX 3.3 -ORGY 11.7"),
    "full frame": ("-Xbeam 213.907 -Ybeam 217.742", "-ORGX 1265.94 -ORGY 1243.65"),
    "far away": ("-Xbeam -150.123 -Ybeam 161.77", "-ORGX -3001.2 -ORGY 2755.1"),
}
CRYSTAL = "-cell 50 50 50 -default_F 1"

Said = Callable[[str], list[str]]


def written(line: str, **changes: object) -> bytes:
    """The header that a run writes, with other numbers in place of its own."""
    fields = smv_fields(experiment(parse(f"{CRYSTAL} {line}".split())[0]))
    return header_bytes(dataclasses.replace(fields, **changes))  # type: ignore[arg-type]


def place_header(header: bytes, name: str = "x.img") -> None:
    """An image with this header and without pixels; a mask needs them."""
    Path(name).write_bytes(header + (b"\1\0" * (20 * 14) if name == "m.img" else b""))


@pytest.fixture
def said() -> Said:
    """What building the experiment of a command line says of its headers, whether said before or not."""

    def run(line: str) -> list[str]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            experiment(parse(f"{CRYSTAL} {line}".split())[0])
        return [text for entry in caught if ".img" in (text := str(entry.message))]

    return run


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_plain_round_trip_is_silent(convention: str, geometry: str, said: Said) -> None:
    """Six digits of a header are enough for its own convention (F1.3, F12.11)."""
    for centre in set(CENTRES[geometry]):
        place_header(written(f"-{convention} {GEOMETRIES[geometry].format(centre)}"))
        assert said(f"-{convention} -img x.img") == []


@pytest.mark.parametrize("read", CONVENTIONS)
@pytest.mark.parametrize("wrote", CONVENTIONS)
def test_another_convention_is_found_out(wrote: str, read: str, said: Said) -> None:
    """And the one under which the file was written is named; XDS and DIALS place the detector alike."""
    place_header(written(f"-{wrote} {GEOMETRIES['centre'].format(' '.join(CENTRES['centre']))}"))
    got = said(f"-{read} -img x.img")
    alike = {wrote, read} <= {"xds", "dials"} or wrote == read
    assert len(got) == (not alike), got
    if got:
        assert (
            "x.img: header key " in got[0] and f"read under the {read} convention the header gives" in got[0]
        )
        hint = "-xds or -dials" if wrote in ("xds", "dials") else f"-{wrote}"
        assert f"it was written with {hint};" in got[0]


def test_both_values_are_named(said: Said) -> None:
    """By hand: BEAM_CENTER 1.95, 2.95 mm of an XDS file read as MOSFLM, pixels of 0.1 mm.

    The fast coordinate is then 2.95 + 0.05 mm, while the file has 1.95 mm.
    """
    place_header(written("-xds -detpixels 64 -ORGX 20 -ORGY 30"))
    (text,) = said("-img x.img")
    assert (
        "header key ADXV_CENTER_X states 1.95, but read under the mosflm convention the header gives 3:"
        in text
    )


ROTATED = "-detpixels 64 -detector_rotx 5 -detector_roty 2"


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_rotations_are_not_in_a_header(convention: str, said: Said) -> None:
    """Said without them, silent with those of the run that wrote the file."""
    place_header(written(f"-{convention} {ROTATED}"))
    (text,) = said(f"-{convention} -img x.img")
    assert "no convention fits without rotations" in text
    assert said(f"-{convention} -img x.img -detector_rotx 5 -detector_roty 2") == []


def test_a_turn_about_the_beam_is_seen_in_the_origin(said: Said) -> None:
    """Beam, near point and distances stay; only DIALS_ORIGIN tells (P2.9)."""
    place_header(written("-detpixels 64 -detector_rotx 5"))
    (text,) = said("-img x.img")
    assert "header key DIALS_ORIGIN states" in text


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_swing_is_said_once(convention: str, said: Said) -> None:
    """By the key TWOTHETA (F12.10), so that the centres that follow from it are not said again (F12.11).

    A file of a convention that pivots about the beam cannot be read back, with the swing or without: the
    near distance in it is that of the swung detector (HD-DET-1).
    """
    place_header(written(f"-{convention} -detpixels 64 -twotheta 20"))
    for option in ("", "-twotheta 20"):
        assert len(said(f"-{convention} -img x.img {option}")) == (convention not in ("xds", "dials"))
    (swing,) = parse(f"-{convention} -img x.img".split())[1]
    assert "TWOTHETA" in str(swing)


@pytest.mark.parametrize(
    "options",
    [
        "-detector_rotx 5",
        "-twotheta 20",
        "-distance 70",
        "-detpixels 9",
        "-pixel 0.3",
        "-Xbeam 2",
        "-pivot sample",
    ],
)
def test_options_that_move_the_detector_contradict_no_header(options: str, said: Said) -> None:
    """The user turns a detector whose header is sound; the command line beats the header (C4.1)."""
    place_header(written("-detpixels 64"))
    assert [text for text in said(f"-img x.img {options}") if "x.img" in text] == []


def test_centres_of_the_command_line_are_not_compared(said: Said) -> None:
    """Where both are given, that of the header is not used (C4.6)."""
    place_header(written("-xds -detpixels 64 -ORGX 20 -ORGY 30"))
    assert said("-img x.img -Xbeam 3 -Ybeam 4") == []
    assert len(said("-img x.img -Xbeam 3")) == 1
    assert len(said("-dials -img x.img -Xbeam 3 -Ybeam 4")) == 0


@pytest.mark.parametrize(("shift", "count"), [(0.024, 0), (0.026, 1), (-0.026, 1)])
@pytest.mark.parametrize("key", ["adxv_center_mm", "mosflm_center_mm", "denzo_beam_mm"])
def test_a_quarter_of_a_pixel(key: str, shift: float, count: int, said: Said) -> None:
    """Pixels of 0.1 mm: up to 0.025 mm is rounding (F12.11)."""
    values = {"adxv_center_mm": (3.25, 3.15), "mosflm_center_mm": (3.25, 3.25), "denzo_beam_mm": (3.3, 3.3)}
    line = "-detpixels 64"
    fields = smv_fields(experiment(parse(f"{CRYSTAL} {line}".split())[0]))
    x, y = getattr(fields, key)
    assert (x, y) == pytest.approx(values[key], abs=0.06)
    for changed in ((x + shift, y), (x, y + shift)):
        place_header(written(line, **{key: changed}))
        assert len(said("-img x.img")) == count


@pytest.mark.parametrize(("distance", "count"), [(100.005, 0), (100.02, 1), (99.9, 1)])
def test_two_distances_that_fit_a_tilt_only(distance: float, count: int, said: Said) -> None:
    """Both are named; one of the command line is not compared (C4.5, F12.11)."""
    place_header(written("-detpixels 64", distance_mm=distance))
    got = said("-img x.img")
    assert len(got) == count
    assert all(f"DISTANCE and CLOSE_DISTANCE: {distance:g} and 100 mm fit only a" in text for text in got)
    assert said("-img x.img -close_distance 80") == []


def test_a_mask_counts_its_centre_from_the_far_side(said: Said) -> None:
    """An image as mask, without an image beside it: one warning says why (P2.1)."""
    line = "-detpixels_f 20 -detpixels_s 14 -Xbeam 0.4 -Ybeam 0.9"
    place_header(written(line), "m.img")
    (text,) = said("-mask m.img")
    assert "BEAM_CENTER_Y of a mask from the far side" in text
    place_header(written(line), "x.img")
    assert said("-mask m.img -img x.img") == []
    assert said("-mask m.img -Xbeam 0.4 -Ybeam 0.9") == []


def test_a_header_without_other_centres_agrees_with_everything(said: Said) -> None:
    """There is nothing to compare in what most beamlines write (F12.11)."""
    header = b"{\nHEADER_BYTES=512;\nBYTE_ORDER=little_endian;\nSIZE1=4;\nSIZE2=3;\nPIXEL_SIZE=0.1;\n"
    header += b"DISTANCE=90;\nWAVELENGTH=1;\nBEAM_CENTER_X=7;\nBEAM_CENTER_Y=9;\nDIALS_ORIGIN=1,2;\n}"
    place_header(header.ljust(512))
    assert said("-mosflm -img x.img") == []


def test_an_impossible_header_that_options_replace_is_no_error(said: Said) -> None:
    """Its own run could not be placed; then there is nothing to compare it with but this run (C4.1)."""
    place_header(written("-detpixels 64").replace(b"SIZE1=64;\nSIZE2=64", b"SIZE1=99999;\nSIZE2=99999"))
    got = said("-img x.img -detpixels 64")
    assert [text for text in got if "header key" in text] == []
