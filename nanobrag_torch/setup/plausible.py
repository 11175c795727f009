"""Numbers that no experiment has: slips of a unit, a geometry the wrong way round (C10.4)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from nanobrag_torch.advice import note, warn
from nanobrag_torch.command_line.request import Convention, CrystalShape, Request
from nanobrag_torch.constants import DEGREES_PER_RADIAN, EV_ANGSTROM
from nanobrag_torch.physics.vectors import Vec3, cross, dot, norm, unit
from nanobrag_torch.setup.detector import Axes
from nanobrag_torch.setup.experiment import Detector, Experiment, plain, vector
from nanobrag_torch.setup.rotation import rotxyz

ENDS = 1e-9
"""Relative width of the ends of a range: what the conversion of units may round."""
GRAZING = 1e-6
"""Cosine between beam and normal below which the beam does not meet the front of the detector."""
FACING = 0.1
"""Cosine from which on the beam centre is a place on the detector that a user would look for."""
STEEP = 2.0
"""Tangent of the angle from beam to detector, 63 degrees, that no panel of a larger detector has."""
CORNER_PIXELS = 2
"""A beam so near to a corner is a slip if a thousand times its numbers lie on the detector."""
ELECTRONS_A = (0.008, 0.05)
"""Wavelengths of electrons of 1 MeV to 60 keV; photons of these are no X-rays of any beamline."""

Guesses = tuple[tuple[float, str], ...]
METRES_OR_MICROMETRES: Guesses = ((1000.0, "metres"), (0.001, "micrometres"))
MILLIMETRES_OR_METRES: Guesses = ((1000.0, "millimetres"), (1e6, "metres"))
CELL_LENGTHS: Guesses = ((10.0, "nanometres"), (1e10, "metres"), (0.01, "picometres"))


@dataclass(frozen=True, slots=True)
class Check:
    """A number in force, its unit, the range in which it is plausible, and what a slip may have been.

    A guess is a factor that would bring the number into the range, and the words for it.
    """

    words: str
    value: float
    unit: str
    lowest: float
    highest: float
    guesses: Guesses = ()

    def holds(self, value: float) -> bool:
        """Whether ``value`` is within the range, ends included."""
        return self.lowest - abs(self.lowest) * ENDS <= value <= self.highest * (1 + ENDS)

    def line(self) -> str:
        """The warning."""
        meant = next((words for factor, words in self.guesses if self.holds(self.value * factor)), "")
        return (
            f"{self.words}: {self.value:.6g} {self.unit} is implausible, "
            f"expected {self.lowest:g} to {self.highest:g} {self.unit}"
            + (f"; looks like {meant}" if meant else "")
        )


def warn_of_implausible_numbers(request: Request, experiment: Experiment, axes: Axes) -> None:
    """Say which numbers in force no experiment has (C10.4)."""
    with torch.no_grad():
        checks = (
            *beam_checks(request, experiment),
            *crystal_checks(request, experiment),
            *detector_checks(request, experiment),
        )
        lines = [check.line() for check in checks if not check.holds(check.value)]
        lines += [*clashes(request, experiment), *placement(request, experiment, axes)]
        for line in dict.fromkeys(lines):
            warn(line)
        wavelength_A = plain(experiment.beam.wavelength_m) * 1e10
        if of_electrons(wavelength_A):
            note(
                f"-lambda/-energy: {wavelength_A:.6g} Angstrom is a wavelength of electrons: spots are at "
                "the right places, but their intensities are those of X-rays; -energy is that of photons"
            )


def of_electrons(wavelength_A: float) -> bool:
    """Whether a wavelength is one of electron diffraction (C10.4, item 9)."""
    return ELECTRONS_A[0] <= wavelength_A <= ELECTRONS_A[1]


def follows_from_flux(request: Request) -> bool:
    """Whether the fluence is not the one given (C4.11)."""
    return bool(request.flux_ph_s != 0 and request.exposure_s > 0)


def beam_checks(request: Request, experiment: Experiment) -> Iterator[Check]:
    """Wavelength, size, divergence, dispersion and fluence; the reasons of the limits are in C10.4."""
    beam, divergence = experiment.beam, experiment.beam.divergence
    wavelength_A = plain(beam.wavelength_m) * 1e10
    energy = EV_ANGSTROM / wavelength_A / wavelength_A
    slips: Guesses = (
        (1e10, "metres"),
        (10.0, "nanometres"),
        (energy, "an energy in eV"),
        (0.001, "an energy in keV"),
        (energy / 1000.0, "an energy in keV"),
    )
    if not of_electrons(wavelength_A):
        yield Check("-lambda/-energy", wavelength_A, "Angstrom", 0.1, 10.0, slips)
    yield Check("-beamsize", plain(request.beam_size_m) * 1e3, "mm", 0.0002, 10.0, METRES_OR_MICROMETRES)
    if request.source_file is None:
        for name, span_rad, given_rad, step_rad in (
            ("-hdivrange", divergence.hdiv_range_rad, request.hdiv_range_rad, request.hdiv_step_rad),
            ("-vdivrange", divergence.vdiv_range_rad, request.vdiv_range_rad, request.vdiv_step_rad),
        ):
            if given_rad is not None or (step_rad or 0) > 0:  # what a count alone makes of it is HD-SRC-4
                yield Check(name, span_rad * 1e3, "mrad", 0.0, 100.0, ((0.001, "microradians"),))
        yield Check("-dispersion", divergence.dispersion * 100.0, "percent", 0.0, 50.0)
    source = "-flux" if follows_from_flux(request) else "-fluence"
    yield Check(source, plain(beam.fluence_ph_m2), "photons/m^2", 0.0, 1e31)


def crystal_checks(request: Request, experiment: Experiment) -> Iterator[Check]:
    """Cell, size, mosaicity and rotation."""
    crystal, turns = experiment.crystal, experiment.orientations
    cell = (
        "-cell"
        if request.cell is not None
        else "-mat"
        if request.matrix_file is not None
        else request.hkl_file
    )
    for edge in (crystal.a_A, crystal.b_A, crystal.c_A):
        yield Check(str(cell), plain(norm(edge)), "Angstrom", 2.0, 10000.0, CELL_LENGTHS)
    for angle in () if request.cell is None else request.cell[3:]:
        degrees = plain(angle) * DEGREES_PER_RADIAN
        if degrees > 0:
            yield Check("-cell", degrees, "degrees", 20.0, 160.0, ((DEGREES_PER_RADIAN, "radians"),))
    for size_m in (request.sample_x_m, request.sample_y_m, request.sample_z_m):
        yield Check("-samplesize", size_m * 1e3, "mm", 0.0, 10.0, ((0.001, "micrometres"),))
    spread = plain(turns.mosaic_spread_rad) * DEGREES_PER_RADIAN
    yield Check("-mosaic", spread, "degrees", 0.0, 10.0)
    yield Check("-osc", plain(turns.osc_rad) * DEGREES_PER_RADIAN, "degrees", 0.0, 360.0)


def detector_checks(request: Request, experiment: Experiment) -> Iterator[Check]:
    """Distance, pixel, swing, sensor and water."""
    detector, water_m = experiment.detector, plain(experiment.sampling.water_m)
    name, distance_m = "-distance", plain(request.distance_m)
    if request.close_distance_m is not None:
        name, distance_m = "-close_distance", plain(request.close_distance_m)
    yield Check(name, abs(distance_m) * 1e3, "mm", 1.0, 1e5, METRES_OR_MICROMETRES)
    yield Check("-pixel", plain(detector.pixel_m) * 1e3, "mm", 0.001, 10.0, METRES_OR_MICROMETRES)
    yield Check("-twotheta", plain(detector.twotheta_rad) * DEGREES_PER_RADIAN, "degrees", -180.0, 180.0)
    if detector.sensor.thick:
        thickness_um, mu = plain(detector.sensor.thickness_m) * 1e6, plain(detector.sensor.mu_inv_m)
        yield Check("-detector_thick", thickness_um, "micrometre", 1.0, 1e5, MILLIMETRES_OR_METRES)
        if request.sensor_mu_inv_m is not None and mu > 0:
            yield Check("-detector_abs", 1.0 / mu * 1e6, "micrometre", 1.0, 1e6, MILLIMETRES_OR_METRES)
    yield from angle_checks(request, experiment)
    if water_m > 0:
        yield Check("-water", water_m * 1e6, "micrometre", 0.5, 1e5, MILLIMETRES_OR_METRES)


def angle_checks(request: Request, experiment: Experiment) -> Iterator[Check]:
    """Vectors that clash, also with those left at the start values of CUSTOM, of a beam along x (P2.4)."""
    detector, beam, turns = experiment.detector, experiment.beam, experiment.orientations
    if request.convention is not Convention.CUSTOM:
        return
    yield Check("-fdet_vector to -sdet_vector", _degrees(detector.fdet, detector.sdet), "degrees", 89.9, 90.1)
    divergence = beam.divergence
    spread = request.source_file is None and divergence.hdiv_range_rad + divergence.vdiv_range_rad > 0
    if (beam.polarization and beam.kahn_factor != 0) or spread:
        axis = unit(beam.polarization_axis)
        yield Check("-polar_vector to -beam_vector", _degrees(axis, beam.direction), "degrees", 45.0, 135.0)
    if turns.phi_start_rad != 0 or turns.phi_steps > 1:
        yield Check(
            "-spindle_axis to -beam_vector",
            _degrees(turns.spindle_axis, beam.direction),
            "degrees",
            5.0,
            175.0,
        )


def _degrees(one: Vec3, other: Vec3) -> float:
    """Angle between unit vectors."""
    return math.acos(max(-1.0, min(1.0, plain(dot(one, other))))) * DEGREES_PER_RADIAN


def clashes(request: Request, experiment: Experiment) -> Iterator[str]:
    """Numbers that are plausible alone, but not beside others (C10.4, items 1 to 3 and 10)."""
    crystal, beam = experiment.crystal, experiment.beam
    dmin_A, shortest_A = (
        plain(experiment.sampling.dmin_m) * 1e10,
        plain(beam.source_wavelengths_m.min()) * 1e10,
    )
    if 0 < dmin_A < shortest_A / 2:
        yield (
            f"-dmin has no effect: a wavelength of {shortest_A:.6g} Angstrom reaches "
            f"{shortest_A / 2:.6g} Angstrom"
        )
    edges_m = [plain(norm(edge)) for edge in (crystal.a_m, crystal.b_m, crystal.c_m)]
    counts = [plain(count) for count in (crystal.Na, crystal.Nb, crystal.Nc)]
    smaller, larger = sorted(edge * count for edge, count in zip(edges_m, counts, strict=True))[1:]
    photons = plain(beam.fluence_ph_m2) * smaller * larger
    if photons < 1:
        source = "-flux" if follows_from_flux(request) else "-fluence"
        yield f"{source}: {photons:.3g} photons hit the crystal, expected at least 1"
    sizes = (request.sample_x_m, request.sample_y_m, request.sample_z_m)
    for axis, edge_m, size_m in zip("abc", edges_m, sizes, strict=True):
        if 0 < size_m < edge_m:
            yield f"-samplesize: the crystal is smaller than its unit cell along {axis}"
    if crystal.shape is not CrystalShape.SQUARE and plain(crystal.fudge) <= 0:
        fudge = plain(crystal.fudge)
        yield f"-fudge: {fudge:.6g} makes one spot of all reciprocal space, expected more than 0"


def placement(request: Request, experiment: Experiment, axes: Axes) -> Iterator[str]:
    """A detector or a beam centre where none would be put (C10.4, items 4 to 8)."""
    detector, direction = experiment.detector, experiment.beam.direction
    if request.close_distance_m is None and plain(request.distance_m) < 0:
        yield "-distance: its sign has no effect"
    if _centre_given(request) and detector.twotheta_rad == 0 and dot(direction, detector.odet) > FACING:
        yield from far_centre(detector, in_metres(request, detector))
    handed = dot(cross(detector.fdet, detector.sdet), detector.odet)
    if request.convention is Convention.CUSTOM and handed < 0:
        yield ("-fdet_vector/-sdet_vector: fast x slow points against the normal, the image is mirrored")
    turns = vector((request.detector_rotx_rad, request.detector_roty_rad, request.detector_rotz_rad))
    if dot(axes.beam, rotxyz(axes.odet, turns)) < GRAZING:
        yield "-beam_vector/-odet_vector: the beam does not meet the front of the detector"
    elif not detector.close_distance_m > 0 and not math.isnan(plain(detector.close_distance_m)):
        blamed = "-twotheta" if detector.twotheta_rad != 0 else "-close_distance"
        yield (
            f"{blamed}: the detector is behind the sample, its pixels have a solid angle of 0 or less "
            "(HD-DET-8)"
        )


def in_metres(request: Request, detector: Detector) -> bool:
    """Whether a beam centre in the corner is one in metres (C10.4, item 5)."""
    if request.Xbeam_m is None or request.Ybeam_m is None:
        return False
    given = (plain(request.Xbeam_m), plain(request.Ybeam_m))
    pixel_m, edge_m = plain(detector.pixel_m), max(plain(detector.fast_m), plain(detector.slow_m))
    return all(0 < at < CORNER_PIXELS * pixel_m and at * 1000.0 <= edge_m for at in given)


def far_centre(detector: Detector, metres: bool) -> Iterator[str]:
    """A beam centre that no panel has, or that was meant in pixels or ``metres`` (C10.4, item 5)."""
    pixel_mm, distance_mm = plain(detector.pixel_m) * 1e3, abs(plain(detector.distance_m)) * 1e3
    centre = [plain(x) * 1e3 for x in (detector.centres.fbeam_m, detector.centres.sbeam_m)]
    edges = [plain(x) * 1e3 for x in (detector.fast_m, detector.slow_m)]
    outside = [max(-at, at - edge) for at, edge in zip(centre, edges, strict=True)]
    beyond = any(gap > edge for gap, edge in zip(outside, edges, strict=True))
    pixels = beyond and all(0 <= at * pixel_mm <= edge for at, edge in zip(centre, edges, strict=True))
    meant = "; looks like pixels" if pixels else "; looks like metres" if metres else ""
    if pixels or metres or max(outside) > STEEP * distance_mm:
        yield (
            f"-Xbeam/-Ybeam/-ORGX/-ORGY: the beam centre is {centre[0]:.6g} {centre[1]:.6g} mm from the "
            f"first corner, on a detector of {edges[0]:.6g} x {edges[1]:.6g} mm{meant}"
        )


def _centre_given(request: Request) -> bool:
    """Whether a beam centre or near point was given, on the line or by a header."""
    given = (
        request.Xbeam_m,
        request.Ybeam_m,
        request.Xclose_m,
        request.Yclose_m,
        request.ORGX_pixels,
        request.ORGY_pixels,
    )
    return any(value is not None for value in given)
