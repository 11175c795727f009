"""Statistics, integer, grey and noise images (P6.12, P6.14, F8, F11, R10)."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.errors import NanoBragError
from nanobrag_torch.formats import pgm, smv
from nanobrag_torch.formats.general_format import g6
from nanobrag_torch.images import (
    grey_image,
    grey_scale,
    integer_image,
    integer_scale,
    noise_image,
    serial_sum,
    statistics,
)
from nanobrag_torch.random_numbers.uniform import Stream

INTEGER_CASES = {
    "file_names": "i.img",
    "int_autoscale_xds": "intimage.img",
    "int_scale_adc": "intimage.img",
    "noise_low": "intimage.img",
    "pgm_scale_roi": "intimage.img",
}
NOISE_CASES = {
    "file_names": "n.img",
    "noise_low": "noiseimage.img",
    "noise_medium": "noiseimage.img",
    "noise_mixed_high": "noiseimage.img",
}
STATISTICS_CASES = ("conv_xds_org", "roi", "dmin", "pgm_scale_roi", "noise_mixed_high", "water")
WHOLE = (0, 10**6, 0, 10**6)


@pytest.fixture
def case(golden_case: Callable[[str], Any], golden_inputs: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Load a golden case: its request, image, region, statistics and record."""

    def load(name: str) -> tuple[Any, ...]:
        golden = golden_case(name)
        monkeypatch.chdir(golden_inputs)
        request, _ = parse(golden.args)
        roi = request.roi or WHOLE
        return request, golden.image, roi, statistics(golden.image, roi), golden

    return load


@pytest.mark.parametrize("name", STATISTICS_CASES)
def test_statistics_as_printed(name: str, case: Any) -> None:
    """The numbers of the historical output, six digits."""
    _, _, _, got, golden = case(name)
    printed = re.search(r"mean= (\S+) rms= (\S+) rmsd= (\S+)", golden.stdout)
    largest = re.search(r"max_I = (\S+)", golden.stdout)
    assert printed
    assert largest
    assert printed.groups() == (g6(got.mean), g6(got.rms), g6(got.rmsd))
    assert largest[1] == g6(got.max_I)
    assert got.brightest == tuple(golden.recipe["stats"]["fixed"]["argmax_slow_fast"])


@pytest.mark.parametrize(("name", "file"), INTEGER_CASES.items())
def test_integer_image(name: str, file: str, case: Any) -> None:
    """Pixels of the historical program."""
    request, image, roi, got, golden = case(name)
    scale = integer_scale(request.int_scale, got.max_I)
    pixels = np.frombuffer(golden.bytes_of(file)[512:], dtype="<u2").reshape(image.shape)
    assert (integer_image(image, roi, scale, request.adc_offset) == pixels).all()


@pytest.mark.parametrize("name", ["int_autoscale_xds", "pgm_scale_roi", "roi", "water", "conv_xds_org"])
def test_grey_image(name: str, case: Any, tmp_path: Path) -> None:
    """Bytes of the historical file, compared by checksum."""
    request, image, roi, got, golden = case(name)
    scale = grey_scale(request.pgm_scale, got.rmsd, integer_scale(request.int_scale, got.max_I))
    pgm.write(str(tmp_path / "x.pgm"), grey_image(image, roi, scale), scale)
    checksum = hashlib.sha256((tmp_path / "x.pgm").read_bytes()).hexdigest()
    assert checksum == golden.recipe["outputs"]["fixed"]["image.pgm"]["sha256"]


@pytest.mark.parametrize(("name", "file"), NOISE_CASES.items())
def test_noise_image(name: str, file: str, case: Any) -> None:
    """Pixels, photon sum and overloads of the historical program."""
    request, image, roi, _, golden = case(name)
    noise = noise_image(image, roi, request.adc_offset, Stream(request.noise_seed))
    pixels = np.frombuffer(golden.bytes_of(file)[512:], dtype="<u2").reshape(image.shape)
    assert (noise.pixels == pixels).all()
    assert f"{noise.photons:.0f} photons on noise image ({noise.overloads} overloads)" in golden.stdout


@pytest.mark.parametrize(
    ("seed", "pixels", "photons", "overloads"),
    [
        (-1, "40 40 45 55 49 79 706 19978 65040 65535 65535 65535 65535 65535 40 53", 7453855.6875, 5),
        (-7, "40 40 43 55 50 64 777 19948 65304 65428 65535 65535 65535 65535 40 53", 7451531.6875, 4),
    ],
)
def test_noise_procedure(seed: int, pixels: str, photons: float, overloads: int) -> None:
    """R11.9."""
    means = "0 0.25 3 11.5 12 40 700 20000 65495 65535 300000 1000000 1000001 5000000 0 8"
    noise = noise_image(np.array([means.split()], dtype=np.float32), WHOLE, 40.0, Stream(seed))
    assert " ".join(map(str, noise.pixels[0])) == pixels
    assert (noise.photons, noise.overloads) == (photons, overloads)


