"""What two images look like that differ and that no known cause explains."""

import numpy as np
import pytest

from nbparity import registration, thresholds
from nbparity.compare import compare
from nbparity.observations import observe

LIMITS = thresholds.load_nb_compare()
SHAPE = (40, 50)


def noise(seed=20251128):
    """Positive float32 pixels over five decades."""
    values = 10 ** np.random.default_rng(seed).uniform(-2, 3, SHAPE)
    return values.astype(np.float32)


def spots(slow=0.0, fast=0.0):
    """Gaussian spots on a grid, moved by a part of a pixel."""
    rows, columns = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]].astype(float)
    image = np.zeros(SHAPE)
    for number, (s, f) in enumerate((s, f) for s in range(5, 40, 10) for f in range(5, 50, 10)):
        square = (rows - s - slow) ** 2 + (columns - f - fast) ** 2
        image += (100 + 10 * number) * np.exp(-square / 1.5)
    return image.astype(np.float32)


def said(c, py, corner=(0, 0)):
    """The observation on py beside c."""
    peaks = registration.register(
        c, py, count=LIMITS.peak_count, min_fraction=LIMITS.peak_min_fraction, gate_px=LIMITS.peak_gate_px
    )
    return observe(c, py, compare(py, c), peaks, LIMITS, corner)


def changed(image, at, value):
    """The image with one pixel changed."""
    other = image.copy()
    other[at] = value
    return other


def test_a_factor_is_a_scale():
    """The 125,932 of ignored fluence flags, rounded to float32 in every pixel; zeros stay zeros."""
    c = changed(noise(), (0, 0), 0)
    text = said(c, (c.astype(np.float64) * 125932.015).astype(np.float32))
    assert text.startswith("looks like a scale: py is 125932.01")
    assert "-flux" in text
    # a factor of the spots alone, or of all but one pixel, is none
    assert "scale" not in said(c, changed((2 * c).astype(np.float32), (3, 3), 7))
    assert "scale" not in said(c, changed((2 * c).astype(np.float32), (0, 0), 7))


def test_a_few_units_in_the_last_place_are_rounding():
    """And a few dozen are not."""
    c = noise()
    some = np.where(np.random.default_rng(1).random(SHAPE) < 0.5, 3, -3)
    assert "looks like rounding: no pixel is off by more than 3 units" in said(
        c, (c.view(np.int32) + some).astype(np.int32).view(np.float32)
    )
    assert "rounding" not in said(c, (c.view(np.int32) + 9 * some).astype(np.int32).view(np.float32))


def test_a_constant_is_a_background():
    """As far as float32 tells."""
    c = noise()
    assert "looks like a background: py is c plus 40 in every pixel" in said(c, c + np.float32(40))
    assert "background" not in said(c, changed(c + np.float32(40), (2, 2), 1))


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        (lambda image: image[::-1], "mirrored along slow"),
        (lambda image: image[:, ::-1], "mirrored along fast"),
        (lambda image: image[::-1, ::-1], "turned by 180 degrees"),
    ],
)
def test_a_mirrored_image_is_seen(turn, words):
    """All bits, in other places."""
    c = noise()
    assert f"py is c {words}" in said(c, np.ascontiguousarray(turn(c)))
    square = np.ascontiguousarray(c[:30, :30])
    assert "py is c transposed" in said(square, np.ascontiguousarray(square.T))


def test_displaced_peaks_are_seen():
    """By the mean over the peaks; spots of another height are not displaced."""
    text = said(spots(), spots(slow=0.3, fast=-0.2))
    found = [float(word) for word in text.split() if word.lstrip("-").replace(".", "").isdigit()]
    # a centroid of 3 x 3 pixels sees a part of the shift only
    assert 0.1 < found[0] <= 0.3 and -0.2 <= found[1] < -0.05
    assert "peaks of py lie" in text
    assert "peaks of py lie" not in said(spots(), changed(spots(), (5, 5), 1e4))


def test_a_patch_is_located_on_the_detector():
    """From the corner of the region that is compared."""
    c = noise()
    py = changed(changed(c, (3, 4), 0), (5, 9), 0)
    assert "all differing pixels, 2, lie within slow 103 to 105, fast 204 to 209" in said(c, py, (100, 200))


def test_otherwise_the_largest_difference_is_said():
    """With what separates the zeros of the two."""
    c, py = noise(1), noise(2)
    py[0, 0] = 0
    c[7, 8] = 5e4
    text = said(c, py, (10, 20))
    assert text.startswith("the largest difference is at slow 17, fast 28: c 50000.0") or "c 50000" in text
    assert "1 pixels are zero in one image only" in text


def test_empty_and_unreadable_pixels_come_first():
    """There is nothing else to say of them."""
    c = noise()
    assert said(c, np.zeros_like(c)).startswith("py is zero in every pixel: look at -roi")
    assert said(np.zeros_like(c), c).startswith("c is zero in every pixel")
    assert "non-finite pixels: 1 in the first image" in said(c, changed(c, (1, 1), np.nan))
