"""Detector: conventions, sizes, centres, placement, region of interest, mask and sensor (P2, P4.1, C4)."""

from __future__ import annotations

import dataclasses
import math
import random
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.command_line.request import Convention, Pivot, Request
from nanobrag_torch.errors import InputFileError, UsageError
from nanobrag_torch.physics.vectors import Vec3
from nanobrag_torch.setup.detector import Axes, convention_axes, place
from nanobrag_torch.setup.experiment import Detector

Triple = tuple[float, float, float]
Pair = tuple[float, float]

MM = 1e-3
ROUNDING = 1e-15
"""Metres: a few operations on lengths of a decimetre round by far less than a pixel's trillionth."""

TABLE = {
    Convention.ADXV: "b 0 0 1  f 1 0 0  s 0 -1 0  o 0 0 1  t -1 0 0  p 1 0 0  u 1 0 0",
    Convention.MOSFLM: "b 1 0 0  f 0 0 1  s 0 -1 0  o 1 0 0  t 0 0 -1  p 0 0 1  u 0 0 1",
    Convention.DENZO: "b 1 0 0  f 0 0 1  s 0 -1 0  o 1 0 0  t 0 0 -1  p 0 0 1  u 0 0 1",
    Convention.XDS: "b 0 0 1  f 1 0 0  s 0 1 0  o 0 0 1  t 1 0 0  p 1 0 0  u 1 0 0",
    Convention.DIALS: "b 0 0 1  f 1 0 0  s 0 1 0  o 0 0 1  t 0 1 0  p 0 1 0  u 0 1 0",
    Convention.CUSTOM: "b 1 0 0  f 0 0 1  s 0 -1 0  o 1 0 0  t 0 1 0  p 0 0 1  u 0 0 1",
}
"""The columns of P2.4."""
LETTERS = {
    "b": "beam",
    "f": "fdet",
    "s": "sdet",
    "o": "odet",
    "t": "twotheta",
    "p": "polar",
    "u": "spindle",
}
USER_VECTORS: dict[str, Triple] = {
    "beam_vector": (3.0, 0.0, 4.0),
    "fdet_vector": (0.0, 6.0, 8.0),
    "sdet_vector": (0.0, -8.0, 6.0),
    "odet_vector": (0.0, 0.0, -1.0),
    "twotheta_axis": (0.0, 5.0, 12.0),
    "polar_vector": (5.0, 12.0, 0.0),
    "spindle_axis": (0.0, -2.0, 0.0),
}
NAMED = [convention for convention in Convention if convention is not Convention.CUSTOM]
PIVOTS = {
    Convention.ADXV: Pivot.BEAM,
    Convention.MOSFLM: Pivot.BEAM,
    Convention.DENZO: Pivot.BEAM,
    Convention.XDS: Pivot.SAMPLE,
    Convention.DIALS: Pivot.SAMPLE,
}


def asked(line: str) -> Request:
    """Request of a command line."""
    return parse(line.split())[0]


def placed(request: Request) -> Detector:
    """The detector of ``request`` with the vectors of its convention."""
    return place(request, convention_axes(request))


def floats(v: Vec3) -> Triple:
    """Components as plain numbers."""
    return float(v[0]), float(v[1]), float(v[2])


def columns(convention: Convention) -> dict[str, Triple]:
    """The vectors of one column of the table, by their names in the code."""
    words = TABLE[convention].split()
    return {
        LETTERS[words[i]]: (float(words[i + 1]), float(words[i + 2]), float(words[i + 3]))
        for i in range(0, 28, 4)
    }


def as_columns(axes: Axes) -> dict[str, Triple]:
    """The vectors in force as plain numbers."""
    return {name: floats(getattr(axes, name)) for name in LETTERS.values()}


def direct_beam(detector: Detector, beam: Triple) -> Pair:
    """Fast and slow coordinates in metres at which the beam through the origin meets the plane."""
    matrix = np.array([floats(detector.fdet), floats(detector.sdet), [-x for x in beam]]).T
    fast, slow, _ = np.linalg.solve(matrix, -np.array(floats(detector.pix0_m)))
    return float(fast), float(slow)


def near_point(detector: Detector) -> Triple:
    """Fast, slow and normal coordinates in metres of the sample's foot on the plane, from pix0."""
    inverse = np.linalg.inv(np.array([floats(v) for v in (detector.fdet, detector.sdet, detector.odet)]).T)
    fast, slow, normal = (inverse @ np.array(floats(detector.pix0_m))).tolist()
    return -fast, -slow, normal


