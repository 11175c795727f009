"""Everything that goes into one pixel, key by key (C7)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TextIO

import torch
from torch import Tensor

from nanobrag_torch.command_line.request import CrystalShape
from nanobrag_torch.errors import UsageError
from nanobrag_torch.physics import lattice, scattering, structure_factor
from nanobrag_torch.physics.vectors import Vec3, direction, dot, norm, scale
from nanobrag_torch.render import (
    PixelState,
    Scene,
    Tile,
    integrate,
    lattice_factor,
    photons,
    positions,
    scene,
    tiles,
)
from nanobrag_torch.setup.constants import DEGREES_PER_RADIAN, THOMSON_M2
from nanobrag_torch.setup.experiment import Detector, Experiment, scalar

Value = float | int | Tensor | Vec3


def check_trace(pixel: tuple[int, int] | None, detector: Detector, err: TextIO) -> None:
    """Refuse a pixel outside the image, warn of one that is not rendered (C7).

    Raises: UsageError.
    """
    if pixel is None:
        return
    slow, fast = pixel
    if not (0 <= slow < detector.slow_pixels and 0 <= fast < detector.fast_pixels):
        raise UsageError(
            f"-trace_pixel {slow} {fast}: outside the image, "
            f"expected slow below {detector.slow_pixels} and fast below {detector.fast_pixels}"
        )
    roi = detector.roi
    inside = roi.xmin <= fast <= roi.xmax and roi.ymin <= slow <= roi.ymax
    if not inside or (detector.mask is not None and not detector.mask[slow, fast]):
        print(f"WARNING: -trace_pixel {slow} {fast}: masked or outside the region of interest", file=err)


def rendered(pixel: tuple[int, int], detector: Detector) -> bool:
    """Whether the pixel (slow, fast) is inside the region of interest and not masked."""
    slow, fast = pixel
    roi = detector.roi
    inside = roi.xmin <= fast <= roi.xmax and roi.ymin <= slow <= roi.ymax
    return inside and (detector.mask is None or bool(detector.mask[slow, fast]))


def line(key: str, value: Value) -> str:
    """One line of the trace: reals with 15 significant digits, integers plain."""
    values = value if isinstance(value, tuple) else (value,)
    words = (str(v) if isinstance(v, int) else f"{float(v):.15g}" for v in values)
    return f"TRACE_C: {key} {' '.join(words)}"


def trace(experiment: Experiment, pixel: tuple[int, int], first_out: Tensor) -> str:
    """The trace of ``pixel`` (slow, fast) in float64 on the CPU; empty if it is not rendered (C7)."""
    if not rendered(pixel, experiment.detector):
        return ""
    on = scene(experiment, torch.device("cpu"), torch.float64)
    width = experiment.detector.fast_pixels
    (tile,) = tiles(torch.tensor([pixel[0] * width + pixel[1]]), width, 1)
    return "\n".join([*subpixel_lines(on, tile, first_out), *end_lines(on, tile, first_out)])


def subpixel_lines(on: Scene, tile: Tile, first_out: Tensor) -> Iterator[str]:
    """Keys 1 to 26, for every layer and sub-pixel, first source only."""
    detector, beam = on.experiment.detector, on.experiment.beam
    n = on.experiment.sampling.oversample
    incident = (beam.incident[0][0], beam.incident[1][0], beam.incident[2][0])
    wavelength = beam.source_wavelengths_m[0]
    state: PixelState | None = None
    for layer in range(detector.sensor.layers):
        for subpixel in range(n * n):
            position = positions(on, tile, layer, *divmod(subpixel, n))
            airpath = norm(position)
            diffracted = direction(position, airpath)
            state = omega_in_force(on, state, airpath)
            yield line("pix0_vector_meters", detector.pix0_m)
            yield line("fdet_vec", detector.fdet)
            yield line("sdet_vec", detector.sdet)
            yield line("pixel_pos_meters", position)
            yield line("R_distance_meters", airpath)
            yield line("omega_pixel_sr", state.omega)
            yield line("close_distance_meters", detector.close_distance_m)
            yield line("obliquity_factor", detector.close_distance_m / airpath)
            yield line("diffracted_vec", diffracted)
            yield line("incident_vec", incident)
            yield line("lambda_meters", wavelength)
            yield line("lambda_angstroms", wavelength * 1e10)
            q = scattering.scattering_vector(diffracted, incident, wavelength)
            yield line("scattering_vec_A_inv", q)
            if on.experiment.sampling.cut and not bool(
                scattering.within_resolution(q, on.experiment.sampling.dmin_m).all()
            ):
                continue
            yield from term_lines(on, q, first_out)


def omega_in_force(on: Scene, state: PixelState | None, airpath: Tensor) -> PixelState:
    """The state with the solid angle of this sub-pixel, as the pixel loop keeps it."""
    from nanobrag_torch.render import fresh_state, update_omega

    first = state is None
    state = fresh_state(on, 1) if state is None else state
    update_omega(on, state, airpath, first)
    return state


def term_lines(on: Scene, q: Vec3, first_out: Tensor) -> Iterator[str]:
    """Keys 14 to 26: first spindle step and domain, then one line per spindle step."""
    turns, crystal = on.experiment.orientations, on.experiment.crystal
    a, b, c = ((v[0][:1], v[1][:1], v[2][:1]) for v in (turns.a_m, turns.b_m, turns.c_m))
    angstrom = scalar(1e10)
    for name, vector in zip("abc", (a, b, c), strict=True):
        yield line(f"rot_{name}_angstroms", scale(angstrom, vector))
    yield line("rot_a_star_A_inv", crystal.a_star_inv_A)
    yield line("rot_b_star_A_inv", crystal.b_star_inv_A)
    yield line("rot_c_star_A_inv", crystal.c_star_inv_A)
    hkl = scattering.miller_indices(q, a, b, c)
    nodes = (scattering.nearest_node(hkl[0]), scattering.nearest_node(hkl[1]), scattering.nearest_node(hkl[2]))
    yield line("hkl_frac", hkl)
    yield line("hkl_rounded", tuple(int(node) for node in nodes))  # type: ignore[arg-type]
    F_latt = lattice_factor(on, hkl, nodes)
    if crystal.shape is CrystalShape.SQUARE:
        for name, h, count in zip("abc", hkl, on.long_axes, strict=True):
            yield line(f"F_latt_{name}", lattice.row_amplitude(math.pi * h, count) if count > 1 else 1.0)
        yield line("F_latt", F_latt)
        yield from phi_lines(on, q)
    if F_latt != 0 or on.experiment.sampling.water:
        use = crystal.structure_factors.interpolate and bool(first_out > 0)
        in_range = not bool(structure_factor.out_of_range(hkl, on.amplitudes))
        F = structure_factor.interpolated(hkl, on.amplitudes) if use and in_range else None
        yield line("F_cell", structure_factor.at_nodes(nodes, on.amplitudes) if F is None else F)


def phi_lines(on: Scene, q: Vec3) -> Iterator[str]:
    """One line per spindle step of the first domain, for comparing steps (C7)."""
    turns = on.experiment.orientations
    step = slice(None, None, turns.mosaic_domains)
    a, b, c = ((v[0][step], v[1][step], v[2][step]) for v in (turns.a_m, turns.b_m, turns.c_m))
    hkl = scattering.miller_indices(q, a, b, c)
    nodes = (scattering.nearest_node(hkl[0]), scattering.nearest_node(hkl[1]), scattering.nearest_node(hkl[2]))
    along_b = lattice.row_amplitude(math.pi * hkl[1], on.long_axes[1])
    F_latt = lattice_factor(on, hkl, nodes)
    for n, phi in enumerate(turns.phi_rad):
        yield (
            f"TRACE_C_PHI phi_tic={n} phi_deg={float(phi) * DEGREES_PER_RADIAN:.15g} k_frac={float(hkl[1][n]):.15g} "
            f"F_latt_b={float(along_b[n]):.15g} F_latt={float(F_latt[n]):.15g}"
        )


def end_lines(on: Scene, tile: Tile, first_out: Tensor) -> Iterator[str]:
    """Keys 27 to 40, once the pixel is complete."""
    sampling, beam, detector = on.experiment.sampling, on.experiment.beam, on.experiment.detector
    state = integrate(on, tile, first_out)
    last = sampling.oversample - 1
    position = positions(on, tile, detector.sensor.layers - 1, last, last)
    incident = (beam.incident[0][-1], beam.incident[1][-1], beam.incident[2][-1])
    value = photons(on, state)
    yield line("I_before_scaling", state.total)
    yield line("r_e_meters", math.sqrt(THOMSON_M2))
    yield line("r_e_sqr", THOMSON_M2)
    yield line("fluence_photons_per_m2", beam.fluence_ph_m2)
    yield line("steps", sampling.steps)
    yield line("oversample_thick", int(sampling.per_subpixel_thick))
    yield line("oversample_polar", int(sampling.per_subpixel_polar))
    yield line("oversample_omega", int(sampling.per_subpixel_omega))
    yield line("capture_fraction", state.capture)
    yield line("polar", state.polar)
    yield line("omega_pixel", state.omega)
    yield line("cos_2theta", dot(incident, direction(position, norm(position))))
    yield line("I_pixel_final", value)
    yield line("floatimage_accumulated", value.float())
