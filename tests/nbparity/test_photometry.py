"""Extremes of an image, and rings of equal resolution."""

import math

import numpy as np
import pytest

from nbparity.photometry import RINGS, Geometry, extremes, geometry, inverse_d, rings
from nbparity.traces import Entry

WAVELENGTH_A, DISTANCE_M, PIXEL_M = 0.9, 0.2, 1e-3
TRACE = [
    Entry("pix0_vector_meters", (DISTANCE_M, -0.010, -0.008)),
    Entry("fdet_vec", (0.0, 1.0, 0.0)),
    Entry("sdet_vec", (0.0, 0.0, 1.0)),
    Entry("incident_vec", (1.0, 0.0, 0.0)),
    Entry("lambda_angstroms", (WAVELENGTH_A,)),
]
LOG = "  distance=0.2 detsize=0.02x0.016  pixel=0.001 meters (20x16 pixels)"


@pytest.fixture
def facing() -> Geometry:
    """A detector that faces the beam, which meets it between pixels: fast 10, slow 8."""
    return geometry(TRACE, LOG)


def test_the_resolution_is_that_of_braggs_law(facing):
    """Bragg: 2 d sin(theta) = lambda, with the angle from the distance on the detector, for some pixels."""
    found = inverse_d(facing, (3, 19, 2, 15))
    for slow, fast in [(2, 3), (15, 19), (9, 4)]:
        radius_m = math.hypot((fast + 0.5) * PIXEL_M - 0.010, (slow + 0.5) * PIXEL_M - 0.008)
        theta = math.atan2(radius_m, DISTANCE_M) / 2
        assert found[slow - 2, fast - 3] == pytest.approx(2 * math.sin(theta) / WAVELENGTH_A, rel=1e-12)


def test_rings_hold_every_pixel_once(facing):
    """Counts add up to the pixels, means times counts to the sum; the first ring is nearest to the beam."""
    image = np.random.default_rng(5).random((16, 20), np.float32)
    found = rings(inverse_d(facing, (0, 19, 0, 15)), {"x": image})
    assert sum(ring["pixels"] for ring in found) == image.size
    total = sum(ring["pixels"] * ring["x"] for ring in found)
    assert total == pytest.approx(float(image.sum(dtype=np.float64)), rel=1e-12)
    edges = [ring["inverse_d_low"] for ring in found]
    assert edges == sorted(edges) and len(edges) <= RINGS
    assert found[0]["pixels"] == 4  # the four pixels around the beam


def test_an_image_of_rings_comes_back_as_its_profile(facing):
    """A pixel as bright as its ring is far out gives the middle of each ring, within its width."""
    at = inverse_d(facing, (0, 19, 0, 15))
    for ring in rings(at, {"x": at.astype(np.float32)}):
        assert ring["inverse_d_low"] - 1e-6 <= ring["x"] <= ring["inverse_d_high"] + 1e-6


def test_pixels_that_are_not_finite_are_left_out(facing):
    """A ring of nothing else has no mean; a region of one pixel is one ring."""
    at = inverse_d(facing, (5, 5, 5, 5))
    assert rings(at, {"x": np.full((1, 1), np.nan, np.float32)})[0]["x"] is None
    assert rings(at, {"x": np.full((1, 1), 3, np.float32)})[0]["x"] == 3.0


@pytest.mark.parametrize(("trace", "log"), [(TRACE[1:], LOG), (TRACE, "no size")])
def test_a_geometry_that_was_not_printed_is_an_error(trace, log):
    """The message names what is missing."""
    with pytest.raises(ValueError, match="not printed: pi"):
        geometry(trace, log)


def test_extremes_count_what_a_logarithm_cannot_show():
    """In the region only."""
    image = np.array([[9, 0, 0], [2, 0, -1], [np.nan, np.inf, 4]], np.float32)
    expected = {"max": 4.0, "min_positive": 2.0, "zeros": 1, "negative": 1, "not_finite": 2}
    image[1, 1], image[2, 2] = 0, 4
    assert extremes(image, (0, 2, 1, 2)) == expected
    assert extremes(np.zeros((2, 2), np.float32), None)["max"] is None