def small(convention: Convention, **given: object) -> Request:
    """6 x 4 pixels of half a millimetre, so 3 mm along fast and 2 mm along slow, at 100 mm."""
    base = Request(convention=convention, pixel_m=0.5 * MM, fast_pixels=6, slow_pixels=4)
    return dataclasses.replace(base, **given)  # type: ignore[arg-type]


# conventions and vectors


@pytest.mark.parametrize("convention", Convention)
def test_vectors_of_the_conventions(convention: Convention) -> None:
    """Without user vectors every convention has its column of P2.4, CUSTOM its start values."""
    assert as_columns(convention_axes(Request(convention=convention))) == columns(convention)


@pytest.mark.parametrize("convention", NAMED)
def test_a_named_convention_overwrites_user_vectors(convention: Convention) -> None:
    """The seven vectors of the user are lost (P2.4, HD-CLI-6)."""
    request = dataclasses.replace(Request(convention=convention), **USER_VECTORS)  # type: ignore[arg-type]
    assert as_columns(convention_axes(request)) == columns(convention)


def test_custom_takes_the_users_vectors_normalised() -> None:
    """All are brought to length 1 except the two-theta axis (P2.4, P2.5, HD-DET-4)."""
    request = dataclasses.replace(Request(convention=Convention.CUSTOM), **USER_VECTORS)  # type: ignore[arg-type]
    expected = {
        "beam": (0.6, 0.0, 0.8),
        "fdet": (0.0, 0.6, 0.8),
        "sdet": (0.0, -0.8, 0.6),
        "odet": (0.0, 0.0, -1.0),
        "twotheta": (0.0, 5.0, 12.0),
        "polar": (5.0 / 13.0, 12.0 / 13.0, 0.0),
        "spindle": (0.0, -1.0, 0.0),
    }
    assert as_columns(convention_axes(request)) == expected


def test_custom_keeps_its_start_values_where_the_user_is_silent() -> None:
    """Whatever convention option came before, the rest is the CUSTOM column (P2.4, C4.7)."""
    got = as_columns(convention_axes(asked("-xds -spindle_axis 0 3 0")))
    assert got == columns(Convention.CUSTOM) | {"spindle": (0.0, 1.0, 0.0)}


@pytest.mark.parametrize("odet", [(0.6, 0.8, 0.0), (0.0, -1.0, 0.0)])
def test_a_normal_of_length_exactly_one_is_kept(odet: Triple) -> None:
    """Its direction does not matter, even if it lies in the detector plane (P2.5, HD-DET-3)."""
    got = convention_axes(Request(convention=Convention.CUSTOM, odet_vector=odet))
    assert floats(got.odet) == odet


@pytest.mark.parametrize("odet", [(2.0, 0.0, 0.0), (0.0, 0.9999999999, 0.0), (0.577, 0.577, 0.577)])
def test_any_other_normal_is_replaced_by_fast_cross_slow(odet: Triple, advice: Callable[[], str]) -> None:
    """The direction the user gave is lost and a warning says so (P2.5, C4.8, HD-DET-3)."""
    request = Request(
        convention=Convention.CUSTOM,
        odet_vector=odet,
        fdet_vector=(2.0, 0.0, 0.0),
        sdet_vector=(0.0, 0.0, 3.0),
    )
    assert floats(convention_axes(request).odet) == (0.0, -1.0, 0.0)
    assert "-odet_vector: its length is not exactly 1" in advice()


def test_a_skew_normal_is_worth_a_warning(advice: Callable[[], str]) -> None:
    """Default normal with user axes that it is not perpendicular to: kept, and said (HD-DET-3)."""
    request = asked("-fdet_vector 1 0 0 -sdet_vector 0 1 0 -beam_vector 0 0 1")
    assert floats(convention_axes(request).odet) == (1.0, 0.0, 0.0)
    assert "1 0 0 is not perpendicular" in advice()


def test_a_fitting_normal_is_not_worth_a_warning(advice: Callable[[], str]) -> None:
    """Axes of six decimals that are perpendicular to that accuracy pass silently (HD-DET-3)."""
    convention_axes(asked("-fdet_vector 0 0.000001 1 -sdet_vector 0 -1 0.000001"))
    assert advice() == ""


