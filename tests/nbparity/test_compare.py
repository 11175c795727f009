import math

import numpy as np
import pytest

from nbparity.compare import compare, crop, nonzero_outside, ordered_key, read_float_image

SHAPE = (3, 4)


@pytest.fixture
def ramp():
    """An image with twelve different values."""
    return np.arange(1, 13, dtype=np.float32).reshape(SHAPE)


def test_an_image_is_identical_to_itself(ramp):
    """Every figure is at its ideal value."""
    pair = compare(ramp, ramp.copy())
    assert pair.identical
    assert (pair.bit_identical_fraction, pair.max_ulp, pair.correlation) == (1.0, 0, 1.0)
    assert (pair.sum_x, pair.sum_ratio, pair.rmse, pair.max_difference) == (78.0, 1.0, 0.0, 0.0)


def test_one_unit_in_the_last_place_is_seen(ramp):
    """The smallest change of one pixel is a distance of 1."""
    other = ramp.copy()
    other[1, 2] = np.nextafter(other[1, 2], np.float32(np.inf))
    pair = compare(other, ramp)
    assert (pair.differing_pixels, pair.max_ulp) == (1, 1)
    assert not pair.identical
    assert pair.bit_identical_fraction == pytest.approx(11 / 12)


def test_figures_of_a_hand_calculation():
    """Three pixels, worked out on paper."""
    pair = compare(np.array([[0, 2, 4]], np.float32), np.array([[1, 2, 6]], np.float32))
    assert pair.sum_ratio == pytest.approx(6 / 9)
    assert pair.rmse == pytest.approx(math.sqrt((1 + 0 + 4) / 3))
    assert pair.max_difference == 2
    # deviations (-2, 0, 2) and (-2, -1, 3): 10 / sqrt(8 * 14)
    assert pair.correlation == pytest.approx(10 / math.sqrt(112))


def test_the_key_orders_all_floats():
    """Neighbouring values have neighbouring keys across zero, and both zeros have the key 0."""
    tiny = np.float32(1e-45)
    keys = ordered_key(np.array([-1.0, -tiny, -0.0, 0.0, tiny, 1.0], np.float32))
    assert list(keys[1:5]) == [-1, 0, 0, 1]
    assert keys[0] == -keys[5]


def test_the_two_zeros_differ_in_a_bit_and_not_in_distance():
    """Bit-identical means bits; the ULP figure means values."""
    pair = compare(np.array([[-0.0, 1]], np.float32), np.array([[0.0, 1]], np.float32))
    assert (pair.differing_pixels, pair.max_ulp) == (1, 0)


def test_a_factor_leaves_the_correlation(ramp):
    """Which is why the sums are compared as well."""
    pair = compare(ramp * np.float32(125932), ramp)
    assert pair.correlation == pytest.approx(1.0, abs=1e-12)
    assert pair.sum_ratio == pytest.approx(125932)


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_a_constant_image_has_no_correlation(ramp, value):
    """None instead of NaN."""
    constant = np.full(SHAPE, value, np.float32)
    assert compare(constant, ramp).correlation is None
    assert compare(constant, constant).correlation is None


def test_the_ratio_to_nothing_is_undefined_unless_both_are_nothing(ramp):
    """Zero to zero is agreement."""
    zero = np.zeros(SHAPE, np.float32)
    assert compare(ramp, zero).sum_ratio is None
    assert compare(zero, zero).sum_ratio == 1.0
    assert compare(zero, ramp).sum_ratio == 0.0


@pytest.mark.parametrize("scale", [1e-40, 1e-30, 1e30])
def test_faint_and_bright_images_correlate_alike(ramp, scale):
    """The range of the intensities does not matter, down to denormal numbers."""
    image = (ramp.astype(np.float64) * scale).astype(np.float32)
    assert compare(image, image).correlation == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_non_finite_pixels_are_a_stated_problem(ramp, value):
    """The counting figures stay, the others have no meaning."""
    bad = ramp.copy()
    bad[0, 0] = value
    pair = compare(bad, ramp)
    assert pair.problem == "non-finite pixels: 1 in the first image, 0 in the second"
    assert (pair.differing_pixels, pair.correlation, pair.max_ulp) == (1, None, None)
    assert not compare(bad, bad).identical


def test_shapes_that_differ_are_a_stated_problem(ramp):
    """Equal numbers of pixels do not make equal images."""
    assert compare(ramp, ramp.T).problem == "shapes differ: 3 x 4 and 4 x 3"


def test_an_empty_image_is_a_stated_problem():
    """Nothing compared is not agreement."""
    empty = np.zeros((0, 4), np.float32)
    pair = compare(empty, empty)
    assert (pair.problem, pair.identical) == ("no pixels to compare", False)


def test_the_region_is_inclusive_and_fast_comes_first(ramp):
    """As in -roi."""
    assert crop(ramp, (1, 2, 0, 1)).tolist() == [[2, 3], [6, 7]]
    assert nonzero_outside(ramp, (1, 2, 0, 1)) == 8
    assert nonzero_outside(ramp, None) == 0


def test_a_file_of_the_wrong_size_is_refused(tmp_path, ramp):
    """The message has both sizes."""
    path = tmp_path / "image.bin"
    path.write_bytes(ramp.astype("<f4").tobytes())
    assert (read_float_image(path, SHAPE) == ramp).all()
    with pytest.raises(ValueError, match="image.bin holds 48 bytes, expected 64 for 4 x 4 pixels"):
        read_float_image(path, (4, 4))
