"""Gradients of the whole pixel loop, against differences of two renders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from nanobrag_torch.render import scene as scenes
from nanobrag_torch.render.image import selected_pixels, tile_of
from nanobrag_torch.render.pixels import NEVER, integrate, photons
from nanobrag_torch.setup.experiment import Experiment

ExperimentOf = Callable[[str], Experiment]

STEP = 1e-6
"""Relative step of a difference: its error is some 1e-12 of curvature and 1e-10 of rounding."""

EDGES = {f"orientations.{edge}_m.{i}" for edge in "abc" for i in range(3)}
CORNER = {f"detector.pix0_m.{i}" for i in range(3)}
RECIPROCAL = {f"crystal.{edge}_star_inv_A.{i}" for edge in "abc" for i in range(3)}
CASES = {
    "square": (
        "-osc 1 -phisteps 2 -mosaic 0.5 -mosaic_domains 2 -dispersion 1 -divergence 1 -polar 0.7",
        EDGES | CORNER | {"beam.source_wavelengths_m", "beam.kahn_factor", "crystal.Na"},
    ),
    "round": (
        "-round_xtal -point_pixel -oversample 2 -oversample_polar -oversample_omega",
        EDGES | CORNER | {"crystal.fudge"},
    ),
    "Gaussian": (
        "-gauss_xtal -fudge 1e-4 -curved_det -water 5 -polar 0.4",
        EDGES | RECIPROCAL | {"detector.distance_m", "sampling.background"},
    ),
    "flat": (
        "-tophat_spots -fudge 1e-5 -physics corrected -water 3 -polar 0.3",
        CORNER | {"sampling.background", "crystal.structure_factors.default_F"},
    ),
    "sensor": (
        "-detector_thick 90 -detector_abs 70 -detector_thicksteps 2 -oversample_thick",
        EDGES | {"detector.sensor.mu_inv_m", "detector.sensor.spacing_m", "detector.odet.0"},
    ),
    "interpolated": ("-interpolate", EDGES | {"crystal.structure_factors.table"}),
}
"""Options, and tensors that must have an influence with them."""


def mapped(value: Any, change: Callable[[str, Tensor], Tensor], name: str = "") -> Any:
    """``value`` with every real tensor in it replaced; ``change`` gets its name, fields joined by dots."""
    if isinstance(value, Tensor):
        return change(name[1:], value) if value.is_floating_point() else value
    if isinstance(value, tuple):
        return tuple(mapped(item, change, f"{name}.{i}") for i, item in enumerate(value))
    if is_dataclass(value) and not isinstance(value, type):
        parts = {f.name: mapped(getattr(value, f.name), change, f"{name}.{f.name}") for f in fields(value)}
        return replace(value, **parts)
    return value


def total(experiment: Experiment) -> Tensor:
    """Sum of all pixels before they are rounded to float32."""
    scene = scenes.build(experiment, torch.device("cpu"), torch.float64)
    tile = tile_of(selected_pixels(scene), experiment.detector.fast_pixels, 0)
    return photons(scene, integrate(scene, tile, torch.tensor(NEVER))).sum()


@pytest.mark.parametrize("case", CASES)
def test_every_gradient_is_the_slope(case: str, experiment_of: ExperimentOf, cubic_list: str) -> None:
    """For each tensor of an experiment that has an influence: what a small step of it does to the image."""
    inputs = cubic_list if case == "interpolated" else ""
    options, influential = CASES[case]
    experiment = experiment_of(f"-detpixels 3 {inputs} {options}")
    leaves: dict[str, Tensor] = {}

    def leaf(name: str, value: Tensor) -> Tensor:
        leaves[name] = value.detach().clone().requires_grad_()
        return leaves[name]

    image = total(mapped(experiment, leaf))
    image.backward()  # type: ignore[no-untyped-call]
    read = {name: value.grad for name, value in leaves.items() if value.grad is not None}
    assert set(read) >= influential | {"beam.fluence_ph_m2", "detector.pixel_m"}
    for name, gradient in read.items():
        step = STEP * float(leaves[name].detach().abs().max()) or STEP

        def moved(by: float, name: str = name) -> float:
            changed = mapped(experiment, lambda other, value: value + by if other == name else value)
            return float(total(changed))

        with torch.no_grad():
            slope = (moved(step) - moved(-step)) / 2
        assert slope == pytest.approx(
            float(gradient.sum()) * step, rel=1e-4, abs=1e-9 * float(image.detach())
        ), name