# size


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", (1024, 1024)),
        ("-detsize 1.05 -pixel 0.1", (11, 11)),
        ("-detsize 1.5 -pixel 1", (1, 1)),
        ("-detsize 2.5 -pixel 1", (2, 2)),
        ("-detsize 2.5000001 -pixel 1", (3, 3)),
        ("-detsize_f 3 -detsize_s 5 -pixel 0.5", (6, 10)),
        ("-detpixels_f 7 -detpixels_s 5", (7, 5)),
        ("-detpixels 7 -detsize 50", (7, 7)),
        ("-detsize 50 -detpixels_x 7 -pixel 0.5", (7, 100)),
        ("-detpixels 46340", (46340, 46340)),
    ],
)
def test_pixel_counts(line: str, expected: tuple[int, int]) -> None:
    """Counts beat sizes in any order; half a pixel rounds down, 1.05/0.1 is above half (P2.2, C4.3)."""
    detector = placed(asked(line))
    assert (detector.fast_pixels, detector.slow_pixels) == expected


def test_the_size_is_not_readjusted_to_whole_pixels() -> None:
    """The edge stays as given, the count is rounded (P2.2)."""
    detector = placed(asked("-detsize_f 2.7 -detpixels_s 5 -pixel 1"))
    assert (float(detector.fast_m), detector.fast_pixels) == (0.0027, 3)
    assert float(detector.slow_m) == pytest.approx(0.005, abs=ROUNDING)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-detsize 0.5 -pixel 1", "0.5 x 0.5 pixels"),
        ("-detsize_s 0.2 -pixel 1 -detpixels_f 3", "3 x 0.2 pixels"),
        ("-detpixels 46341", "46341 x 46341 pixels.*2147483647"),
    ],
)
def test_impossible_sizes_are_errors(line: str, message: str) -> None:
    """No pixel at all, or more than 32 bits can count, is an error (P2.2, C8.4)."""
    with pytest.raises(UsageError, match=message):
        placed(asked(line))


# centres


@pytest.mark.parametrize(
    ("convention", "xybeam_mm", "beam_mm"),
    [
        (Convention.ADXV, (1.75, 0.75), (1.75, 1.25)),
        (Convention.MOSFLM, (1.25, 1.75), (2.0, 1.5)),
        (Convention.DENZO, (1.25, 1.75), (1.75, 1.25)),
        (Convention.XDS, (1.5, 1.0), (1.5, 1.0)),
        (Convention.DIALS, (1.5, 1.0), (1.5, 1.0)),
        (Convention.CUSTOM, (1.5, 1.0), (1.5, 1.0)),
    ],
)
def test_default_centre(convention: Convention, xybeam_mm: Pair, beam_mm: Pair) -> None:
    """Header centre and the place where the beam hits 3 x 2 mm of half-millimetre pixels (P2.3, P2.4)."""
    detector = placed(small(convention))
    centres = detector.centres
    header = (float(centres.xbeam_m) / MM, float(centres.ybeam_m) / MM)
    assert header == pytest.approx(xybeam_mm, abs=1e-12)
    hit = direct_beam(detector, columns(convention)["beam"])
    assert hit == pytest.approx((beam_mm[0] * MM, beam_mm[1] * MM), abs=ROUNDING)
    assert (float(centres.xclose_m), float(centres.yclose_m)) == pytest.approx((1.5 * MM, 1.0 * MM))


BEAM_INPUT = {"Xbeam_m": 0.7 * MM, "Ybeam_m": 0.9 * MM}
CLOSE_INPUT = {"Xclose_m": 0.4 * MM, "Yclose_m": 0.6 * MM}
ORIGIN_INPUT = {"ORGX_pixels": 2.0, "ORGY_pixels": 3.0}


