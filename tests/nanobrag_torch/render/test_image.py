"""The image does not depend on how it is computed (P0.7, P6.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch

from nanobrag_torch.render import pixels
from nanobrag_torch.render.image import render
from nanobrag_torch.setup.experiment import Experiment

ExperimentOf = Callable[[str], Experiment]

EVERYTHING = (
    "-oversample 2 -phi -1 -osc 2 -phisteps 3 -mosaic 0.5 -mosaic_dom 2 -dispersion 1 -divergence 1 "
    "-detector_thick 100 -detector_abs 80 -polar 0.9 -oversample_polar -water 1 -dmin 2 "
    "-detpixels 5"
)


def bits(experiment: Experiment) -> npt.NDArray[np.int32]:
    """The image as integers, so that equal means equal."""
    return render(experiment).image.numpy().view(np.int32)


@pytest.mark.parametrize("elements", [3, 7, 25])
def test_tiles_do_not_show(
    elements: int, experiment_of: ExperimentOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tiles of a few pixels, of more, of all: the same bits, with every kind of state carried (P8.2)."""
    whole = bits(experiment_of(EVERYTHING))
    monkeypatch.setitem(pixels.TILE_ELEMENTS, "cpu", elements)
    assert np.array_equal(bits(experiment_of(EVERYTHING)), whole)


@pytest.mark.parametrize("options", ["", "LIST -interpolate", "LIST -nointerpolate", "-physics corrected"])
def test_a_beam_along_a_curved_detector_gives_no_number(
    options: str, experiment_of: ExperimentOf, cubic_list: str
) -> None:
    """The radius is 0, so the angles of P6.4 step 3 are infinite and nothing after them is defined."""
    along = "-fdet_vector 0 0 1 -sdet_vector 1 0 0 -odet_vector 0 1 0 -curved_det"
    experiment = experiment_of(f"{along} {options.replace('LIST', cubic_list)}")
    assert experiment.detector.distance_m == 0
    assert render(experiment).image.isnan().all()


def test_a_polarization_of_zero_counts_as_not_computed(experiment_of: ExperimentOf) -> None:
    """HD-POL-1, P6.3: the first sub-pixel lies at 90 degrees along the polarization, the second counts.

    In the plane of beam and polarization the factor of Kahn 1 is the squared cosine of 2theta.
    """
    along = (
        "-beam_vector 1 0 0 -fdet_vector 1 0 0 -sdet_vector 0 1 0 -odet_vector 0 0 1 -polar_vector 0 0 1 "
        "-close_distance 100 -Xclose 0.25 -Yclose 0.25 -oversample 2"
    )
    polarized, plain = (
        render(experiment_of(f"{along} {option}")).image[0, 0].item() for option in ("-polar 1", "-nopolar")
    )
    # the second sub-pixel is 0.5 mm further along the beam; the pixels are float32
    assert polarized / plain == pytest.approx(0.5**2 / (0.5**2 + 100**2), rel=1e-6)


def test_threads_do_not_show(experiment_of: ExperimentOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread or three: the same bits, and torch is left with as many threads as before (P0.7)."""
    monkeypatch.setitem(pixels.TILE_ELEMENTS, "cpu", 5)
    before = torch.get_num_threads()
    alone = bits(experiment_of(EVERYTHING))
    try:
        torch.set_num_threads(3)
        together = bits(experiment_of(EVERYTHING))
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(together, alone)


def test_a_failing_tile_gives_the_threads_back(
    experiment_of: ExperimentOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error in a worker reaches the caller and leaves no setting behind."""

    def fail(*_: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr("nanobrag_torch.render.image.integrate", fail)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with pytest.raises(RuntimeError, match="out of luck"):
            render(experiment_of(""))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_region_is_a_cutout(experiment_of: ExperimentOf) -> None:
    """Limits are inclusive, pixels outside are 0, those inside are the ones of the whole image (P6.1)."""
    whole = render(experiment_of("-osc 1")).image
    part = render(experiment_of("-osc 1 -roi 2 5 1 6")).image
    assert torch.equal(part[1:7, 2:6], whole[1:7, 2:6])
    part[1:7, 2:6] = 0
    assert not part.any()


def test_solid_angle_is_that_of_the_detector(experiment_of: ExperimentOf) -> None:
    """The pixels of a flat detector add up to the rectangular pyramid they cover (P6.13, HD-STAT-3)."""
    options = (
        "-detpixels 40 -pixel 1 -xds -osc 1 -phisteps 3 -oversample 2 -detector_thick 1 -oversample_omega"
    )
    rendering = render(experiment_of(options))
    half, distance = 20.0, 100.0
    pyramid = 4 * np.arcsin(half**2 / (half**2 + distance**2))
    # a pixel is taken at its middle; the error of that is second order in pixel over distance
    assert float(rendering.solid_angle_sr) == pytest.approx(pyramid, rel=1e-4)


def test_progress_reaches_the_number_of_pixels(
    experiment_of: ExperimentOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The callback is told pixels done and pixels in all, in rising order."""
    monkeypatch.setitem(pixels.TILE_ELEMENTS, "cpu", 24)
    calls: list[tuple[int, int]] = []
    render(experiment_of(""), progress=lambda done, total: calls.append((done, total)))
    assert calls == [(24, 64), (48, 64), (64, 64)]


def test_interpolation_ends_at_the_first_pixel_out_of_range(
    experiment_of: ExperimentOf, cubic_list: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before that pixel everything is interpolated, from it on nothing is, whatever the tiles (HD-INT-1)."""
    monkeypatch.setitem(pixels.TILE_ELEMENTS, "cpu", 9)
    geometry = f"{cubic_list} -detpixels 16 -pixel 3 -distance 120 -Xbeam 0 -Ybeam 16 -N 3"
    forced = render(experiment_of(f"{geometry} -interpolate"))
    never = render(experiment_of(f"{geometry} -nointerpolate"))
    end = int(forced.first_out_pixel)
    assert 0 < end < 256 and int(never.first_out_pixel) == -1
    differs = (forced.image != never.image).reshape(-1)
    assert differs[:end].float().mean() > 0.9
    assert not differs[end + 1 :].any()


@pytest.mark.parametrize("shape", ["-square_xtal", "-round_xtal", "-gauss_xtal -fudge 1e-4", "-tophat_spots"])
def test_float32_lowers_only_what_follows_the_index(shape: str, experiment_of: ExperimentOf) -> None:
    """With 1000 cells a float32 phase would be noise; a reduced one keeps the bright pixels (C8.5.4)."""
    experiment = experiment_of(f"{shape} -N 1000 -osc 1 -phisteps 4")
    double = render(experiment).image.double()
    single = render(experiment, dtype=torch.float32).image.double()
    bright = double > double.max() * 1e-3
    # 24 bits of the factors, cancelled to some extent near the zeros of the lattice factor
    torch.testing.assert_close(single[bright], double[bright], rtol=2e-4, atol=0)


def test_no_pixel_in_the_region_is_an_empty_image(experiment_of: ExperimentOf) -> None:
    """A region beyond the mask's only pixels renders nothing and costs nothing (P6.1)."""
    experiment = experiment_of("-interpolate")
    detector = replace(experiment.detector, mask=torch.zeros(8, 8, dtype=torch.bool))
    rendering = render(replace(experiment, detector=detector))
    assert not rendering.image.any() and float(rendering.solid_angle_sr) == 0
