"""The pixel loop as tensor code: no look at a value, and gradients that arrive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from nanobrag_torch.render import pixels
from nanobrag_torch.render import scene as scenes
from nanobrag_torch.render.image import selected_pixels, tile_of
from nanobrag_torch.render.scene import Scene
from nanobrag_torch.setup.experiment import Experiment

ExperimentOf = Callable[[str], Experiment]

FEATURES = {
    "plain": "",
    "round": "-round_xtal",
    "gauss": "-gauss_xtal",
    "tophat": "-tophat_spots",
    "one-cell axis": "-Na 1",
    "curved": "-curved_det",
    "point pixel": "-point_pixel",
    "interpolated": "-cell 20 20 20 90 90 90 -interpolate -hkl cubic.hkl",
    "layers": "-detector_thick 100 -detector_abs 50 -detector_thicksteps 3",
    "running products": "-oversample 2 -oversample_polar -oversample_omega -oversample_thick",
    "resolution cut": "-oversample 2 -dmin 3 -water 1 -polar 1",
    "sources": "-divergence 1 -dispersion 1 -polar 0.5",
    "orientations": "-osc 1 -phisteps 3 -mosaic 0.5 -mosaic_dom 2",
}


def scene_and_tile(experiment: Experiment, device: str = "cpu") -> tuple[Scene, pixels.Tile]:
    """All pixels as one tile."""
    scene = scenes.build(experiment, torch.device(device), torch.float64)
    return scene, tile_of(selected_pixels(scene), experiment.detector.fast_pixels, 0)


@pytest.mark.parametrize("feature", FEATURES)
def test_no_value_decides(
    feature: str, experiment_of: ExperimentOf, cubic_list: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the device "meta" tensors have no values: whoever branches on one, or fetches one, fails."""
    monkeypatch.setitem(pixels.TILE_ELEMENTS, "meta", 3 * 64)  # three rays at once
    scene, tile = scene_and_tile(experiment_of(FEATURES[feature]), "meta")
    stop = torch.zeros((), dtype=torch.int64, device="meta")
    state = pixels.integrate(scene, tile, stop)
    assert pixels.photons(scene, state).shape == (64,)
    assert pixels.first_out_of_range(scene, tile).device.type == "meta"


def test_the_meta_device_catches_a_look_at_a_value(experiment_of: ExperimentOf) -> None:
    """The test above can fail: a condition on a tensor without values is an error."""
    scene, _ = scene_and_tile(experiment_of(""), "meta")
    with pytest.raises(RuntimeError):
        bool(scene.scale > 0)


def total(experiment: Experiment) -> Tensor:
    """Photons of all pixels in float64."""
    scene, tile = scene_and_tile(experiment)
    state = pixels.integrate(scene, tile, torch.tensor(pixels.NEVER))
    return pixels.photons(scene, state).sum()


PARAMETERS = {
    "pixel": ("", "detector.pixel_m"),
    "close distance": ("", "detector.close_distance_m"),
    "curvature": ("-curved_det", "detector.distance_m"),
    "origin": ("", "detector.pix0_m.0"),
    "attenuation": ("-detector_thick 100 -detector_abs 50", "detector.sensor.mu_inv_m"),
    "fluence": ("", "beam.fluence_ph_m2"),
    "Kahn factor": ("-polar 0.7", "beam.kahn_factor"),
    "wavelengths": ("-dispersion 1", "beam.source_wavelengths_m"),
    "cells of SQUARE": ("", "crystal.Nb"),
    "cells of GAUSS": ("-gauss_xtal -fudge 1e-4", "crystal.Nb"),
    "fudge of ROUND": ("-round_xtal", "crystal.fudge"),
    "default amplitude": ("", "crystal.structure_factors.default_F"),
    "cell vectors": ("-osc 1 -phisteps 3", "orientations.a_m.0"),
    "background": ("-water 1", "sampling.background"),
}


def value_at(whole: Any, path: Sequence[str]) -> Any:
    """The part of an experiment that a path names; numbers are components."""
    for name in path:
        whole = whole[int(name)] if name.isdigit() else getattr(whole, name)
    return whole


def changed(whole: Any, path: Sequence[str], value: Tensor) -> Any:
    """A copy of an experiment with another value at a path."""
    if not path:
        return value
    new = changed(value_at(whole, path[:1]), path[1:], value)
    if path[0].isdigit():
        return (*whole[: int(path[0])], new, *whole[int(path[0]) + 1 :])
    return replace(whole, **{path[0]: new})


@pytest.mark.parametrize("name", PARAMETERS)
def test_gradient_is_the_slope(name: str, experiment_of: ExperimentOf) -> None:
    """The derivative of the photons with respect to a parameter is that of a central difference."""
    options, dotted = PARAMETERS[name]
    experiment, path = experiment_of(options), dotted.split(".")
    value = value_at(experiment, path).clone().requires_grad_()
    total(changed(experiment, path, value)).backward()  # type: ignore[no-untyped-call]
    step = value.detach() * 1e-7
    up, down = (total(changed(experiment, path, value.detach() + sign * step)) for sign in (1.0, -1.0))
    slope = float(up - down) / 2.0
    assert slope != 0
    # truncation 1e-7 squared and rounding 1e-16 / 1e-7, both enlarged by the steep lattice factor
    assert float((value.grad * step).sum()) == pytest.approx(slope, rel=1e-4)