@pytest.mark.parametrize(
    ("convention", "given", "beam_mm"),
    [
        (Convention.ADXV, BEAM_INPUT, (0.7, 1.1)),
        (Convention.MOSFLM, BEAM_INPUT, (1.15, 0.95)),
        (Convention.DENZO, BEAM_INPUT, (0.9, 0.7)),
        (Convention.XDS, BEAM_INPUT, (1.5, 1.0)),
        (Convention.DIALS, BEAM_INPUT, (1.5, 1.0)),
        (Convention.CUSTOM, BEAM_INPUT, (0.7, 0.9)),
        (Convention.ADXV, CLOSE_INPUT, (1.75, 1.25)),
        (Convention.MOSFLM, CLOSE_INPUT, (2.0, 1.5)),
        (Convention.DENZO, CLOSE_INPUT, (1.75, 1.25)),
        (Convention.XDS, CLOSE_INPUT, (1.5, 1.0)),
        (Convention.DIALS, CLOSE_INPUT, (1.5, 1.0)),
        (Convention.CUSTOM, CLOSE_INPUT, (0.4, 0.6)),
        (Convention.ADXV, ORIGIN_INPUT, (1.75, 1.25)),
        (Convention.MOSFLM, ORIGIN_INPUT, (2.0, 1.5)),
        (Convention.DENZO, ORIGIN_INPUT, (1.75, 1.25)),
        (Convention.XDS, ORIGIN_INPUT, (0.75, 1.25)),
        (Convention.DIALS, ORIGIN_INPUT, (0.75, 1.25)),
        (Convention.CUSTOM, ORIGIN_INPUT, (0.75, 1.25)),
        (Convention.CUSTOM, ORIGIN_INPUT | CLOSE_INPUT, (0.4, 0.6)),
        (Convention.CUSTOM, ORIGIN_INPUT | CLOSE_INPUT | BEAM_INPUT, (0.7, 0.9)),
        (Convention.CUSTOM, {"Xbeam_m": 0.7 * MM, "ORGX_pixels": 2.0, "ORGY_pixels": 3.0}, (0.7, 1.25)),
        (Convention.XDS, ORIGIN_INPUT | CLOSE_INPUT | BEAM_INPUT, (0.75, 1.25)),
    ],
)
@pytest.mark.parametrize("pivot", Pivot)
def test_which_input_moves_the_pattern(
    convention: Convention, given: dict[str, float], beam_mm: Pair, pivot: Pivot
) -> None:
    """The column "used" of C4.6, worked out by hand; under CUSTOM it holds for both pivots (P2.4)."""
    detector = placed(small(convention, pivot=pivot, **given))
    hit = direct_beam(detector, columns(convention)["beam"])
    assert hit == pytest.approx((beam_mm[0] * MM, beam_mm[1] * MM), abs=ROUNDING)
    if "Xbeam_m" in given:
        assert float(detector.centres.xbeam_m) == given["Xbeam_m"]
    if "Xclose_m" in given:
        assert float(detector.centres.xclose_m) == given["Xclose_m"]


@pytest.mark.parametrize("convention", [Convention.XDS, Convention.DIALS])
def test_near_points_reach_only_the_header(convention: Convention) -> None:
    """Under XDS and DIALS an unset Xbeam shows the user's Xclose, which moves nothing (P2.4, HD-CLI-5)."""
    detector = placed(small(convention, **CLOSE_INPUT))
    assert float(detector.centres.xbeam_m) == 0.4 * MM
    assert float(detector.centres.fclose_m) == pytest.approx(1.5 * MM, abs=ROUNDING)


@pytest.mark.parametrize("convention", NAMED)
@pytest.mark.parametrize("wish", Pivot)
def test_a_named_convention_forces_its_pivot(convention: Convention, wish: Pivot) -> None:
    """ADXV, MOSFLM and DENZO pivot about the beam, XDS and DIALS about the sample (P2.4, C4.7)."""
    assert placed(Request(convention=convention, pivot=wish)).pivot is PIVOTS[convention]


@pytest.mark.parametrize("wish", Pivot)
def test_custom_pivots_as_the_user_wants(wish: Pivot) -> None:
    """Under CUSTOM the request decides (P2.4.1)."""
    assert placed(Request(convention=Convention.CUSTOM, pivot=wish)).pivot is wish


# placement


def turns(seed: int) -> dict[str, float]:
    """Seeded detector rotations and swing of up to half a radian."""
    source = random.Random(seed)
    names = ("detector_rotx_rad", "detector_roty_rad", "detector_rotz_rad", "twotheta_rad")
    return {name: source.uniform(-0.5, 0.5) for name in names}


@pytest.mark.parametrize("convention", Convention)
@pytest.mark.parametrize("seed", range(4))
def test_the_pivot_stays_where_it_is(convention: Convention, seed: int) -> None:
    """Turning and swinging keeps the beam centre about the beam, the near point about the sample (P2.7)."""
    still = small(convention, **BEAM_INPUT, **ORIGIN_INPUT)
    moved = dataclasses.replace(still, **turns(seed))  # type: ignore[arg-type]
    before, after = placed(still), placed(moved)
    beam = columns(convention)["beam"]
    if after.pivot is Pivot.BEAM:
        assert direct_beam(after, beam) == pytest.approx(direct_beam(before, beam), abs=ROUNDING)
    else:
        # the still distance would change with the tilt, the close distance is what was computed from it
        tilt = dataclasses.replace(moved, close_distance_m=float(before.close_distance_m))
        assert near_point(placed(tilt)) == pytest.approx(near_point(before), abs=ROUNDING)


