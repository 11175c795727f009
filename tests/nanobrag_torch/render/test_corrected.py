"""Corrected physics: each defect of class *image* against what one would expect (P8.3, P8.4)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from nanobrag_torch.errors import UsageError
from nanobrag_torch.render import pixels
from nanobrag_torch.render import scene as scenes
from nanobrag_torch.render.image import render, selected_pixels, tile_of
from nanobrag_torch.setup.experiment import Experiment

ExperimentOf = Callable[[str], Experiment]
ALL_SWITCHES = "-oversample_thick -oversample_polar -oversample_omega"


@pytest.fixture
def images(experiment_of: ExperimentOf) -> Callable[[str], tuple[Tensor, Tensor]]:
    """Corrected and historical image of some options, float64."""

    def both(options: str) -> tuple[Tensor, Tensor]:
        experiment = experiment_of(f"{options} -physics corrected")
        return render(experiment).image.double(), render(experiment_of(options)).image.double()

    return both


Both = Callable[[str], tuple[Tensor, Tensor]]


def same(x: Tensor, y: Tensor, rtol: float = 1e-6) -> bool:
    """Whether two images agree to the rounding of float32."""
    return torch.allclose(x, y, rtol=rtol, atol=0)


def test_nothing_changes_without_the_inputs_that_show_a_defect(images: Both) -> None:
    """For no sensor, no water and no per-subpixel switch the image is the same to the last bit (P8.4)."""
    corrected, historical = images(
        "-oversample 2 -osc 1 -phisteps 3 -mosaic 1 -dispersion 1 -polar 0.5 -dmin 2"
    )
    assert torch.equal(corrected, historical)


@pytest.mark.parametrize("switch", ALL_SWITCHES.split())
def test_a_switch_refines_a_factor_and_no_more(switch: str, images: Both) -> None:
    """HD-OVS-1: per-subpixel factors hardly differ from the pixel's, so neither does the image."""
    options = (
        "-oversample 3 -osc 1 -phisteps 2 -detector_thick 50 -detector_abs 80 -pixel 0.1 -Xbeam -60 -Ybeam -9"
    )
    with_switch, historical = images(f"{options} {switch}")
    without, _ = images(options)
    # a pixel of 0.1 mm at 100 mm: factors vary by less than 0.2 % across it
    assert same(with_switch, without, rtol=2e-3)
    assert not same(historical, without, rtol=0.5)


def test_terms_that_vanish_do_not_skip_a_factor(images: Both) -> None:
    """HD-OVS-3: flat spots with a switch are flat spots times the pixel's solid angle."""
    options = "-tophat_spots -fudge 1e-6 -oversample 3 -osc 1 -phisteps 5 -pixel 0.1"
    with_switch, _ = images(f"{options} -oversample_omega")
    without, _ = images(options)
    assert without.any() and same(with_switch, without, rtol=2e-3)


@pytest.mark.parametrize("layers", [1, 2, 10])
def test_layers_add_up_to_the_absorption_of_the_sensor(layers: int, images: Both) -> None:
    """HD-THK-1, HD-THK-2: with a slowly varying pattern the layers capture 1 - exp(-mu T / cos) together."""
    pattern = "-N 1 -pixel 1 -default_F 10 -nopolar -oversample 1"
    thin, _ = images(pattern)
    thick, historical = images(
        f"{pattern} -detector_thick 300 -detector_abs 100 -detector_thicksteps {layers}"
    )
    captured = 1 - math.exp(-300 / 100)
    # obliquity up to 3 degrees off the normal, and 0.3 mm of depth in 100 mm of distance
    assert same(thick / thin, torch.full_like(thin, captured), rtol=2e-3)
    assert not same(historical / thin, torch.full_like(thin, captured), rtol=0.02)


def test_no_sensor_captures_everything(images: Both) -> None:
    """HD-THK-3: the switch alone leaves the image as it is."""
    corrected, historical = images("-oversample_thick")
    plain, _ = images("")
    assert torch.equal(corrected, plain) and not historical.any()


def test_polarization_can_be_switched_off(images: Both) -> None:
    """HD-POL-2: -nopolar holds with the per-subpixel switch too."""
    corrected, historical = images("-nopolar -oversample_polar -pixel 5")
    unpolarized, _ = images("-nopolar -pixel 5")
    assert torch.equal(corrected, unpolarized) and not same(historical, unpolarized, rtol=1e-3)


WATER_MICROMETRE = 50
PER_STERADIAN = (
    2.57**2 * (WATER_MICROMETRE * 1e-6) ** 3 * 1e6 * 6.02214179e23 / 18.0 * 7.94079248018965e-30 * 1e24
)
"""Photons that the molecules of a cube of water of 50 micrometre scatter at 1e24 photons per square metre."""


