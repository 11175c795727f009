"""Everything that goes into one pixel, key by key (C7)."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from nanobrag_torch.advice import warn
from nanobrag_torch.command_line.request import CrystalShape
from nanobrag_torch.constants import DEGREES_PER_RADIAN, THOMSON_M2
from nanobrag_torch.errors import UsageError
from nanobrag_torch.physics import lattice, structure_factor
from nanobrag_torch.physics.vectors import Vec3, dot, scale
from nanobrag_torch.render import scene as scenes
from nanobrag_torch.render.image import selected_pixels, tile_of
from nanobrag_torch.render.pixels import (
    PixelState,
    Rays,
    Terms,
    Tile,
    accumulate,
    fresh_state,
    order,
    photons,
    rays,
    reached,
    stored,
    terms,
)
from nanobrag_torch.render.scene import Scene
from nanobrag_torch.setup.experiment import Detector, Experiment, scalar

Value = float | int | Tensor | Vec3


def check_trace(pixel: tuple[int, int], detector: Detector) -> None:
    """Refuse a pixel (slow, fast) outside the image, warn of one that is not rendered (C7).

    Raises: UsageError.
    """
    slow, fast = pixel
    if not (0 <= slow < detector.slow_pixels and 0 <= fast < detector.fast_pixels):
        raise UsageError(
            f"-trace_pixel {slow} {fast}: outside the image, "
            f"expected slow below {detector.slow_pixels} and fast below {detector.fast_pixels}"
        )
    if not rendered(pixel, detector):
        warn(f"-trace_pixel {slow} {fast}: masked or outside the region of interest, no trace")


def rendered(pixel: tuple[int, int], detector: Detector) -> bool:
    """Whether the pixel (slow, fast) is inside the region of interest and not masked."""
    slow, fast = pixel
    roi = detector.roi
    inside = roi.xmin <= fast <= roi.xmax and roi.ymin <= slow <= roi.ymax
    return inside and (detector.mask is None or bool(detector.mask[slow, fast]))


def trace(experiment: Experiment, pixel: tuple[int, int], first_out: Tensor) -> str:
    """The trace of ``pixel`` (slow, fast) in float64 on the CPU; empty if it is not rendered (C7).

    ``first_out`` is that of the rendering, since it decides whether this pixel interpolates.
    """
    if not rendered(pixel, experiment.detector):
        return ""
    scene = scenes.build(experiment, torch.device("cpu"), torch.float64)
    width = experiment.detector.fast_pixels
    flat = pixel[0] * width + pixel[1]
    rank = int((selected_pixels(scene) < flat).sum())
    tile = tile_of(torch.tensor([flat]), width, rank)
    return "\n".join(_pixel_lines(scene, tile, first_out))


def _line(key: str, value: Value) -> str:
    """One line of the trace: reals with 15 significant digits, integers plain."""
    values = value if isinstance(value, tuple) else (value,)
    words = (str(v) if isinstance(v, int) else f"{float(v):.15g}" for v in values)
    return f"TRACE_C: {key} {' '.join(words)}"


def _pixel_lines(scene: Scene, tile: Tile, stop: Tensor) -> Iterator[str]:
    """The pixel loop once more, for one pixel, with a line for everything it meets."""
    state = fresh_state(scene, 1)
    for ray in rays(scene, state, tile, at_once=1):
        traced = ray.source == 0
        if traced:
            yield from _ray_lines(scene, state, ray)
        for term in terms(scene, tile, ray):
            if traced and (ray.lit is None or bool(ray.lit.all())):
                yield from _orientation_lines(scene, tile, ray, term, stop)
            accumulate(scene, state, tile, term, stop)
    yield from _end_lines(scene, state, ray)


def _ray_lines(scene: Scene, state: PixelState, ray: Rays) -> Iterator[str]:
    """Keys 1 to 13, for every layer and sub-pixel."""
    detector = scene.experiment.detector
    yield _line("pix0_vector_meters", detector.pix0_m)
    yield _line("fdet_vec", detector.fdet)
    yield _line("sdet_vec", detector.sdet)
    yield _line("pixel_pos_meters", ray.position_m)
    yield _line("R_distance_meters", ray.airpath_m)
    yield _line("omega_pixel_sr", state.omega)
    yield _line("close_distance_meters", detector.close_distance_m)
    yield _line("obliquity_factor", detector.close_distance_m / ray.airpath_m)
    yield _line("diffracted_vec", ray.diffracted)
    yield _line("incident_vec", ray.incident)
    yield _line("lambda_meters", ray.wavelength_m)
    yield _line("lambda_angstroms", ray.wavelength_m * 1e10)
    yield _line("scattering_vec_A_inv", ray.q_inv_m)


def _orientation_lines(scene: Scene, tile: Tile, ray: Rays, term: Terms, stop: Tensor) -> Iterator[str]:
    """Keys 14 to 26 of the first orientation, and one line per spindle step of the first domain."""
    domains = scene.experiment.orientations.mosaic_domains
    square = scene.experiment.crystal.shape is CrystalShape.SQUARE
    for row in range(term.F_latt.shape[-2]):
        orientation = term.place - ray.place + row
        if orientation == 0:
            yield from _cell_lines(scene, term)
        if square and orientation % domains == 0:
            yield _spindle_line(scene, term, row, orientation // domains)
        if orientation == 0 and bool(reached(scene, term)[0, 0]):
            yield _line("F_cell", _amplitude(scene, tile, term, stop))


def _cell_lines(scene: Scene, term: Terms) -> Iterator[str]:
    """Keys 14 to 25: first spindle step and domain."""
    turns, crystal = scene.experiment.orientations, scene.experiment.crystal
    for name, vector in zip("abc", (turns.a_m, turns.b_m, turns.c_m), strict=True):
        first = (vector[0][0], vector[1][0], vector[2][0])
        yield _line(f"rot_{name}_angstroms", scale(scalar(1e10), first))
    yield _line("rot_a_star_A_inv", crystal.a_star_inv_A)
    yield _line("rot_b_star_A_inv", crystal.b_star_inv_A)
    yield _line("rot_c_star_A_inv", crystal.c_star_inv_A)
    h, k, l = term.hkl[:, 0, 0]
    yield _line("hkl_frac", (h, k, l))
    yield f"TRACE_C: hkl_rounded {' '.join(str(int(node)) for node in term.nodes[:, 0, 0])}"
    if crystal.shape is CrystalShape.SQUARE:
        for axis, name in enumerate("abc"):
            yield _line(f"F_latt_{name}", _row_amplitude(scene, term, 0, axis))
        yield _line("F_latt", term.F_latt[0, 0])


def _row_amplitude(scene: Scene, term: Terms, row: int, axis: int) -> Tensor | float:
    """Lattice factor along one axis, 1 if it has one cell (P6.9)."""
    if axis not in scene.rows:
        return 1.0
    return lattice.row_amplitude(term.hkl[axis, 0, row], scene.counts[axis, 0, 0])


def _spindle_line(scene: Scene, term: Terms, row: int, step: int) -> str:
    """One spindle step of the first domain, for comparing steps (C7)."""
    phi_deg = float(scene.experiment.orientations.phi_rad[step]) * DEGREES_PER_RADIAN
    return (
        f"TRACE_C_PHI phi_tic={step} phi_deg={phi_deg:.15g} k_frac={float(term.hkl[1, 0, row]):.15g} "
        f"F_latt_b={float(_row_amplitude(scene, term, row, 1)):.15g} F_latt={float(term.F_latt[0, row]):.15g}"
    )


def _amplitude(scene: Scene, tile: Tile, term: Terms, stop: Tensor) -> Tensor:
    """Structure factor of the first evaluation of ``term``."""
    if scene.experiment.crystal.structure_factors.interpolate:
        corrected = scene.experiment.corrected
        outside = structure_factor.out_of_range(term.hkl, scene.amplitudes)[0, 0]
        if bool(~outside if corrected else order(scene, tile, term)[0, 0] < stop):
            return structure_factor.interpolated(term.hkl, scene.amplitudes)[0, 0]
    return structure_factor.at_nodes(term.nodes, scene.amplitudes)[0, 0]


def _end_lines(scene: Scene, state: PixelState, last: Rays) -> Iterator[str]:
    """Keys 27 to 40, once the pixel is complete."""
    sampling = scene.experiment.sampling
    value = photons(scene, state)
    yield _line("I_before_scaling", state.total)
    yield _line("r_e_meters", math.sqrt(THOMSON_M2))
    yield _line("r_e_sqr", THOMSON_M2)
    yield _line("fluence_photons_per_m2", scene.experiment.beam.fluence_ph_m2)
    yield _line("steps", sampling.steps)
    yield _line("oversample_thick", int(sampling.per_subpixel_thick))
    yield _line("oversample_polar", int(sampling.per_subpixel_polar))
    yield _line("oversample_omega", int(sampling.per_subpixel_omega))
    yield _line("capture_fraction", state.capture)
    yield _line("polar", state.polar)
    yield _line("omega_pixel", state.omega)
    yield _line("cos_2theta", dot(last.incident, state.diffracted))
    yield _line("I_pixel_final", value)
    yield _line("floatimage_accumulated", stored(value))