@pytest.mark.parametrize("pivot", Pivot)
@pytest.mark.parametrize("seed", range(4))
def test_the_axes_stay_a_frame(pivot: Pivot, seed: int) -> None:
    """Rotations and the swing keep lengths, angles and handedness of fast, slow and normal (P2.7)."""
    request = dataclasses.replace(small(Convention.CUSTOM, pivot=pivot), **turns(seed))  # type: ignore[arg-type]
    detector = placed(request)
    frame = np.array([floats(v) for v in (detector.fdet, detector.sdet, detector.odet)])
    np.testing.assert_allclose(frame @ frame.T, np.eye(3), rtol=0, atol=ROUNDING)
    # fast x slow is the normal in the start values of CUSTOM
    assert np.linalg.det(frame) == pytest.approx(1.0, abs=ROUNDING)


def test_bits_of_a_tilted_detector_about_the_sample() -> None:
    """XDS with a rotation about x only: P2.7 step 1 written out in plain floats (P0.4, P5.1)."""
    request = asked("-xds -detector_rotx 5 -distance 123.4 -ORGX 300.7 -ORGY 512.3 -pixel 0.172")
    angle = 5 / float.fromhex("0x1.ca5dc1a63c1f8p+5")
    pixel, cos, sin = 0.172 / 1000.0, math.cos(angle), math.sin(angle)
    fast, slow = (300.7 - 0.5) * pixel, (512.3 - 0.5) * pixel
    close = abs(cos * (123.4 / 1000.0))
    detector = placed(request)
    assert floats(detector.pix0_m) == (-fast, -slow * cos + close * -sin, -slow * sin + close * cos)
    assert floats(detector.fdet) == (1.0, 0.0, 0.0)
    assert floats(detector.sdet) == (0.0, cos, sin)
    assert floats(detector.odet) == (0.0, -sin, cos)


def test_bits_of_a_swung_detector_about_the_beam() -> None:
    """ADXV swings about -x: P2.7 step 3 written out in plain floats (P0.4, P5.2)."""
    detector = placed(asked("-adxv -twotheta 12 -distance 123.4 -Xbeam 50.3 -Ybeam 61.7"))
    angle = 12 / float.fromhex("0x1.ca5dc1a63c1f8p+5")
    cos, sin = math.cos(angle), math.sin(angle)
    sbeam = 0.1024 - 61.7 / 1000.0
    assert floats(detector.sdet) == (0.0, -cos, sin)
    assert floats(detector.odet) == (0.0, sin, cos)
    assert floats(detector.pix0_m) == (-(50.3 / 1000.0), sbeam * cos, -(sbeam * sin) + 123.4 / 1000.0)


def test_origin_of_the_check_values() -> None:
    """D0 of P10.2, bit for bit."""
    detector = placed(asked("-distance 100 -detpixels 8 -pixel 1"))
    assert [x.hex() for x in floats(detector.pix0_m)] == [
        "0x1.999999999999ap-4",
        "0x1.47ae147ae147cp-8",
        "-0x1.47ae147ae147cp-8",
    ]


def test_the_swing_follows_the_rotations() -> None:
    """A quarter turn about x, then a quarter swing about y: the two do not commute (P2.7)."""
    request = asked("-detector_rotx 90 -twotheta 90 -spindle_axis 0 0 1")
    detector = placed(request)
    # f 0 0 1 goes to 0 -1 0 about x and stays about y; s 0 -1 0 goes to 0 0 -1, then to -1 0 0
    assert floats(detector.fdet) == pytest.approx((0.0, -1.0, 0.0), abs=ROUNDING)
    assert floats(detector.sdet) == pytest.approx((-1.0, 0.0, 0.0), abs=ROUNDING)


def test_a_twotheta_axis_of_another_length_distorts() -> None:
    """The axis is not normalised: twice y turns x into cos w, 0, -2 sin w (HD-DET-4, P5.2)."""
    detector = placed(asked("-twotheta_axis 0 2 0 -twotheta 30"))
    assert floats(detector.odet) == pytest.approx((math.sqrt(0.75), 0.0, -1.0), abs=ROUNDING)


def test_corrected_physics_normalises_the_twotheta_axis() -> None:
    """Twice y is y: x turns into cos w, 0, -sin w (HD-DET-4)."""
    detector = placed(asked("-twotheta_axis 0 2 0 -twotheta 30 -physics corrected"))
    assert floats(detector.odet) == pytest.approx((math.sqrt(0.75), 0.0, -0.5), abs=ROUNDING)


@pytest.mark.parametrize("line", ["-distance 200 -close_distance 80", "-close_distance 80 -distance 200"])
def test_the_close_distance_beats_the_distance(line: str) -> None:
    """In either order the near point is 80 mm away (C4.5, C9.6)."""
    detector = placed(asked(line))
    assert float(detector.close_distance_m) == pytest.approx(0.08, abs=ROUNDING)
    assert float(detector.distance_m) == pytest.approx(0.08, abs=ROUNDING)


