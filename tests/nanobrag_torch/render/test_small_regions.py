"""A region of few pixels computes many rays at once: the bits of the C reference, in few operations."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nanobrag_torch.command_line.request import Request
from nanobrag_torch.physics import polarization, scattering
from nanobrag_torch.physics.vectors import select, unit
from nanobrag_torch.render import pixels
from nanobrag_torch.render import scene as scenes
from nanobrag_torch.render.image import render, selected_pixels, tile_of
from nanobrag_torch.setup.build import experiment
from nanobrag_torch.setup.experiment import Experiment

from .conftest import COMMON

ExperimentOf = Callable[[str], Experiment]

LAYERS = "-detector_thick 300 -detector_abs 200 -detector_thicksteps 3"
SOURCES = "-divergence 2 -divsteps 3 -dispersion 1 -dispsteps 2"
ORIENTATIONS = "-phi 2 -osc 1 -phisteps 3 -mosaic 0.5 -mosaic_dom 3"
FACTORS = "-oversample_thick -oversample_polar -oversample_omega"
# the polarization factor of the first sub-pixels is 0 (HD-POL-1)
ALONG = (
    "-beam_vector 1 0 0 -fdet_vector 1 0 0 -sdet_vector 0 1 0 -odet_vector 0 0 1 -polar_vector 0 0 1 "
    "-close_distance 100 -Xclose 0.25 -Yclose 0.25 -polar 1"
)

CASES = {
    "square": "",
    "round": "-round_xtal",
    "Gaussian": "-gauss_xtal -fudge 1e-4",
    "flat": "-tophat_spots -fudge 1e-5",
    "one-cell axis": "-Nb 1",
    "layers": LAYERS,
    "sources": f"{SOURCES} -polar 0.5",
    "orientations": ORIENTATIONS,
    "one pixel": f"-roi 3 3 4 4 -water 50 {SOURCES}",
    "curved": f"-curved_det {SOURCES}",
    "point pixel": "-point_pixel -nopolar",
    "interpolated up to a place": "LIST -interpolate -pixel 3 -Xbeam 0 -Ybeam 16",
    "factors": f"{LAYERS} {FACTORS}",
    "factors of flat spots": f"-tophat_spots -fudge 1e-5 {SOURCES} -oversample_omega",
    "factors, sources, water": f"-water 50 {SOURCES} -oversample_polar",
    "corrected": f"-physics corrected {LAYERS} {SOURCES} -water 50 -polar 0.5",
    "corrected factors": f"-physics corrected {LAYERS} {ORIENTATIONS} {FACTORS} -water 50",
    "cut": f"-dmin 30 {SOURCES} -polar 0.5 -water 50",
    "cut, factors": f"-dmin 30 {SOURCES} -oversample_polar",
    "cut everywhere": f"-dmin 1e6 {SOURCES} -water 50",
    "polarization of zero": ALONG,
}


PLANS = ((5 << 13, 1), (300, 1), (30, 2))
"""Elements of a tile, and threads: one tile with room for all rays; for four; tiles of 30, 30 and 4 pixels
with room for one evaluation, and for seven."""


@pytest.mark.parametrize("case", CASES)
def test_the_bits_are_those_of_the_c_reference(
    case: str,
    make_c: Callable[..., Path],
    request_of: Callable[[str], Request],
    cubic_list: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the loop carries from ray to ray, and however many are computed at once (P0, P6, P8.2)."""
    options = f"-oversample 3 {CASES[case].replace('LIST', cubic_list)}"
    words = f"{COMMON} {options} -nonoise -nopgm -noprogress -floatfile c.bin".split()
    subprocess.run([make_c() / "nanoBragg-spec", *words], cwd=tmp_path, capture_output=True, check=True)
    reference = np.fromfile(tmp_path / "c.bin", np.float32)
    assert reference.any() != (case == "cut everywhere")
    threads = torch.get_num_threads()
    try:
        for elements, count in PLANS:
            monkeypatch.setitem(pixels.TILE_ELEMENTS, "cpu", elements)
            torch.set_num_threads(count)
            with torch.no_grad():
                image = render(experiment(request_of(options))).image.numpy().reshape(-1)
            assert np.array_equal(image.view(np.int32), reference.view(np.int32)), (elements, count)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("options", ["", "-dmin 40", "-dmin 40 -oversample_polar", f"{ALONG} -dmin 0.78"])
def test_rays_are_those_of_one_after_another(options: str, experiment_of: ExperimentOf) -> None:
    """P6.7, HD-POL-4: the factor is that of the first ray that survives, and renormalises the direction.

    Here ray after ray is followed as the specification words it.
    """
    scene = scenes.build(
        experiment_of(f"-oversample 3 -polar 0.5 {SOURCES} {options}"), torch.device("cpu"), torch.float64
    )
    beam, sampling = scene.experiment.beam, scene.experiment.sampling
    tile = tile_of(selected_pixels(scene), 8, 0)
    state = pixels.fresh_state(scene, 64)
    (light,) = pixels.rays(scene, state, tile)
    polar, factors, expected, seen = torch.zeros(64, dtype=torch.float64), [], [], []
    renormalised = 0
    for subpixel in torch.arange(9)[:, None]:
        d = unit(pixels.positions(scene, tile, 0, subpixel))
        for source in range(beam.sources):
            k = (beam.incident[0][source], beam.incident[1][source], beam.incident[2][source])
            q = scattering.scattering_vector(d, k, beam.source_wavelengths_m[source])
            expected.append(q)
            seen.append(d)
            wanted = (polar == 0) | sampling.per_subpixel_polar
            if sampling.cut:
                wanted = wanted & scattering.within_resolution(q, sampling.dmin_m)
            again = unit(d)
            factor = polarization.polarization_factor(
                beam.kahn_factor, unit(k), again, scene.polarization_axis, True
            )
            polar = torch.where(wanted, factor, polar)
            factors.append(factor)
            renormalised += int((wanted & (again[0] != d[0])).sum())
            d = select(wanted, again, d)
    for axis in range(3):
        assert torch.equal(light.q_inv_m[axis], torch.stack([q[axis] for q in expected]))
        directions = light.diffracted[axis].expand(9, beam.sources, 64).flatten(0, 1)
        assert torch.equal(directions, torch.stack([d[axis] for d in seen]))
    assert renormalised > 0
    if light.lit is not None:
        assert 0.1 < light.lit.double().mean() < 0.9
    if sampling.per_subpixel_polar:
        assert torch.equal(light.factors[0][light.lit], torch.stack(factors)[light.lit])
    else:
        assert torch.equal(state.polar, polar)


