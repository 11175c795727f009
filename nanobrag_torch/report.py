"""The text on standard output, in the order of C6.1 to C6.3.

Pure functions from the experiment and the statistics to text without a final line
end. Scripts search for the labels, so their spelling and the order of the numbers
after them are fixed; the other words are free.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import Tensor

from nanobrag_torch import __version__
from nanobrag_torch.command_line.request import Pivot, Request
from nanobrag_torch.constants import AVOGADRO, DEGREES_PER_RADIAN
from nanobrag_torch.formats.general_format import g6
from nanobrag_torch.images import NoiseImage, Statistics
from nanobrag_torch.physics.vectors import Vec3, cross, dot, norm
from nanobrag_torch.setup.experiment import Beam, Crystal, Detector, Experiment
from nanobrag_torch.setup.header_centres import stated_centres

Basis = tuple[Vec3, Vec3, Vec3]
PIVOT_WORDS = {Pivot.BEAM: "the direct beam spot", Pivot.SAMPLE: "the sample"}


def numbers(*values: float | Tensor) -> str:
    """Values in general format, separated by blanks."""
    return " ".join(g6(float(value)) for value in values)


def degrees(angle_rad: float | Tensor) -> float:
    """Angle in degrees."""
    return float(angle_rad) * DEGREES_PER_RADIAN


def input_files(request: Request) -> str:
    """Files that are read, one line each, in the order of reading; empty if there are none."""
    files = (
        request.mask_file,
        request.image_file,
        request.amorphous_file,
        request.matrix_file,
        request.source_file,
    )
    return "\n".join(f"reading {name}" for name in files if name is not None)


def before_rendering(request: Request, experiment: Experiment) -> str:
    """Banner, geometry, crystal, steps and sources (C6.1)."""
    return "\n".join(
        [
            f"nanobrag_torch {__version__}, X-ray diffraction from small crystals",
            *_detector_lines(experiment),
            *_interpolation_lines(request, experiment),
            *_crystal_lines(experiment.crystal),
            *_oversample_lines(experiment),
            f"approximate MW = {g6(_molecular_weight(experiment.crystal))}",
            *_structure_factor_lines(request, experiment),
            *_step_lines(experiment),
            *_source_lines(experiment.beam),
            f"  created a total of {experiment.orientations.mosaic_domains} mosaic domains",
        ]
    )


def _detector_lines(experiment: Experiment) -> list[str]:
    detector, beam = experiment.detector, experiment.beam.direction
    incident = numbers(*(dot(beam, axis) for axis in (detector.fdet, detector.sdet, detector.odet)))
    return [
        f"{detector.convention.value} convention selected",
        f"pivoting detector around {PIVOT_WORDS[detector.pivot]}",
        f"XDS incident beam: {incident}",
    ]


def _interpolation_lines(request: Request, experiment: Experiment) -> Iterator[str]:
    if request.interpolate is None:
        choice = "tricubic" if experiment.crystal.structure_factors.interpolate else "no"
        yield f"auto-selected {choice} interpolation of structure factors"


def _crystal_lines(crystal: Crystal) -> Iterator[str]:
    if crystal.misset_deg is not None:
        angles = " ".join(f"{angle:.6f}" for angle in crystal.misset_deg)
        yield f"random orientation misset angles: {angles} deg"
    direct = (crystal.a_A, crystal.b_A, crystal.c_A)
    reciprocal = (crystal.a_star_inv_A, crystal.b_star_inv_A, crystal.c_star_inv_A)
    volume = crystal.volume_A3
    yield f"Unit Cell: {numbers(*_cell_constants(direct, reciprocal, volume))}"
    yield f"Recp Cell: {numbers(*_cell_constants(reciprocal, direct, 1.0 / volume))}"
    yield f"volume = {g6(float(volume))} A^3"
    yield "real-space cell vectors a b c (Angstrom):"
    yield from _columns(direct)
    yield "reciprocal-space cell vectors a* b* c* (1/Angstrom):"
    yield from _columns(reciprocal)
    yield f"crystal is {' x '.join(g6(width * 1e6) for width in _widths_m(crystal))} microns"


def _cell_constants(cell: Basis, other: Basis, volume: Tensor) -> list[float]:
    """Three lengths and three angles in degrees; ``other`` is the reciprocal of ``cell`` (P3.5)."""
    lengths = [norm(v) for v in cell]
    angles = []
    for i, j, k in ((0, 1, 2), (1, 0, 2), (2, 0, 1)):
        sine = float(norm(other[i]) * volume / lengths[j] / lengths[k])
        cosine = float(dot(cell[j], cell[k]) / lengths[j] / lengths[k])
        # clamped as in P3.1: a cosine beyond either end becomes +1
        cosine = 1.0 if cosine * cosine > 1.0 else cosine
        angles.append(degrees(math.atan2(min(max(sine, -1.0), 1.0), cosine)))
    return [*map(float, lengths), *angles]


def _columns(vectors: Basis) -> Iterator[str]:
    for name, row in zip("XYZ", zip(*vectors, strict=True), strict=True):
        yield f"{name}: " + " ".join(f"{float(component):11.8f}" for component in row)


def _widths_m(crystal: Crystal) -> tuple[float, float, float]:
    """Full widths of the crystal along its axes (P3.7)."""
    return (
        float(norm(crystal.a_m)) * float(crystal.Na),
        float(norm(crystal.b_m)) * float(crystal.Nb),
        float(norm(crystal.c_m)) * float(crystal.Nc),
    )


def _molecular_weight(crystal: Crystal) -> float:
    """Rough weight of one cell, g/mol, at the density of protein (P3.12)."""
    x, y, z = _widths_m(crystal)
    cells = float(crystal.Na) * float(crystal.Nb) * float(crystal.Nc)
    return x * y * z * 1.2e6 * AVOGADRO / cells


def _oversample_lines(experiment: Experiment) -> Iterator[str]:
    if experiment.sampling.automatic:
        yield f"auto-selected {experiment.sampling.oversample}-fold oversampling"


def _structure_factor_lines(request: Request, experiment: Experiment) -> Iterator[str]:
    if request.hkl_file is not None:
        yield f"counting and reading reflections of {request.hkl_file}"
        yield f"writing cache of structure factors {request.dump_file}"
    elif experiment.crystal.structure_factors.reflections:
        yield f"reading structure factors from {request.dump_file}"


def _step_lines(experiment: Experiment) -> Iterator[str]:
    """Sensor layers, spindle steps, divergence directions and wavelengths."""
    sensor, divergence = experiment.detector.sensor, experiment.beam.divergence
    for layer in range(sensor.layers):
        yield f"thick{layer} = {g6(float(sensor.spacing_m) * layer * 1e6)} um"
    for step, phi_rad in enumerate(experiment.orientations.phi_rad.tolist()):
        yield f"phi{step} = {g6(degrees(phi_rad))}"
    for horizontal, vertical in divergence.directions_rad:
        yield f"divergence deviation: {numbers(horizontal, vertical)}"
    for index, wavelength_m in enumerate(divergence.wavelengths_m):
        yield f"lambda{index} = {wavelength_m:.15g}"


def _source_lines(beam: Beam) -> Iterator[str]:
    yield f"  created a total of {beam.sources} sources:"
    columns = (*beam.source_positions_m, beam.source_weights, beam.source_wavelengths_m)
    for x, y, z, weight, wavelength_m in zip(*(column.tolist() for column in columns), strict=True):
        yield f"{numbers(x, y, z)}   {numbers(weight, wavelength_m)}"


def summary(request: Request, experiment: Experiment, noise_seed: int) -> str:
    """Everything in force, one item per line (C6.2).

    ``noise_seed`` is the stream variable of the noise image, as stored.
    """
    return "\n".join(
        [
            *_scatterer_lines(experiment),
            *_placement_lines(experiment.detector),
            *_direction_lines(experiment),
            *_count_lines(request, experiment),
            *_noise_lines(request, experiment, noise_seed),
        ]
    )


def _scatterer_lines(experiment: Experiment) -> Iterator[str]:
    crystal, beam = experiment.crystal, experiment.beam
    factors, divergence = crystal.structure_factors, beam.divergence
    cells = "x".join(f"{float(count):.0f}" for count in (crystal.Na, crystal.Nb, crystal.Nc))
    spread = f"+/- {g6(divergence.dispersion * 100.0)}% in {divergence.dispersion_steps} steps"
    yield f"  {factors.reflections} initialized hkls (all others ={g6(float(factors.default_F))})"
    yield f"  {crystal.shape.value} xtal: {cells} cells"
    yield f"  wave={g6(float(beam.wavelength_m))} meters {spread}"
    if beam.polarization:
        yield f"  Kahn polarization factor: {float(beam.kahn_factor):.6f}"
    else:
        yield "  polarization effect disabled"
    if experiment.detector.curved:
        yield "  curved detector: all pixels at the same distance from the sample"
    if experiment.detector.point_pixel:
        yield "  point pixels: no pixel area and obliquity in the solid angle"
    yield f"  incident fluence: {g6(float(beam.fluence_ph_m2))} photons/m^2"


def _placement_lines(detector: Detector) -> Iterator[str]:
    centres, sensor = detector.centres, detector.sensor
    size = f"{g6(float(detector.fast_m))}x{g6(float(detector.slow_m))}"
    counts = f"({detector.fast_pixels}x{detector.slow_pixels} pixels)"
    yield (
        f"  distance={g6(float(detector.distance_m))} detsize={size}"
        f"  pixel={g6(float(detector.pixel_m))} meters {counts}"
    )
    thickness = g6(float(sensor.thickness_m))
    yield f"  sensor is {thickness} m thick in {sensor.layers} layers with mu= {g6(float(sensor.mu_inv_m))}"
    yield f"  Xbeam={g6(float(centres.xbeam_m))} Ybeam={g6(float(centres.ybeam_m))}"
    yield f"  Fbeam={g6(float(centres.fbeam_m))} Sbeam={g6(float(centres.sbeam_m))}"
    yield f"  Xclose={g6(float(centres.xclose_m))} Yclose={g6(float(centres.yclose_m))}"
    yield f"  Fclose={g6(float(centres.fclose_m))} Sclose={g6(float(centres.sclose_m))}"


def _direction_lines(experiment: Experiment) -> Iterator[str]:
    detector, beam, roi = experiment.detector, experiment.beam, experiment.detector.roi
    yield f"  DIRECTION_OF_DETECTOR_X-AXIS= {numbers(*detector.fdet)}"
    yield f"  DIRECTION_OF_DETECTOR_Y-AXIS= {numbers(*detector.sdet)}"
    yield f"  DIRECTION_OF_DETECTOR_Z-AXIS= {numbers(*detector.odet)}"
    yield f"  INCIDENT_BEAM_DIRECTION= {numbers(*beam.direction)}"
    yield f"  spindle ROTATION_AXIS= {numbers(*experiment.orientations.spindle_axis)}"
    normal = cross(beam.direction, beam.polarization_axis)
    yield f"  POLARIZATION_PLANE_NORMAL= {numbers(*normal)}"
    yield f"  dials origin= {numbers(*stated_centres(experiment.detector).dials_origin_mm)}"
    yield f"  roi: {roi.xmin} < x < {roi.xmax} && {roi.ymin} < y < {roi.ymax}"


def _count_lines(request: Request, experiment: Experiment) -> Iterator[str]:
    beam, turns = experiment.beam, experiment.orientations
    divergence = beam.divergence
    # -1 where a source file takes the place of the divergence
    directions = len(divergence.directions_rad) if request.source_file is None else -1
    start, end = degrees(turns.phi_start_rad), degrees(turns.phi_start_rad + turns.osc_rad)
    yield f"  hdivrange={g6(divergence.hdiv_range_rad)} hdivstep={g6(divergence.hdiv_step_rad)}  radians"
    yield f"  vdivrange={g6(divergence.vdiv_range_rad)} vdivstep={g6(divergence.vdiv_step_rad)}  radians"
    yield f"  {directions} divergence steps"
    yield f"  {beam.sources} sources"
    spread = g6(degrees(turns.mosaic_spread_rad))
    yield f"  {turns.mosaic_domains} mosaic domains over mosaic spread of {spread} degrees"
    yield f"  {turns.phi_steps} phi steps from {g6(start)} to {g6(end)} degrees"
    yield f"  {_oversample_words(experiment)}"
    if request.mask_file is not None:
        yield f"  skipping zero-flagged pixels in {request.mask_file}"


def _oversample_words(experiment: Experiment) -> str:
    sampling = experiment.sampling
    words = [f"{sampling.oversample}x{sampling.oversample} pixel oversample steps"]
    words += ["+thick"] if sampling.per_subpixel_thick else []
    words += ["+polar"] if sampling.per_subpixel_polar else []
    words += ["+omega"] if sampling.per_subpixel_omega else []
    return " ".join(words)


def _noise_lines(request: Request, experiment: Experiment, noise_seed: int) -> Iterator[str]:
    if request.write_noise:
        yield "  noise image parameters:"
        yield f"  seed: {noise_seed}"
        yield f"  water droplet size: {g6(float(experiment.sampling.water_m))} m"


def solid_angle(omega_sr: float) -> str:
    """Solid angle of the detector, and its share of the sphere (P6.13)."""
    share = 100.0 * omega_sr / 4.0 / math.pi
    return f"solid angle subtended by detector = {g6(omega_sr)} steradian ( {g6(share)}% sphere)"


def writing_floats(name: str, pixels: int) -> str:
    """Before the float image is written."""
    return f"writing {name} as {pixels} 4-byte floats"


def writing_counts(name: str, pixels: int) -> str:
    """Before the integer or the noise image is written."""
    return f"writing {name} as {pixels} 2-byte integers"


def writing_greys(name: str, pixels: int) -> str:
    """Before the PGM image is written."""
    return f"writing {name} as {pixels} 1-byte integers"


def intensities(statistics: Statistics, experiment: Experiment) -> str:
    """Maximum and its place, mean and deviations (P6.12)."""
    place = numbers(*_place_m(statistics, experiment))
    return (
        f"max_I = {g6(statistics.max_I)}  at {place}\n"
        f"mean= {g6(statistics.mean)} rms= {g6(statistics.rms)} rmsd= {g6(statistics.rmsd)}"
    )


def _place_m(statistics: Statistics, experiment: Experiment) -> tuple[float, float]:
    """Fast and slow coordinate of the last sub-pixel of the brightest pixel (P6.4, P6.12)."""
    if statistics.brightest is None:
        return 0.0, 0.0
    slow, fast = statistics.brightest
    oversample = experiment.sampling.oversample
    subpixel_m = float(experiment.detector.pixel_m) / oversample
    return (
        subpixel_m * (fast * oversample + oversample - 1) + subpixel_m / 2.0,
        subpixel_m * (slow * oversample + oversample - 1) + subpixel_m / 2.0,
    )


def integer_scale(scale: float) -> str:
    """Counts per photon of the integer image."""
    return f"intfile_scale = {g6(scale)}"


def grey_scale(scale: float) -> str:
    """Grey levels per photon of the PGM image."""
    return f"pgm_scale = {g6(scale)}"


def photons(noise: NoiseImage) -> str:
    """Sum of the deviates and number of clipped pixels (R10)."""
    return f"{noise.photons:.0f} photons on noise image ({noise.overloads} overloads)"