@pytest.mark.parametrize(
    ("line", "distance_mm", "close_mm"),
    [
        ("-detector_roty 60 -distance 200", 200.0, 100.0),
        ("-detector_roty 60 -close_distance 80", 160.0, 80.0),
        ("-detector_roty 60 -distance 200 -close_distance 80", 160.0, 80.0),
        ("-detector_roty 60 -close_distance 80 -pivot sample -spindle_axis 0 0 1", 160.0, 80.0),
        ("-detector_roty 180 -distance 200", -200.0, 200.0),
    ],
)
def test_distance_along_the_beam_and_along_the_normal(line: str, distance_mm: float, close_mm: float) -> None:
    """At a tilt of 60 degrees the one is twice the other; behind the sample the sign changes (P2.6, C4.5)."""
    detector = placed(asked(line))
    assert float(detector.distance_m) == pytest.approx(distance_mm * MM, abs=ROUNDING)
    assert float(detector.close_distance_m) == pytest.approx(close_mm * MM, abs=ROUNDING)


def test_a_detector_edge_on_to_the_beam_still_has_a_place() -> None:
    """A ratio of exactly 0 becomes the smallest normal number, so the distance survives (P2.6)."""
    detector = placed(asked("-odet_vector 0 1 0 -distance 100 -Xbeam 3 -Ybeam 2"))
    # the tiny close distance is a subnormal number of some 15 digits
    assert floats(detector.pix0_m) == pytest.approx((0.1, 0.002, -0.003), rel=1e-12)


def test_a_swing_spoils_the_reported_distance() -> None:
    """The ratio ignores two-theta: 98.48 mm are reported instead of 100 (HD-DET-1, P2.8)."""
    detector = placed(asked("-twotheta 10 -distance 100"))
    assert float(detector.distance_m) / MM == pytest.approx(98.48, abs=0.005)


