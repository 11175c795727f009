"""The check values of the specification, bit for bit (P10)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from nanobrag_torch.render import scene as scenes
from nanobrag_torch.render.image import render, selected_pixels, tile_of
from nanobrag_torch.render.pixels import Rays, Terms, fresh_state, integrate, photons, rays, terms
from nanobrag_torch.setup.experiment import Experiment

ExperimentOf = Callable[[str], Experiment]

PIXELS = ((0, 0), (2, 5), (5, 1), (7, 7))
CASES = {
    "V1": ("", "2f3cc27c 305d69c8 33d5729b 3543c5c7"),
    "V2": ("-round_xtal", "3418b2c2 312bbe2e 3498ca45 36f5fc6f"),
    "V3": ("-gauss_xtal -fudge 1e-4", "3aa145b1 3aa25a1a 3aa22a1d 3aa2366e"),
    "V4": ("-tophat_spots -fudge 1e-5", "3aa15185 3aa26a8e 3aa238be 3aa238be"),
    "V5": (
        "-xds -detector_rotx 5 -detector_roty -3 -detector_rotz 7",
        "35b7af9d 30c2bdd4 2f9dd784 3458aeff",
    ),
    "V6": ("-adxv -twotheta 12 -polar 0.9", "32e114ff 38655b6c 39953e88 340badeb"),
    "V7 spec mode": ("-phi 0 -osc 1 -phisteps 3", "31219b26 3169cb0f 33d33b2f 34d73464"),
    "V8": ("-phi 2 -osc 1 -phisteps 3 -mosaic 0.5 -mosaic_dom 3", "3414dac1 32fa10f1 33d1bf53 30058777"),
    "V9": ("-divergence 2 -divsteps 3 -dispersion 1 -dispsteps 2", "329b6932 330f1b61 3357f373 365ab0ae"),
    "V10": (
        "-detector_thick 300 -detector_abs 200 -detector_thicksteps 3",
        "3019afa4 2f773a8c 330bfca3 3455dfd1",
    ),
    "V11": (
        "-detector_thick 300 -detector_abs 200 -detector_thicksteps 3 -oversample 2 "
        "-oversample_thick -oversample_polar -oversample_omega",
        "2cb30f9c 2b98feff 2e1713fe 3545b8f1",
    ),
    "V12": ("-water 50 -oversample 2", "422c9cdc 422de889 422daec4 422dd250"),
    "V13": ("-curved_det -point_pixel -nopolar", "3fc3598e 41404209 3d17f15b 41f39771"),
    "V14": (
        "-beam_vector 1 0.01 0.02 -polar_vector 0 0.1 1 -polar 0.8 -pivot sample -detector_rotx 2",
        "3769f0bb 332dda4d 316ba825 34524ddb",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_image_has_the_bits_of_the_table(case: str, experiment_of: ExperimentOf) -> None:
    """Four pixels of each image are those of the historical program (P10.1)."""
    options, bits = CASES[case]
    image = render(experiment_of(options)).image.numpy()
    got = [f"{image[pixel].view(np.uint32):08x}" for pixel in PIXELS]
    assert got == bits.split()


@pytest.fixture
def pixel_of_v1(experiment_of: ExperimentOf) -> tuple[Rays, Terms, float, float, float]:
    """Ray and terms of V1 at slow 2, fast 5, with solid angle, polarization and photons."""
    scene = scenes.build(experiment_of(""), torch.device("cpu"), torch.float64)
    place = 2 * 8 + 5
    tile = tile_of(selected_pixels(scene)[place : place + 1], 8, place)
    state = fresh_state(scene, 1)
    (ray,) = rays(scene, state, tile)
    (term,) = terms(scene, tile, ray)
    value = photons(scene, integrate(scene, tile, torch.tensor(2**62)))
    return ray, term, float(state.omega), float(state.polar), float(value)


def test_intermediate_values_have_the_bits_of_the_table(
    pixel_of_v1: tuple[Rays, Terms, float, float, float],
) -> None:
    """Everything that feeds the phase, and the slowly varying factors (P10.2)."""
    ray, term, omega, polar, _ = pixel_of_v1
    table = {
        "R": ([ray.airpath_m], ["0x1.99bbac55c97e8p-4"]),
        "d": (ray.diffracted, ["0x1.ffd56c1f7d144p-1", "0x1.997789b2ca76cp-6", "0x1.4792d48f085dfp-8"]),
        "q": (ray.q_inv_m, ["-0x1.687c8f25a30aap+21", "0x1.b158f6740337fp+27", "0x1.5aad91f668f87p+25"]),
        "hkl": (term.hkl[:, 0], ["0x1.e7b3c395718bap-2", "0x1.b5cb3f706da19p+0", "0x1.9efc8e080ceeep-2"]),
        "omega": ([omega], ["0x1.a30593db823edp-14"]),
        "polar": ([polar], ["0x1.ffd56de4b3d9ep-1"]),
    }
    for name, (values, wanted) in table.items():
        assert [float(value) for value in values] == [float.fromhex(text) for text in wanted], name


def test_lattice_factor_and_pixel_are_those_of_the_table(
    pixel_of_v1: tuple[Rays, Terms, float, float, float],
) -> None:
    """The sines of torch may differ from the C library's in the last bit, no more (P0.4, P10.2)."""
    _, term, _, _, value = pixel_of_v1
    assert float(term.F_latt[0]) == pytest.approx(float.fromhex("-0x1.9ccd604c2b0b3p-4"), rel=1e-14)
    assert value == pytest.approx(float.fromhex("0x1.bad38fdbcaf5dp-31"), rel=1e-14)