@pytest.mark.parametrize(("offset", "pixel"), [(65535.0, 65535), (65534.5, 65534)])
def test_noise_at_the_upper_end(offset: float, pixel: int) -> None:
    """Truncated, and exactly 65535 is no overload (R10.2); without a photon the offset is all there is."""
    noise = noise_image(np.zeros((2, 2), dtype=np.float32), WHOLE, offset, Stream(-1))
    assert (noise.pixels == pixel).all()
    assert (noise.photons, noise.overloads) == (0.0, 0)


def test_noise_outside_the_region_draws_nothing() -> None:
    """Skipped pixels are 0 and use no deviate, masked ones are pixels of mean 0 (F1.5, R10.1)."""
    stream = Stream(-1)
    noise = noise_image(np.zeros((4, 5), dtype=np.float32), (1, 2, 0, 3), 40.0, stream)
    assert stream.drawn == 8
    assert noise.pixels.tolist() == [[0, 40, 40, 0, 0]] * 4


def test_noise_is_never_negative() -> None:
    """A negative offset clips at 0 (R10.3)."""
    assert noise_image(np.zeros((1, 1), dtype=np.float32), WHOLE, -45.0, Stream(-1)).pixels[0, 0] == 0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_noise_of_undefined_pixels_is_an_error(bad: float) -> None:
    """R5.7."""
    with pytest.raises(NanoBragError, match="has [01] infinite and [01] undefined pixels, expected finite"):
        noise_image(np.array([[1, bad]], dtype=np.float32), WHOLE, 40.0, Stream(-1))


@pytest.mark.parametrize(
    ("z", "count"),
    [
        (54999.4999, 55000),
        (54999.498, 54999),
        (70000.0, 65535),
        (-3.0, 0),
        (math.nan, 0),
        (math.inf, 65535),
        (-math.inf, 0),
    ],
)
def test_rounding_of_counts(z: float, count: int) -> None:
    """The binary32 step of F8.2, clips, and undefined pixels (F8.3)."""
    if math.isfinite(z):
        got = integer_image(np.zeros((1, 1), dtype=np.float32), WHOLE, 1.0, z)
    else:
        got = integer_image(np.array([[z]], dtype=np.float32), WHOLE, 1.0, 40.0)
    assert got[0, 0] == count


@pytest.mark.parametrize(
    ("z", "grey"), [(254.99, 254), (300.0, 255), (-5.0, 0), (math.nan, 0), (math.inf, 255)]
)
def test_grey_levels(z: float, grey: int) -> None:
    """Truncated, clipped at both ends (F11.3)."""
    assert grey_image(np.array([[z]], dtype=np.float32), WHOLE, 1.0)[0, 0] == grey


def test_scales() -> None:
    """User values, automatic values, and what is left for a black image (F8.1, F11.2)."""
    assert integer_scale(3.0, 10.0) == 3.0
    assert integer_scale(0.0, 10.0) == 5500.0
    assert integer_scale(0.0, 0.0) == 1.0
    assert grey_scale(3.0, 10.0, 7.0) == 3.0
    assert grey_scale(0.0, 10.0, 7.0) == 5.0
    assert grey_scale(0.0, 0.0, 7.0) == 7.0


def test_statistics_of_masked_pixels() -> None:
    """Mean, rms and rmsd are those of the same pixels (HD-STAT-2): 1, 3 without the 100."""
    image = np.array([[100, 1], [3, 0]], dtype=np.float32)
    mask = np.array([[False, True], [True, False]])
    got = statistics(image, WHOLE, mask)
    assert (got.max_I, got.brightest, got.mean) == (3.0, (1, 0), 2.0)
    assert got.rms == pytest.approx(math.sqrt(10.0))
    assert got.rmsd == pytest.approx(math.sqrt(2.0))


def test_huge_pixels_have_finite_squares() -> None:
    """Binary64 squares (HD-STAT-4)."""
    assert statistics(np.full((2, 2), 1e25, dtype=np.float32), WHOLE).rms < math.inf


@pytest.mark.parametrize("mask", [None, np.zeros((2, 2), dtype=bool)])
def test_statistics_of_nothing(mask: Any) -> None:
    """A black or fully masked image has no brightest pixel and no mean."""
    got = statistics(np.zeros((2, 2), dtype=np.float32), WHOLE, mask)
    assert (got.max_I, got.brightest, got.mean, got.rms, got.rmsd) == (0.0, None, 0.0, 0.0, 0.0)


def test_brightest_pixel_is_the_first_of_equals_inside_the_region() -> None:
    """Strictly greater replaces (P6.12)."""
    image = np.array([[9, 0, 0], [0, 5, 5], [0, 5, 0]], dtype=np.float32)
    assert statistics(image, (1, 7, 1, 7)).brightest == (1, 1)


def test_serial_sum_adds_in_order() -> None:
    """1 is lost when it is added to 1e16 one at a time."""
    assert serial_sum(np.array([1e16, *[1.0] * 100])) == 1e16


def test_mask_case_has_the_mean_of_the_historical_program(case: Any) -> None:
    """The mean ignores masked pixels, as ever."""
    request, image, roi, _, golden = case("mask")
    got = statistics(image, roi, smv.read_pixels(request.mask_file) != 0)
    assert f"mean= {g6(got.mean)} rms= {g6(got.rms)} " in golden.stdout