@pytest.mark.parametrize("convention", Convention)
@pytest.mark.parametrize("seed", range(3))
def test_reported_centres_are_where_beam_and_normal_hit(convention: Convention, seed: int) -> None:
    """Without a swing Fbeam, Sbeam, Fclose, Sclose and the distances are geometry (P2.8)."""
    request = small(convention, **BEAM_INPUT, **(turns(seed) | {"twotheta_rad": 0.0}))
    detector, beam = placed(request), columns(convention)["beam"]
    centres = detector.centres
    reported = (float(centres.fbeam_m), float(centres.sbeam_m))
    assert reported == pytest.approx(direct_beam(detector, beam), abs=ROUNDING)
    foot = (float(centres.fclose_m), float(centres.sclose_m), float(detector.close_distance_m))
    assert foot == pytest.approx(near_point(detector), abs=ROUNDING)
    hit = float(detector.distance_m) * np.array(beam)
    plane = np.array(floats(detector.pix0_m)) + reported[0] * np.array(floats(detector.fdet))
    plane += reported[1] * np.array(floats(detector.sdet))
    np.testing.assert_allclose(hit, plane, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("convention", Convention)
@pytest.mark.parametrize("seed", range(3))
def test_corrected_centres_hold_after_a_swing(convention: Convention, seed: int) -> None:
    """With corrected physics the reported beam and distance are geometry for any swing (HD-DET-1)."""
    request = small(convention, **BEAM_INPUT, **turns(seed), physics="corrected")
    detector, beam = placed(request), columns(convention)["beam"]
    reported = (float(detector.centres.fbeam_m), float(detector.centres.sbeam_m))
    hit = direct_beam(detector, beam)
    assert reported == pytest.approx(hit, abs=ROUNDING)
    plane = np.array(floats(detector.pix0_m)) + hit[0] * np.array(floats(detector.fdet))
    plane += hit[1] * np.array(floats(detector.sdet))
    np.testing.assert_allclose(float(detector.distance_m) * np.array(beam), plane, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("convention", Convention)
@pytest.mark.parametrize("seed", range(3))
def test_corrected_physics_does_not_move_the_detector(convention: Convention, seed: int) -> None:
    """Only what is reported changes: P2.6 and P2.7 are the same, bit for bit (HD-DET-1)."""
    request = small(convention, **BEAM_INPUT, **turns(seed))
    before, after = placed(request), placed(dataclasses.replace(request, physics="corrected"))
    for name in ("pix0_m", "fdet", "sdet", "odet"):
        assert floats(getattr(after, name)) == floats(getattr(before, name))


@pytest.mark.parametrize("beam", ["-xds", "-beam_vector 1 0.01 0", "-beam_vector -1 0 0"])
def test_a_curved_detector_across_the_x_axis_is_refused(beam: str) -> None:
    """Its angles have a meaning for a beam along x only; historically it is rendered (HD-DET-6)."""
    assert placed(asked(f"{beam} -curved_det")).curved
    with pytest.raises(UsageError, match="-curved_det: the beam is .* along x with -physics corrected"):
        placed(asked(f"{beam} -curved_det -physics corrected"))
    assert not placed(asked(f"{beam} -physics corrected")).curved


@pytest.mark.parametrize("beam", ["-mosflm", "-denzo", "-beam_vector 3 0 0"])
def test_a_curved_detector_along_the_x_axis_is_accepted(beam: str) -> None:
    """Also with corrected physics (HD-DET-6)."""
    assert placed(asked(f"{beam} -curved_det -physics corrected")).curved


@pytest.mark.parametrize("option", ["-pix0_vector 0.1 0.2 -0.3", "-pix0_vector_mm -216.3 215.2 -230.2"])
@pytest.mark.parametrize("pivot", ["beam", "sample"])
def test_the_origin_of_the_user_is_ignored_with_a_warning(
    option: str, pivot: str, advice: Callable[[], str]
) -> None:
    """The corner of the first pixel is the computed one, bit for bit (C4.8, C8.5, C9.5, HD-DET-5)."""
    line = f"-spindle_axis 0 0 1 -pivot {pivot} -detector_rotx 3"
    without = placed(asked(line))
    assert "-pix0_vector" not in advice()
    assert floats(placed(asked(f"{line} {option}")).pix0_m) == floats(without.pix0_m)
    assert "-pix0_vector" in advice()


def test_both_origins_are_told_in_millimetres(advice: Callable[[], str]) -> None:
    """The computed corner of the default detector, and the one given in metres (C8.5)."""
    placed(asked("-pix0_vector 0.1 0.2 -0.3"))
    (message,) = advice().splitlines()
    assert re.findall(r"-?[0-9.]+(?: -?[0-9.]+){2} mm", message) == ["100 200 -300 mm", "100 51.2 -51.2 mm"]


@pytest.mark.parametrize(("off_mm", "warned"), [(0.0999, False), (0.1001, True)])
def test_an_origin_within_a_pixel_is_accepted_silently(
    off_mm: float, warned: bool, advice: Callable[[], str]
) -> None:
    """Only a difference above one pixel edge of 0.1 mm is worth a warning (C8.5)."""
    placed(asked(f"-pix0_vector_mm {100 + off_mm} 51.2 -51.2"))
    assert ("-pix0_vector" in advice()) is warned


# region of interest


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", (0, 6, 0, 4)),
        ("-roi -1 -1 -1 -1", (0, 6, 0, 4)),
        ("-roi -3 2 1 -9", (0, 2, 1, 4)),
        ("-roi 2 -1 -1 3", (2, 6, 0, 3)),
        ("-roi 5 900 3 900", (5, 900, 3, 900)),
        ("-roi 2 2 3 3", (2, 2, 3, 3)),
        ("-roi 0 0 0 0", (0, 0, 0, 0)),
    ],
)
def test_region_of_interest(line: str, expected: tuple[int, int, int, int]) -> None:
    """Each negative limit is replaced on its own; upper limits may exceed the image (C4.18, P2.3)."""
    roi = placed(asked(f"-detpixels_f 6 -detpixels_s 4 {line}")).roi
    assert (roi.xmin, roi.xmax, roi.ymin, roi.ymax) == expected


@pytest.mark.parametrize("roi", ["3 2 0 1", "0 1 3 2", "6 7 0 1", "0 1 4 7", "6 -1 0 1", "0 1 5 -1"])
def test_regions_without_a_pixel_are_errors(roi: str) -> None:
    """Lower limits above upper ones or outside the image are errors (C4.18)."""
    with pytest.raises(UsageError, match="-roi .*below 6.*below 4"):
        placed(asked(f"-detpixels_f 6 -detpixels_s 4 -roi {roi}"))


# mask


@pytest.fixture
def mask(tmp_path: Path) -> str:
    """Mask of 3 x 2 pixels (fast x slow), off at (fast, slow) = (1, 0) and (2, 1)."""
    header = (
        b"{\nHEADER_BYTES=512;\nDIM=2;\nBYTE_ORDER=little_endian;\nTYPE=unsigned_short;\n"
        b"SIZE1=3;\nSIZE2=2;\n}\f"
    )
    path = tmp_path / "mask.img"
    path.write_bytes(header.ljust(512) + np.array([1, 0, 65535, 7, 256, 0], dtype="<u2").tobytes())
    return str(path)