@pytest.mark.parametrize("evaluations", [4, 20, 10**4])
def test_evaluations_are_numbered_in_order(
    evaluations: int, experiment_of: ExperimentOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P6.1: 0, 1, 2, ... for the first pixel, and on for the next, however many are made at once."""
    monkeypatch.setitem(pixels.TILE_ELEMENTS, "cpu", 2 * evaluations)
    built = experiment_of(f"-oversample 3 -roi 0 1 0 0 {LAYERS} {SOURCES} {ORIENTATIONS}")
    scene = scenes.build(built, torch.device("cpu"), torch.float64)
    tile = tile_of(selected_pixels(scene), 8, 0)
    places = [
        pixels.order(scene, tile, term).flatten(0, 1)
        for light in pixels.rays(scene, pixels.fresh_state(scene, 2), tile)
        for term in pixels.terms(scene, tile, light)
    ]
    assert max(map(len, places)) <= evaluations
    assert torch.equal(torch.cat(places).T, torch.arange(2 * 3 * 9 * 10 * 9).reshape(2, -1))


def passes(scene: scenes.Scene) -> tuple[int, int]:
    """How often rays and terms come while all pixels are rendered as one tile."""
    tile = tile_of(selected_pixels(scene), scene.experiment.detector.fast_pixels, 0)
    lights = list(pixels.rays(scene, pixels.fresh_state(scene, len(tile)), tile))
    return len(lights), sum(1 for light in lights for _ in pixels.terms(scene, tile, light))


def test_operations_do_not_grow_with_the_sub_pixels(
    experiment_of: ExperimentOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """64 pixels, 400 sub-pixels, 2 domains: as many evaluations come at once as fill a tile."""
    monkeypatch.setitem(pixels.TILE_ELEMENTS, "cpu", 64 * 40)
    scene = scenes.build(
        experiment_of("-oversample 20 -mosaic 1 -mosaic_dom 2"), torch.device("cpu"), torch.float64
    )
    assert passes(scene) == (400 / 40, 2 * 400 / 40)


def test_what_is_cut_costs_nothing_unless_a_gradient_is_wanted(experiment_of: ExperimentOf) -> None:
    """Beyond -dmin nothing is diffracted (P6.7); and the slope of nothing is 0, not undefined."""
    dark = experiment_of("-oversample 3 -dmin 1e6")
    scene = scenes.build(dark, torch.device("cpu"), torch.float64)
    with torch.no_grad():
        assert passes(scene)[1] == 0
    edge = dark.orientations.a_m[0].clone().requires_grad_()
    orientations = replace(dark.orientations, a_m=(edge, *dark.orientations.a_m[1:]))
    render(replace(dark, orientations=orientations)).image.sum().backward()  # type: ignore[no-untyped-call]
    assert edge.grad is not None and not edge.grad.any()


@pytest.mark.parametrize(
    ("rows", "width"), [(1, 1), (3, 1), (1000, 1), (300, 64), (65, 64), (64, 64), (9, 257)]
)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_sums_are_formed_in_order(rows: int, width: int, dtype: torch.dtype) -> None:
    """The bits of one addition after another, whatever shape decides how they are formed (P6.10)."""
    generator = torch.Generator().manual_seed(rows)
    values = (torch.rand(rows, width, 2, generator=generator, dtype=dtype) * 30).exp()[:, :, 0]
    start = torch.rand(width, generator=generator, dtype=dtype)
    expected = [np.asarray(start[i]) for i in range(width)]
    for row in values.numpy():
        expected = [total + value for total, value in zip(expected, row, strict=True)]
    assert pixels.add_up(start.clone(), values).tolist() == [float(total) for total in expected]
    # another order gives other bits
    backwards = pixels.add_up(start.clone(), values.flip(0)).tolist()
    assert rows < 9 or backwards != [float(total) for total in expected]


def test_a_factor_of_zero_is_filled_in_by_the_first_that_is_not() -> None:
    """P6.3: one pixel has a value, one gets the third candidate, one a NaN, one never gets any."""
    value = torch.tensor([5.0, 0.0, 0.0, 0.0])
    candidates = torch.tensor([[1.0, 0, 0, 0], [2, 0, math.nan, 0], [3, 7, 2, 0], [4, 8, 3, 0], [5, 9, 4, 0]])
    expected = torch.tensor(
        [[5.0, 0, 0, 0], [5, 0, math.nan, 0], [5, 7, math.nan, 0], [5, 7, math.nan, 0], [5, 7, math.nan, 0]]
    )
    torch.testing.assert_close(pixels.carried(value, candidates), expected, rtol=0, atol=0, equal_nan=True)
