"""Known-wrong physics that a run meets, and how much it changes (C10.2, P8.3).

Every size is computed from the numbers of the run, at five pixels of its region where it
depends on the pixel, so that nothing is rendered twice. All of this is read only: no
number of the experiment is changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nanobrag_torch.advice import note, warn
from nanobrag_torch.command_line.request import CrystalShape, Request
from nanobrag_torch.constants import DEGREES_PER_RADIAN, THOMSON_M2
from nanobrag_torch.formats.unit_cell import CellConstants
from nanobrag_torch.physics import geometry, scattering
from nanobrag_torch.physics.lattice import GAUSS_RADIUS, TOPHAT_RADIUS_SQUARED
from nanobrag_torch.physics.polarization import polarization_factor
from nanobrag_torch.physics.vectors import Vec3, direction, dot, norm, subtract, unit
from nanobrag_torch.setup import libm
from nanobrag_torch.setup.beam import source_grids
from nanobrag_torch.setup.counts import Grid
from nanobrag_torch.setup.detector import Axes
from nanobrag_torch.setup.experiment import Detector, Experiment, plain, scalar, vector
from nanobrag_torch.setup.rotation import rotaxis, rotxyz

NEGLIGIBLE = 0.001
"""Relative change that is not said: no detector measures an intensity to 0.1 %."""
NEGLIGIBLE_ANGLE_DEG = 0.0057
"""1e-4 rad: moves the tenth reflection of a row by 0.1 % of the distance between neighbours."""
MANY_TIMES = 2.0
"""From here on a ratio is said as a factor, below it in percent."""
FEW_CELLS = 2
"""Up to here interpolation is chosen (P3.9)."""
GAUSS_VOLUME = (math.pi * GAUSS_RADIUS / 2) ** 1.5
"""Integral over reciprocal space of the square of GAUSS, in units of its centre, times N^3 (C10.2)."""
TOPHAT_VOLUME = 4 / 3 * math.pi * TOPHAT_RADIUS_SQUARED**1.5
MENDED = "use -physics corrected"


def warn_of_known_defects(request: Request, experiment: Experiment, axes: Axes) -> None:
    """Say which known-wrong physics changes the image of this run, and by how much (C10.2)."""
    with torch.no_grad():
        if not experiment.corrected:
            for text in (*_factors(request, experiment), *_swing(request, experiment, axes)):
                warn(text)
        for text in (
            *_shape(experiment),
            *_interpolation(request, experiment),
            *_curvature(experiment),
            *_divergence(request),
            *_spindle(request, experiment),
        ):
            warn(text)
        for text in (
            *_first_subpixel(experiment),
            *_first_source(request, experiment),
            *_counts_made_up(request, experiment),
        ):
            note(text)


def negligible(ratio: float) -> bool:
    """Whether a ratio of wrong to right is not worth a word, or is no number (C10.1)."""
    return math.isnan(ratio) or abs(ratio - 1) <= NEGLIGIBLE


def size(ratio: float) -> str:
    """A ratio of wrong to right in words (C10.1)."""
    if ratio == 0:
        return "0"
    if ratio >= MANY_TIMES:
        return f"{ratio:.3g} times too strong"
    if abs(ratio) <= 1 / MANY_TIMES:
        return f"{1 / ratio:.3g} times too weak"
    return f"{100 * abs(ratio - 1):.3g} % too {'strong' if ratio > 1 else 'weak'}"


def worst(ratios: Sequence[float]) -> str | None:
    """Size of the ratio that is furthest from 1, with ``up to`` where others differ; None if none matters."""
    known = [ratio for ratio in ratios if ratio >= 0]
    if not known:
        return None
    furthest = max(known, key=lambda ratio: abs(math.log(ratio)) if ratio else math.inf)
    if negligible(furthest):
        return None
    return ("up to " if len({size(ratio) for ratio in known}) > 1 else "") + size(furthest)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Rays:
    """What multiplies a pixel, for five pixels; tensors of shape (5,).

    Solid angle in sr, polarization factor, cosine between ray and normal (P6.5, P6.6, P7), whether
    the ray survives the resolution cut (P6.7), and its direction.
    """

    omega: Tensor
    polar: Tensor
    obliquity: Tensor
    lit: Tensor
    diffracted: Vec3


def five_pixels(detector: Detector) -> tuple[Tensor, Tensor]:
    """Fast and slow index of the centre and the corners of the region, float64 of shape (5,) (C10.2)."""
    roi = detector.roi
    xmax, ymax = min(roi.xmax, detector.fast_pixels - 1), min(roi.ymax, detector.slow_pixels - 1)
    x = [(roi.xmin + xmax) // 2, roi.xmin, xmax, roi.xmin, xmax]
    y = [(roi.ymin + ymax) // 2, roi.ymin, roi.ymin, ymax, ymax]
    return torch.tensor(x, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)


def rays(experiment: Experiment, subpixels: int) -> Rays:
    """The rays of the first source to the five pixels: to the first of ``subpixels`` along an edge."""
    detector, beam = experiment.detector, experiment.beam
    subpixel_m = detector.pixel_m / subpixels
    fast, slow = (geometry.plane_coordinate(index * subpixels, subpixel_m) for index in five_pixels(detector))
    axes = (detector.fdet, detector.sdet, detector.odet)
    position = geometry.flat_position(fast, slow, scalar(0.0), axes, detector.pix0_m)
    if detector.curved:
        functions = libm.on(torch.device("cpu"))
        position = geometry.curved_position(
            position, axes[:2], beam.direction, detector.distance_m, functions
        )
    airpath = norm(position)
    diffracted = direction(position, airpath)
    incident = (beam.incident[0][0], beam.incident[1][0], beam.incident[2][0])
    q = scattering.scattering_vector(diffracted, incident, beam.source_wavelengths_m[0])
    if detector.point_pixel:
        omega = geometry.point_solid_angle_sr(airpath)
    else:
        omega = geometry.solid_angle_sr(airpath, detector.pixel_m, detector.close_distance_m)
    kahn = beam.kahn_factor
    return Rays(
        omega=omega,
        polar=polarization_factor(kahn, incident, diffracted, unit(beam.polarization_axis), bool(kahn != 0)),
        obliquity=dot(diffracted, detector.odet),
        lit=scattering.within_resolution(q, experiment.sampling.dmin_m),
        diffracted=diffracted,
    )


def captures(experiment: Experiment, seen: Rays) -> Tensor:
    """Capture fraction of each layer, shape (layers, 5); 1 without a sensor (P6.6)."""
    sensor = experiment.detector.sensor
    if not sensor.thick:
        return torch.ones((1, len(seen.obliquity)), dtype=torch.float64)
    # as absorption.capture_fraction, all layers at once
    edges = torch.arange(sensor.layers + 1, dtype=torch.float64)[:, None]
    passed = torch.exp(-edges * sensor.spacing_m * sensor.mu_inv_m / seen.obliquity)
    return passed[:-1] - passed[1:]


def running_product(factor: Tensor, terms: int) -> tuple[Tensor, Tensor]:
    """What ``terms`` steps ``V = (V+1)*factor`` do to V: its new factor and what is added (C10.2)."""
    kept = factor**terms
    added = torch.where(factor == 1, float(terms), factor * (kept - 1) / (factor - 1))
    return kept, added


def _factors(request: Request, experiment: Experiment) -> Iterator[str]:
    """Factors of a pixel and background (C10.2, items 1 to 3)."""
    sampling, sensor, seen = experiment.sampling, experiment.detector.sensor, rays(experiment, 1)
    if sampling.oversample > 1:
        seen = rays(experiment, sampling.oversample)
    capture, polarized = captures(experiment, seen), experiment.beam.polarization
    thick, polar, omega = (
        sampling.per_subpixel_thick,
        sampling.per_subpixel_polar,
        sampling.per_subpixel_omega,
    )
    if not (thick or polar or omega or sensor.thick or sampling.water):
        return

    product = torch.ones_like(capture)
    right = sampling.steps * torch.ones_like(seen.omega)
    whole = 1 - torch.exp(-sensor.mu_inv_m * sensor.thickness_m / seen.obliquity) if sensor.thick else 1.0
    if thick:
        product = product * (capture if sensor.thick else 0.0)
    if polar:
        product = product * seen.polar
    if omega:
        product = product * seen.omega
    right = right * whole * (seen.polar if polar and polarized else 1.0) * (seen.omega if omega else 1.0)
    kept, added = running_product(product, sampling.steps)
    # what a layer adds is multiplied again in every later one
    later = torch.cat(
        [torch.flip(torch.cumprod(torch.flip(kept[1:], [0]), 0), [0]), torch.ones_like(kept[:1])]
    )
    last = 1.0 if thick else capture[-1]
    text = worst(((added * later).sum(0) * last / right).tolist())
    if text is not None:
        yield _of_factors(request, experiment, text)
    if sampling.water:
        scale = THOMSON_M2 * experiment.beam.fluence_ph_m2
        text = worst((scale * kept.prod(0) * last / right).tolist())
        if text is not None:
            yield (f"-water: the background is {text} in nanoBragg's physics (HD-BKG-1, HD-BKG-2), {MENDED}")
        if sampling.cut and polarized and not polar and not bool(seen.lit.all()):
            yield (
                f"-dmin: beyond {plain(sampling.dmin_m) * 1e10:.3g} Angstrom the background of -water is 0 "
                f"in nanoBragg's physics (HD-POL-3), {MENDED}"
            )


def _of_factors(request: Request, experiment: Experiment, text: str) -> str:
    """The line of C10.2, item 1, with the options and defects that play a part."""
    sampling, sensor = experiment.sampling, experiment.detector.sensor
    thick, polar, omega = (
        sampling.per_subpixel_thick,
        sampling.per_subpixel_polar,
        sampling.per_subpixel_omega,
    )
    repeated = (thick or polar or omega) and sampling.steps * sensor.layers > 1
    options = {
        "-oversample_thick": thick,
        "-oversample_polar": polar,
        "-oversample_omega": omega,
        "-detector_thick": sensor.thick,
    }
    defects = {
        "HD-OVS-1": repeated,
        "HD-THK-1": sensor.thick and not thick,
        "HD-THK-2": sensor.thick and request.sensor_layers is not None,
        "HD-THK-3": thick and not sensor.thick,
        "HD-POL-2": polar and not experiment.beam.polarization,
    }
    named, blamed = (", ".join(name for name, there in x.items() if there) for x in (options, defects))
    equal = " for terms of equal size" if (repeated or sensor.thick) and text != "0" else ""
    return f"{named}: the image is {text} in nanoBragg's physics{equal} ({blamed}), {MENDED}"


def _first_subpixel(experiment: Experiment) -> Iterator[str]:
    """Factors of the first sub-pixel in place of those of the pixel (C10.2, item 4)."""
    sampling, polarized = experiment.sampling, experiment.beam.polarization
    if sampling.oversample <= 1:
        return
    first, centre = rays(experiment, sampling.oversample), rays(experiment, 1)
    ratio = torch.ones_like(first.omega)
    if not sampling.per_subpixel_omega:
        ratio = ratio * first.omega / centre.omega
    if polarized and not sampling.per_subpixel_polar:
        ratio = ratio * first.polar / centre.polar
    if experiment.detector.sensor.thick and not sampling.per_subpixel_thick:
        ratio = ratio * captures(experiment, first)[-1] / captures(experiment, centre)[-1]
    text = worst(ratio.tolist())
    if text is not None:
        switches = ["-oversample_thick"] if experiment.detector.sensor.thick else []
        switches += ["-oversample_polar"] if polarized else []
        yield (
            f"-oversample: each pixel has the factors of its first sub-pixel, so that it is {text} "
            f"(HD-OVS-2), use {' '.join([*switches, '-oversample_omega'])} with -physics corrected"
        )


def _first_source(request: Request, experiment: Experiment) -> Iterator[str]:
    """Polarization of the first source in place of the mean of all (C10.2, item 14)."""
    beam = experiment.beam
    if beam.sources <= 1 or not beam.polarization or experiment.sampling.per_subpixel_polar:
        return
    seen, axis, kahn = rays(experiment, 1), unit(beam.polarization_axis), beam.kahn_factor
    ratios = []
    for pixel, first in enumerate(seen.polar.tolist()):
        x, y, z = (component[pixel] for component in seen.diffracted)
        # one pixel after the other, since there may be very many sources
        every = polarization_factor(kahn, beam.incident, (x, y, z), axis, bool(kahn != 0))
        ratios.append(first / plain(every.mean()))
    text = worst(ratios)
    if text is not None:
        options = "-sourcefile" if request.source_file is not None else "-hdivrange/-vdivrange"
        yield (
            f"{options}: each pixel has the polarization of the first source, so that it is {text} "
            "(HD-OVS-2), use -oversample_polar with -physics corrected"
        )


def _shape(experiment: Experiment) -> Iterator[str]:
    """Integrated intensity of Gaussian and flat spots (C10.2, item 5)."""
    crystal = experiment.crystal
    names = {
        CrystalShape.GAUSS: ("-gauss_xtal", GAUSS_VOLUME),
        CrystalShape.TOPHAT: ("-tophat_spots", TOPHAT_VOLUME),
    }
    cells, fudge = plain(crystal.Na * crystal.Nb * crystal.Nc), plain(crystal.fudge)
    if crystal.shape not in names or cells == 1 or fudge <= 0:
        return
    option, volume = names[crystal.shape]
    volume *= abs(plain(crystal.volume_A3))
    ratio = min(volume / fudge**1.5 / cells**2, cells)
    if not negligible(ratio):
        yield (
            f"{option}: the integrated intensity of a spot is {size(ratio)} (HD-SHP-1), in either physics; "
            f"use -round_xtal, or -fudge {(volume / cells**2) ** (2 / 3):.6g}"
        )


def _interpolation(request: Request, experiment: Experiment) -> Iterator[str]:
    """Interpolation chosen by the counts before the size set them (C10.2, item 6)."""
    crystal = experiment.crystal
    counts = [plain(count) for count in (crystal.Na, crystal.Nb, crystal.Nc)]
    if request.interpolate is None and crystal.structure_factors.interpolate and min(counts) > FEW_CELLS:
        yield (
            "-samplesize: structure factors are interpolated, which is meant for 1 or 2 cells, not for "
            f"{' x '.join(f'{count:.0f}' for count in counts)} (HD-INT-3), use -nointerpolate"
        )


def _swing(request: Request, experiment: Experiment, axes: Axes) -> Iterator[str]:
    """Distance after a swing, and an axis that is no unit vector (C10.2, items 8 and 9)."""
    detector = experiment.detector
    if detector.twotheta_rad == 0:
        return
    cosine = dot(experiment.beam.direction, detector.odet)
    if cosine > 0:
        found, right = plain(detector.distance_m), plain(detector.close_distance_m / cosine)
        if right != 0 and not negligible(found / right):
            curved = ", and the radius of the curved detector," if detector.curved else ""
            yield (
                f"-twotheta: the distance along the beam is {found * 1000.0:.6g} instead of "
                f"{right * 1000.0:.6g} mm in nanoBragg's physics (HD-DET-1), which headers and automatic "
                f"oversampling{curved} follow; {MENDED}"
            )
    turns = vector((request.detector_rotx_rad, request.detector_roty_rad, request.detector_rotz_rad))
    axis = unit(axes.twotheta)

    def error(given: Vec3, found: Vec3) -> float:
        return plain(norm(subtract(rotaxis(rotxyz(given, turns), axis, detector.twotheta_rad), found)))

    moved = max(
        error(axes.fdet, detector.fdet), error(axes.sdet, detector.sdet), error(axes.odet, detector.odet)
    )
    if moved > NEGLIGIBLE:
        yield (
            f"-twotheta_axis: its length is {plain(norm(axes.twotheta)):.6g} instead of 1, which moves the "
            f"detector axes by {100 * moved:.3g} % of their length in nanoBragg's physics (HD-DET-4), "
            f"{MENDED}"
        )


def _curvature(experiment: Experiment) -> Iterator[str]:
    """The curved detector (C10.2, item 10)."""
    if not experiment.detector.curved:
        return
    x, y, z = (plain(component) for component in experiment.beam.direction)
    if y == z == 0 and x > 0:
        yield (
            "-curved_det: the image is that of a flat detector reflected about its anti-diagonal (HD-DET-7), "
            "in either physics"
        )
    else:
        yield (
            "-curved_det: the pixels lie on no sphere in nanoBragg's physics unless the beam is along x "
            "(HD-DET-6)"
        )


def warn_of_oblique_angles(name: str, given: Sequence[float], in_force: CellConstants) -> None:
    """Say where the angles in force are not the ones given (C10.2, item 11).

    ``name`` is the option or file of the cell, ``given`` its angles in degrees, 90 where none was given.
    """
    found = in_force[3:]
    if max(abs(x - y) for x, y in zip(found, given, strict=True)) > NEGLIGIBLE_ANGLE_DEG:
        in_words, wanted = (" ".join(f"{angle:.6g}" for angle in angles) for angles in (found, given))
        warn(
            f"{name}: the angles in force are {in_words} degrees instead of {wanted} (HD-XTL-4), "
            "in either physics; use -mat"
        )


def _divergence(request: Request) -> Iterator[str]:
    """Ranges made up, and directions that are not centred on the beam (C10.2, item 12)."""
    if request.source_file is not None:
        return
    horizontal, vertical, _ = source_grids(request)
    yield from _plane("h", horizontal, request.hdiv_steps, request.hdiv_range_rad, request.hdiv_step_rad)
    yield from _plane("v", vertical, request.vdiv_steps, request.vdiv_range_rad, request.vdiv_step_rad)


def _counts_made_up(request: Request, experiment: Experiment) -> Iterator[str]:
    """Directions and wavelengths of a range without count or step (P4.1)."""
    if request.source_file is not None:
        return
    divergence = experiment.beam.divergence
    for option, span, count, step, words in (
        ("-hdivrange", divergence.hdiv_range_rad, request.hdiv_steps, request.hdiv_step_rad, "directions"),
        ("-vdivrange", divergence.vdiv_range_rad, request.vdiv_steps, request.vdiv_step_rad, "directions"),
        ("-dispersion", divergence.dispersion, request.dispersion_steps, None, "wavelengths"),
    ):
        if span > 0 and not count and not step:
            counts = option.replace("range", "steps").replace("dispersion", "dispsteps")
            yield f"{option} without {counts}: 2 {words}"


def _plane(name: str, grid: Grid, count: int | None, span: object, step: object) -> Iterator[str]:
    if grid.count <= 1:
        return
    if count and span is None and step is None:
        yield f"-{name}divsteps: without -{name}divrange the range is 1000 mrad (HD-SRC-4)"
        return
    span_mrad, step_mrad = 1000.0 * plain(grid.range), 1000.0 * plain(grid.step)
    missing = step_mrad * (grid.count - 1) - span_mrad
    if abs(missing) > NEGLIGIBLE * span_mrad:
        yield (
            f"-{name}divrange: the {grid.count} directions reach from {-span_mrad / 2:.3g} to "
            f"{missing + span_mrad / 2:.3g} mrad, so that the beam is tilted by {missing / 2:.3g} mrad "
            f"(HD-SRC-3), use -{name}divsteps with -{name}divrange"
        )


def _spindle(request: Request, experiment: Experiment) -> Iterator[str]:
    """Spindle steps that do not cover the oscillation (C10.2, item 13)."""
    turns = experiment.orientations
    asked = None if request.osc_rad is None else plain(request.osc_rad) * DEGREES_PER_RADIAN
    step = plain(turns.phi_step_rad) * DEGREES_PER_RADIAN
    if asked is not None and asked > 0 and abs(step * turns.phi_steps - asked) > NEGLIGIBLE * asked:
        yield (
            f"-phistep: {turns.phi_steps} steps of {step:.6g} cover {step * turns.phi_steps:.6g} degrees, "
            f"but -osc says {asked:.6g}"
        )