@pytest.mark.parametrize(
    "options", ["", "-oversample 3", "-osc 1 -phisteps 4", "-oversample 2 -oversample_omega", "-dmin 1000"]
)
def test_background_is_that_of_the_molecules(options: str, images: Both) -> None:
    """HD-BKG-1, HD-BKG-2, HD-POL-3: cross section times fluence times solid angle, whatever the sampling."""
    corrected, historical = images(f"-default_F 1e-9 -pixel 0.1 -water {WATER_MICROMETRE} {options}")
    solid_angle_sr = 1e-4**2 / 0.1**2
    expected = torch.full_like(corrected, PER_STERADIAN * solid_angle_sr)
    assert same(corrected, expected, rtol=1e-4)
    assert not same(historical, expected, rtol=0.5)


def test_background_passes_the_sensor(images: Both) -> None:
    """P8.4 step 4: it is captured like everything else, in all layers together."""
    options = f"-default_F 1e-9 -pixel 0.1 -water {WATER_MICROMETRE} -nopolar"
    free, _ = images(options)
    thick, _ = images(f"{options} -detector_thick 300 -detector_abs 100 -detector_thicksteps 7")
    assert same(thick / free, torch.full_like(free, 1 - math.exp(-3)), rtol=1e-4)


def test_an_index_out_of_range_falls_back_alone(images: Both, cubic_list: str) -> None:
    """HD-INT-1: a pixel is interpolated where it can be, whatever was rendered before it."""
    geometry = f"{cubic_list} -detpixels 16 -pixel 3 -distance 120 -Xbeam 0 -Ybeam 16 -N 3 -interpolate"
    whole, historical = images(geometry)
    never, _ = images(f"{geometry} -nointerpolate")
    slow, fast = (whole != never).nonzero()[-1].tolist()
    alone, historical_alone = images(f"{geometry} -roi {fast} {fast} {slow} {slow}")
    assert whole[slow, fast] == alone[slow, fast] == historical_alone[slow, fast]
    assert historical[slow, fast] == never[slow, fast]


def test_distance_is_along_the_beam_after_a_swing(experiment_of: ExperimentOf) -> None:
    """HD-DET-1: about the beam spot the distance stays what was asked for."""
    options = "-twotheta 10 -distance 100 -pixel 0.1"
    assert float(experiment_of(f"{options} -physics corrected").detector.distance_m) == pytest.approx(
        0.1, rel=1e-12
    )
    # the figure of P8.3
    assert float(experiment_of(options).detector.distance_m) == pytest.approx(0.09848, rel=1e-4)


def test_length_of_the_swing_axis_has_no_influence(experiment_of: ExperimentOf) -> None:
    """HD-DET-4: an axis is a direction."""
    short, long = "-twotheta_axis 0 1.2 0.1", "-twotheta_axis 0 2.4 0.2"
    swings = [experiment_of(f"{axis} -twotheta 10 -physics corrected").detector for axis in (short, long)]
    for x, y in zip(swings[0].fdet, swings[1].fdet, strict=True):
        assert float(x) == pytest.approx(float(y), abs=1e-15)
    assert math.hypot(*map(float, swings[0].fdet)) == pytest.approx(1, abs=1e-14)
    distorted = experiment_of(f"{short} -twotheta 10").detector.fdet
    assert abs(math.hypot(*map(float, distorted)) - 1) > 1e-4


def test_a_curved_detector_needs_the_beam_along_x(experiment_of: ExperimentOf, tmp_path: Path) -> None:
    """HD-DET-6: elsewhere the mapping has no meaning, and plausible nonsense is refused."""
    assert experiment_of("-curved_det -physics corrected").detector.curved
    with pytest.raises(UsageError, match="-curved_det: the beam is 0 0 1, expected it along x"):
        experiment_of("-xds -curved_det -physics corrected")
    assert experiment_of("-xds -curved_det").detector.curved


def test_gradients_pass_the_corrected_loop(experiment_of: ExperimentOf) -> None:
    """Layers, water and switches: the photons still know the fluence."""
    experiment = experiment_of(f"-detector_thick 9 -water 1 -oversample 2 {ALL_SWITCHES} -physics corrected")
    fluence = experiment.beam.fluence_ph_m2.clone().requires_grad_()
    changed = replace(experiment, beam=replace(experiment.beam, fluence_ph_m2=fluence))
    scene = scenes.build(changed, torch.device("cpu"), torch.float64)
    tile = tile_of(selected_pixels(scene), 8, 0)
    total = pixels.photons(scene, pixels.integrate(scene, tile, torch.tensor(pixels.NEVER))).sum()
    total.backward()  # type: ignore[no-untyped-call]
    # the image is proportional to the fluence
    assert fluence.grad is not None
    assert float(fluence.grad * fluence.detach()) == pytest.approx(float(total.detach()), rel=1e-12)
