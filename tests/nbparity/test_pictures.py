"""Resampling and PNG files."""

import numpy as np
import pytest
from PIL import Image

from nbparity import png
from nbparity.resample import resample


@pytest.mark.parametrize(
    ("old", "new"), [([1, 2, 3], [2, 4]), ([3, 6], [2, 3, 4]), ([4, 4], [8]), ([6], [2, 2, 2])]
)
def test_photons_go_to_the_parts_of_a_pixel_by_length(old, new):
    """Worked out by hand, along either axis."""
    row = np.array([old], dtype=np.float32)
    assert resample(row, (1, len(new))).tolist() == [new]
    assert resample(row.T, (len(new), 1)).T.tolist() == [new]


@pytest.mark.parametrize("shape", [(5, 7), (13, 4), (60, 61), (9, 11)])
def test_the_sum_stays(shape):
    """To float32."""
    image = np.random.default_rng(1).uniform(0, 100, (9, 11)).astype(np.float32)
    found = resample(image, shape)
    assert (found.shape, found.dtype) == (shape, np.float32)
    assert found.sum(dtype=np.float64) == pytest.approx(image.sum(dtype=np.float64), rel=1e-6)


def test_the_same_shape_keeps_every_bit():
    """Nothing is rounded twice."""
    image = np.random.default_rng(1).uniform(0, 100, (9, 11)).astype(np.float32)
    assert np.array_equal(resample(image, (9, 11)), image)


def test_grey_levels_are_linear_and_end_at_white(tmp_path):
    """Negative, zero, half, white, brighter, undefined."""
    image = np.array([[-1, 0, 5, 10, 99, np.nan, np.inf]], dtype=np.float32)
    png.write_grey(tmp_path / "x.png", image, 10.0)
    with Image.open(tmp_path / "x.png") as picture:
        assert picture.mode == "L"
        assert np.asarray(picture).tolist() == [[0, 0, 128, 255, 255, 0, 0]]


def test_a_difference_is_red_above_and_blue_below(tmp_path):
    """White where the images agree."""
    png.write_difference(tmp_path / "x.png", np.array([[0.0, 2.0, -2.0, 9.0, 1.0]]), 2.0)
    with Image.open(tmp_path / "x.png") as picture:
        colours = [picture.getpixel((x, 0)) for x in range(5)]
    assert colours == [(255, 255, 255), (255, 0, 0), (0, 0, 255), (255, 0, 0), (255, 128, 128)]


def test_black_and_equal_images_have_pictures(tmp_path):
    """There is no white level to divide by."""
    black = np.zeros((3, 3), dtype=np.float32)
    assert png.white_level(black, 99.5) == 0.0
    png.write_grey(tmp_path / "c.png", black, 0.0)
    png.write_difference(tmp_path / "d.png", black.astype(float), 0.0)
    with Image.open(tmp_path / "c.png") as c, Image.open(tmp_path / "d.png") as d:
        assert (c.getpixel((1, 1)), d.getpixel((1, 1))) == (0, (255, 255, 255))


def test_the_white_level_is_of_the_lit_pixels():
    """Pixels outside of a rendered region are 0 and would make every level 0."""
    image = np.zeros((10, 10), dtype=np.float32)
    image[0] = np.arange(1, 11)
    assert png.white_level(image, 100) == 10
    assert png.white_level(image, 50) == 5.5