def test_masked_pixels_are_those_of_value_zero(mask: str) -> None:
    """Any other 16-bit value is on; the fast axis runs fastest in the file (P2.1, C4.19, F1.1)."""
    detector = placed(asked(f"-mask {mask}"))
    assert detector.mask is not None
    assert detector.mask.tolist() == [[True, False, True], [True, True, False]]
    assert (detector.fast_pixels, detector.slow_pixels) == (3, 2)


def test_no_mask_is_the_default() -> None:
    """Without a mask file every pixel counts (C3.4)."""
    assert placed(Request(fast_pixels=3, slow_pixels=2)).mask is None


@pytest.mark.parametrize("size", ["-detpixels_f 2", "-detpixels_s 3", "-detpixels_f 2 -detpixels_s 3"])
def test_a_mask_of_another_size_is_an_error(mask: str, size: str) -> None:
    """Also one of the same area with width and height exchanged (C4.19)."""
    with pytest.raises(InputFileError, match="mask of 3 x 2 pixels"):
        placed(asked(f"-mask {mask} {size}"))


# sensor


@pytest.mark.parametrize(
    ("line", "layers", "thickness_um", "spacing_um", "mu_inv_um"),
    [
        ("", 1, 0.0, 0.0, None),
        ("-detector_thick 300", 2, 300.0, 150.0, 1 / 300),
        ("-detector_thick 300 -detector_abs 200", 2, 300.0, 150.0, 1 / 200),
        ("-detector_thick 300 -detector_abs 200 -detector_thicksteps 4", 4, 300.0, 100.0, 1 / 200),
        ("-detector_thick 300 -detector_abs 200 -thicksteps 1", 2, 300.0, 300.0, 1 / 200),
        ("-thicksteps 5", 1, 0.0, 0.0, None),
        ("-detector_abs 200 -thicksteps 5", 1, 0.0, 0.0, 1 / 200),
        ("-detector_thick 300 -detector_abs inf", 1, 0.0, 0.0, 0.0),
        ("-detector_abs inf -detector_thick 300", 1, 0.0, 0.0, 0.0),
        ("-detector_abs 0 -detector_thick 300 -thicksteps 3", 1, 0.0, 0.0, 0.0),
    ],
)
def test_sensor(
    line: str, layers: int, thickness_um: float, spacing_um: float, mu_inv_um: float | None
) -> None:
    """Layers, thickness, spacing and attenuation of C4.9; an infinite depth means no sensor (HD-THK-4)."""
    sensor = placed(asked(line)).sensor
    got = (sensor.layers, float(sensor.thickness_m) * 1e6, float(sensor.spacing_m) * 1e6)
    # micrometres and back round twice
    assert got == pytest.approx((layers, thickness_um, spacing_um), rel=1e-15)
    assert sensor.thick is (thickness_um > 0)
    if mu_inv_um is None:
        assert float(sensor.mu_inv_m) == -1.0
    else:
        assert float(sensor.mu_inv_m) * 1e-6 == pytest.approx(mu_inv_um, rel=1e-15)


@pytest.mark.parametrize(("steps", "layers", "spacing_um"), [(1, 1, 300.0), (2, 2, 150.0), (4, 4, 75.0)])
def test_corrected_layers_fill_the_sensor(steps: int, layers: int, spacing_um: float) -> None:
    """With corrected physics n layers are T/n apart (HD-THK-2)."""
    line = f"-detector_thick 300 -detector_abs 200 -thicksteps {steps} -physics corrected"
    sensor = placed(asked(line)).sensor
    assert sensor.layers == layers
    # micrometres and back round twice
    assert float(sensor.spacing_m) * 1e6 == pytest.approx(spacing_um, rel=1e-15)


def test_a_made_up_attenuation_is_worth_a_warning(advice: Callable[[], str]) -> None:
    """A thickness without a depth takes 1/thickness, here 1/(300 um) = 3333.33 1/m (P4.1, C4.9)."""
    placed(asked("-detector_thick 300 -detector_abs 200"))
    assert advice() == ""
    placed(asked("-detector_thick 300"))
    assert "-detector_thick without -detector_abs" in advice()
    assert "3333.33 1/m" in advice()


def test_absurdly_many_layers_are_an_error() -> None:
    """A count that no sensor can mean is refused before any work is done (C8.4)."""
    assert placed(asked("-detector_thick 300 -thicksteps 1000000")).sensor.layers == 1000000
    with pytest.raises(UsageError, match="-detector_thicksteps: 1000001 layers"):
        placed(asked("-detector_thick 300 -thicksteps 1000001"))
