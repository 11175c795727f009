"""Gradients of the whole pixel loop and of the set-up before it, against differences of two renders."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from nanobrag_torch.command_line.request import Request
from nanobrag_torch.render import scene as scenes
from nanobrag_torch.render.image import selected_pixels, tile_of
from nanobrag_torch.render.pixels import NEVER, integrate, photons
from nanobrag_torch.setup import build
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


def require_slopes(
    gradients: dict[str, float], values: dict[str, float], image_with: Callable[[str, float], Tensor]
) -> None:
    """Each gradient times a small step is what that step makes of the image.

    ``image_with`` returns the image where one of ``values`` is larger by a number.
    """
    for name, gradient in gradients.items():
        step = STEP * abs(values[name]) or STEP
        with torch.no_grad():
            above, below = float(image_with(name, step)), float(image_with(name, -step))
        assert (above - below) / 2 == pytest.approx(gradient * step, rel=1e-4, abs=1e-9 * above), name


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

    def image_with(changed: str, by: float) -> Tensor:
        return total(mapped(experiment, lambda name, value: value + by if name == changed else value))

    require_slopes(
        {name: float(gradient.sum()) for name, gradient in read.items()},
        {name: float(leaves[name].detach().abs().max()) for name in read},
        image_with,
    )


VECTORS = "-fdet_vector 0.1 0 1 -sdet_vector 0 -1 0.1 -beam_vector 1 0.02 0.01 -polar_vector 0 0.1 1"
REQUESTS = {
    "placed by the distance": (
        "-misset 10 20 30 -phi 5 -osc 1 -phisteps 2 -mosaic 0.5 -mosaic_domains 2 -polar 0.7 -distance 90 "
        "-detector_rotx 3 -detector_roty 4 -detector_rotz 5 -twotheta 6 -Xbeam 0.2 -Ybeam 0.3",
        "cell misset_rad phi_rad osc_rad wavelength_m fluence_ph_m2 kahn_factor pixel_m distance_m "
        "detector_rotx_rad detector_roty_rad detector_rotz_rad twotheta_rad Xbeam_m Ybeam_m",
    ),
    "placed by the near point": (
        f"-phistep 0.3 -phisteps 3 {VECTORS} -spindle_axis 0.1 0.2 1 -twotheta_axis 0.1 1 0.2 -twotheta 3 "
        "-polar 0.6 -close_distance 95 -pivot sample -flux 1e12 -exposure 0.3 -beamsize 0.05 -Xbeam 0.2 "
        "-Ybeam 0.3",
        "phi_step_rad fdet_vector sdet_vector beam_vector polar_vector spindle_axis twotheta_axis flux_ph_s "
        "exposure_s beam_size_m close_distance_m Xbeam_m Ybeam_m",
    ),
    "centred by pixels": ("-xds -ORGX 1.5 -ORGY 2.5", "ORGX_pixels ORGY_pixels"),
    "centred by the near point": ("-spindle_axis 0 0 1 -Xclose 0.1 -Yclose 0.2", "Xclose_m Yclose_m"),
    "centred by its size": (
        "-detsize 3 -gauss_xtal -fudge 1e-4 -water 5",
        "detector_fast_m detector_slow_m fudge water_m",
    ),
    "diverging": (
        "-hdivrange 2 -hdivstep 1 -hdivsteps 3 -vdivrange 1 -vdivstep 0.5 -vdivsteps 3 -square_div "
        "-dispersion 2 -dispsteps 2",
        "hdiv_range_rad vdiv_range_rad hdiv_step_rad vdiv_step_rad dispersion",
    ),
    "with a thick sensor": (
        "-detector_thick 90 -detector_abs 70 -detector_thicksteps 2",
        "sensor_thick_m sensor_mu_inv_m",
    ),
}
"""Options, and numbers of the request that have an influence with them."""
WITHOUT_SLOPE = {"pix0_vector_m", "odet_vector"}
"""Compared with the origin and no more (HD-DET-5); dropped as soon as it is not 1 long (HD-DET-3)."""


def test_every_number_of_a_request_is_tried() -> None:
    """Those whose type admits a tensor are those whose gradient is compared below."""
    differentiable = {f.name for f in fields(Request) if re.search("Number|Vector", str(f.type))}
    tried = {name for _, names in REQUESTS.values() for name in names.split()}
    assert tried == differentiable - WITHOUT_SLOPE


@pytest.mark.parametrize("case", REQUESTS)
def test_the_gradient_reaches_what_the_user_says(case: str, request_of: Callable[[str], Request]) -> None:
    """Through cell, orientation, detector and beam, back to the number of the command line."""
    options, names = REQUESTS[case]
    request = request_of(f"-detpixels 3 {options}")
    if "-detsize" in options:
        request = replace(request, fast_pixels=None, slow_pixels=None)
    leaves: dict[str, Tensor] = {}

    def numbers(changed: str = "", by: float = 0.0, grad: bool = False) -> dict[str, Any]:
        def number(name: str, value: float) -> Tensor:
            leaf = torch.tensor(value + (by if name == changed else 0.0), dtype=torch.float64)
            leaves[name] = leaf.requires_grad_(grad)
            return leaf

        def field(name: str) -> Any:
            value = getattr(request, name)
            if isinstance(value, tuple):
                return tuple(number(f"{name}.{i}", item) for i, item in enumerate(value))
            return number(name, value)

        return {name: field(name) for name in names.split()}

    image = total(build.experiment(replace(request, **numbers(grad=True))))
    image.backward()  # type: ignore[no-untyped-call]
    gradients = {name: float(leaf.grad) for name, leaf in leaves.items() if leaf.grad is not None}
    assert gradients.keys() == leaves.keys()
    values = {name: float(leaf.detach()) for name, leaf in leaves.items()}
    require_slopes(
        gradients,
        values,
        lambda changed, by: total(build.experiment(replace(request, **numbers(changed, by)))),
    )
