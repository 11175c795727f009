"""The pixel loop: orders the formulas of ``physics`` as P6 orders them, tile by tile.

A tile is a run of pixels in image order. Layers, sub-pixels, sources and
orientations are visited in the order of P6.1 for all pixels of a tile at once,
and every sum is formed in that order, so the image does not depend on the tile
size, the number of threads or the device. Nothing here looks at the value of a
tensor: what must be decided is decided by the set-up (``Scene``) or by ``where``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from nanobrag_torch.command_line.request import CrystalShape
from nanobrag_torch.physics import absorption, geometry, lattice, polarization, scattering, structure_factor
from nanobrag_torch.physics.structure_factor import Lookup
from nanobrag_torch.physics.vectors import Vec3, direction, dot, norm, select, unit
from nanobrag_torch.process import initialise_vector_library
from nanobrag_torch.setup.constants import THOMSON_M2
from nanobrag_torch.setup.experiment import Experiment

TILE_ELEMENTS = {"cpu": 1 << 15, "cuda": 1 << 22}
"""Pixels times orientations that one thread, or one GPU, works on at once.

On the CPU what stays in the caches of a core, and the least that torch shares out.
"""


def tile_elements(device: torch.device) -> int:
    """Pixels times orientations of a tile."""
    return TILE_ELEMENTS[device.type] * (torch.get_num_threads() if device.type == "cpu" else 1)


NEVER = 2**62
"""Place in the order of P6.1 that no evaluation reaches."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scene:
    """An experiment on its device, with what the pixel loop would otherwise derive again and again."""

    experiment: Experiment
    dtype: torch.dtype
    amplitudes: Lookup
    intensities: Lookup
    subpixel_m: Tensor
    polarization_axis: Vec3
    polarized: bool
    polar_may_vanish: bool
    rows: tuple[bool, bool, bool]
    long_axes: Vec3
    scale: Tensor
    steps: Tensor

    @property
    def evaluations(self) -> int:
        """Evaluations per pixel, sensor layers included (P6.1)."""
        sampling, beam = self.experiment.sampling, self.experiment.beam
        per_source = len(self.experiment.orientations.a_m[0])
        return self.experiment.detector.sensor.layers * sampling.oversample**2 * beam.sources * per_source


def scene(experiment: Experiment, device: torch.device, dtype: torch.dtype) -> Scene:
    """Move ``experiment`` to ``device`` and settle what does not depend on the pixel."""
    kahn = float(experiment.beam.kahn_factor)
    crystal = experiment.crystal
    table = crystal.structure_factors
    amplitudes = structure_factor.lookup(table.table, table.lowest, table.default_F)
    squares = replace(amplitudes, values=amplitudes.values * amplitudes.values)
    counts = (crystal.Na, crystal.Nb, crystal.Nc)
    on = experiment.to(device)
    sampling = on.sampling
    return Scene(
        experiment=on,
        dtype=dtype,
        amplitudes=replace(amplitudes, values=amplitudes.values.to(device)),
        intensities=replace(squares, values=squares.values.to(device=device, dtype=dtype)),
        subpixel_m=on.detector.pixel_m / on_device(float(sampling.oversample), device),
        # normalised once more than P2.5 did, as every use of it does (P7)
        polarization_axis=unit(on.beam.polarization_axis),
        polarized=kahn != 0,
        polar_may_vanish=sampling.cut or abs(kahn) >= 1,
        rows=(bool(counts[0] > 1), bool(counts[1] > 1), bool(counts[2] > 1)),
        long_axes=(on.crystal.Na, on.crystal.Nb, on.crystal.Nc),
        scale=THOMSON_M2 * on.beam.fluence_ph_m2,
        steps=on_device(float(sampling.steps), device),
    )


def on_device(value: float, device: torch.device) -> Tensor:
    """A float64 number as a tensor; a division by a bare number would be a product on a GPU (P9.2)."""
    return torch.tensor(value, dtype=torch.float64, device=device)


@dataclass(slots=True, eq=False)
class PixelState:
    """What a tile of pixels carries through the loop (P6.3, P8.2); tensors of shape (pixels,).

    ``total`` is the running sum I, ``omega_sum`` the sum of P6.5 over layers and
    sub-pixels. 0 in ``polar`` and ``capture`` means not yet computed.
    """

    total: Tensor
    polar: Tensor
    omega: Tensor
    capture: Tensor
    omega_sum: Tensor
    first_out: Tensor


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Tile:
    """Pixels of a tile: their fast and slow index and their rank in image order, float64 and int64."""

    fast: Tensor
    slow: Tensor
    rank: Tensor


def selected_pixels(scene: Scene) -> Tensor:
    """Flat index of each rendered pixel in image order, int64 (P6.1)."""
    detector = scene.experiment.detector
    roi, width = detector.roi, detector.fast_pixels
    device = detector.pixel_m.device
    rows = torch.arange(roi.ymin, min(roi.ymax + 1, detector.slow_pixels), device=device)
    columns = torch.arange(roi.xmin, min(roi.xmax + 1, width), device=device)
    pixels = (rows[:, None] * width + columns).reshape(-1)
    if detector.mask is not None:
        pixels = pixels[detector.mask.reshape(-1)[pixels]]
    return pixels


def tiles(pixels: Tensor, width: int, size: int) -> Iterator[Tile]:
    """``pixels`` cut into tiles of at most ``size``."""
    for start in range(0, len(pixels), size):
        part = pixels[start : start + size]
        slow = torch.div(part, width, rounding_mode="floor")
        yield Tile(
            fast=(part - slow * width).double(),
            slow=slow.double(),
            rank=torch.arange(start, start + len(part), device=part.device),
        )


def fresh_state(scene: Scene, count: int) -> PixelState:
    """The state at the start of a pixel (P6.3)."""
    sampling, beam = scene.experiment.sampling, scene.experiment.beam
    zeros = torch.zeros(count, dtype=torch.float64, device=scene.steps.device)
    return PixelState(
        total=(sampling.background + zeros).to(scene.dtype),
        polar=zeros if beam.polarization else zeros + 1.0,
        omega=zeros,
        capture=zeros,
        omega_sum=zeros,
        first_out=torch.full((), NEVER, dtype=torch.int64, device=zeros.device),
    )


def positions(scene: Scene, tile: Tile, layer: int, i: int, j: int) -> Vec3:
    """Laboratory position in metres of one sub-pixel of every pixel (P6.4)."""
    detector, n = scene.experiment.detector, scene.experiment.sampling.oversample
    axes = (detector.fdet, detector.sdet, detector.odet)
    fast = geometry.plane_coordinate(tile.fast * n + j, scene.subpixel_m)
    slow = geometry.plane_coordinate(tile.slow * n + i, scene.subpixel_m)
    flat = geometry.flat_position(fast, slow, layer * detector.sensor.spacing_m, axes, detector.pix0_m)
    if not detector.curved:
        return flat
    beam = scene.experiment.beam.direction
    return geometry.curved_position(flat, detector.fdet, detector.sdet, beam, detector.distance_m)


def update_omega(scene: Scene, state: PixelState, airpath_m: Tensor, first: bool) -> None:
    """Solid angle of the first sub-pixel of a pixel, or of each on request (P6.5)."""
    detector = scene.experiment.detector
    if first or scene.experiment.sampling.per_subpixel_omega:
        if detector.point_pixel:
            state.omega = geometry.point_solid_angle_sr(airpath_m)
        else:
            state.omega = geometry.solid_angle_sr(airpath_m, detector.pixel_m, detector.close_distance_m)
    state.omega_sum = state.omega_sum + state.omega


def update_capture(scene: Scene, state: PixelState, diffracted: Vec3, layer: int, first: bool) -> None:
    """Capture fraction of the first sub-pixel of a layer, or of each on request (P6.3, P6.6)."""
    detector = scene.experiment.detector
    if not detector.sensor.thick:
        if first:
            state.capture = torch.ones_like(state.capture)
        if not scene.experiment.sampling.per_subpixel_thick:
            return
    obliquity = dot(diffracted, detector.odet)
    fraction = absorption.capture_fraction(layer, detector.sensor.spacing_m, detector.sensor.mu_inv_m, obliquity)
    if first or scene.experiment.sampling.per_subpixel_thick:
        state.capture = fraction
    else:
        state.capture = torch.where(state.capture == 0, fraction, state.capture)


def update_polar(
    scene: Scene, state: PixelState, diffracted: Vec3, incident: Vec3, lit: Tensor | None, first: bool
) -> Vec3:
    """Polarization factor where it is still missing, or of each term on request (P6.7).

    Returns the diffracted direction, which the factor renormalises where it is
    computed and which later sources of the sub-pixel use (P7, HD-POL-4).
    """
    sampling, beam = scene.experiment.sampling, scene.experiment.beam
    always = sampling.per_subpixel_polar
    missing_everywhere = first and beam.polarization and lit is None
    if not (always or missing_everywhere or (beam.polarization and scene.polar_may_vanish)):
        return diffracted
    renormalised = unit(diffracted)
    factor = polarization.polarization_factor(
        beam.kahn_factor, unit(incident), renormalised, scene.polarization_axis, scene.polarized
    )
    wanted = torch.ones_like(state.polar, dtype=torch.bool) if always else state.polar == 0
    if lit is not None:
        wanted = wanted & lit
    state.polar = torch.where(wanted, factor, state.polar)
    return select(wanted, renormalised, diffracted)


def lattice_factor(scene: Scene, hkl: Vec3, nodes: Vec3) -> Tensor:
    """F_latt of the crystal's shape (P6.9)."""
    crystal, counts, dtype = scene.experiment.crystal, scene.long_axes, scene.dtype
    match crystal.shape:
        case CrystalShape.SQUARE:
            return lattice.square(hkl, nodes, counts, scene.rows, dtype)
        case CrystalShape.ROUND:
            return lattice.round_(hkl, nodes, counts, crystal.fudge, dtype)
    reciprocal = (crystal.a_star_inv_A, crystal.b_star_inv_A, crystal.c_star_inv_A)
    rho = lattice.reciprocal_distance(hkl, nodes, counts, reciprocal)
    if crystal.shape is CrystalShape.GAUSS:
        return lattice.gauss(rho, counts, crystal.fudge, dtype)
    return lattice.tophat(rho, counts, crystal.fudge, dtype)


def squared_amplitude(scene: Scene, hkl: Vec3, nodes: Vec3, order: Tensor, first_out: Tensor) -> Tensor:
    """F*F of each evaluation (P6.10); ``order`` is its place in the order of P6.1.

    Evaluations from ``first_out`` on are not interpolated (HD-INT-1).
    """
    nearest = structure_factor.at_nodes(nodes, scene.intensities)
    if not scene.experiment.crystal.structure_factors.interpolate:
        return nearest
    F = structure_factor.interpolated(hkl, scene.amplitudes).to(scene.dtype)
    return torch.where(order < first_out, F * F, nearest)


def accumulate(scene: Scene, state: PixelState, terms: Tensor, active: Tensor | None) -> None:
    """Add the terms of a chunk, shape (orientations, pixels), one by one (P6.10 steps 4 and 5)."""
    sampling = scene.experiment.sampling
    factors = []
    if sampling.per_subpixel_thick:
        factors.append(state.capture.to(scene.dtype))
    if sampling.per_subpixel_polar:
        factors.append(state.polar.to(scene.dtype))
    if sampling.per_subpixel_omega:
        factors.append(state.omega.to(scene.dtype))
    for n, term in enumerate(terms.unbind(0)):
        total = state.total + term
        for factor in factors:
            total = total * factor
        state.total = total if active is None else torch.where(active[n], total, state.total)


def evaluate(scene: Scene, state: PixelState, tile: Tile, q: Vec3, lit: Tensor | None, place: int, stop: Tensor) -> None:
    """All orientations of one source: lattice factor, structure factor, sum (P6.8 to P6.10).

    ``place`` counts the evaluations of the pixel before this source, ``stop`` is
    the place from which on nothing is interpolated, ``lit`` the pixels whose
    source survives the resolution cut. With ``stop`` at NEVER the first evaluation
    out of range is noted in the state.
    """
    turns, sampling = scene.experiment.orientations, scene.experiment.sampling
    count = len(turns.a_m[0])
    interpolate = scene.experiment.crystal.structure_factors.interpolate
    running = sampling.per_subpixel_thick or sampling.per_subpixel_polar or sampling.per_subpixel_omega
    chunk = max(1, tile_elements(scene.steps.device) // len(tile.rank))
    for start in range(0, count, chunk):
        part = slice(start, start + chunk)
        a, b, c = (
            (v[0][part, None], v[1][part, None], v[2][part, None]) for v in (turns.a_m, turns.b_m, turns.c_m)
        )
        hkl = scattering.miller_indices(q, a, b, c)
        nodes = (
            scattering.nearest_node(hkl[0]),
            scattering.nearest_node(hkl[1]),
            scattering.nearest_node(hkl[2]),
        )
        F_latt = lattice_factor(scene, hkl, nodes)
        active = None
        if running or interpolate:
            reached = torch.ones_like(F_latt, dtype=torch.bool) if sampling.water else F_latt != 0
            active = reached if lit is None else reached & lit
        offset = torch.arange(place + start, place + start + len(a[0]), device=tile.rank.device)
        order = tile.rank * scene.evaluations + offset[:, None] if interpolate else tile.rank
        if interpolate and active is not None:
            beyond = active & structure_factor.out_of_range(hkl, scene.amplitudes)
            earliest = torch.where(beyond, order, NEVER).amin()
            state.first_out = torch.minimum(state.first_out, earliest)
        terms = (squared_amplitude(scene, hkl, nodes, order, stop) * F_latt).mul_(F_latt)
        if lit is not None:
            terms = torch.where(lit, terms, torch.zeros_like(terms))
        accumulate(scene, state, terms, active if running else None)


def integrate(scene: Scene, tile: Tile, stop: Tensor) -> PixelState:
    """Layers, sub-pixels and sources of every pixel of ``tile``, in the order of P6.1."""
    experiment = scene.experiment
    sampling, beam = experiment.sampling, experiment.beam
    state = fresh_state(scene, len(tile.rank))
    place = 0
    for layer in range(experiment.detector.sensor.layers):
        for subpixel in range(sampling.oversample**2):
            i, j = divmod(subpixel, sampling.oversample)
            position = positions(scene, tile, layer, i, j)
            airpath = norm(position)
            diffracted = direction(position, airpath)
            update_omega(scene, state, airpath, first=place == 0)
            update_capture(scene, state, diffracted, layer, first=subpixel == 0)
            for source in range(beam.sources):
                incident = (beam.incident[0][source], beam.incident[1][source], beam.incident[2][source])
                q = scattering.scattering_vector(diffracted, incident, beam.source_wavelengths_m[source])
                lit = scattering.within_resolution(q, sampling.dmin_m) if sampling.cut else None
                diffracted = update_polar(scene, state, diffracted, incident, lit, first=place == 0)
                evaluate(scene, state, tile, q, lit, place, stop)
                place += len(experiment.orientations.a_m[0])
    return state


def photons(scene: Scene, state: PixelState) -> Tensor:
    """Photons per pixel, float64, before the rounding to the stored image (P6.11)."""
    sampling = scene.experiment.sampling
    value = scene.scale * state.total.double() / scene.steps
    if not sampling.per_subpixel_thick:
        value = value * state.capture
    if not sampling.per_subpixel_polar:
        value = value * state.polar
    if not sampling.per_subpixel_omega:
        value = value * state.omega
    return value


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Rendering:
    """The image in photons, float32 of shape (slow, fast), and the detector's solid angle.

    ``solid_angle_sr`` is the sum over the rendered pixels (P6.13, HD-STAT-3);
    ``first_out`` the place from which on nothing was interpolated (HD-INT-1).
    """

    image: Tensor
    solid_angle_sr: Tensor
    first_out: Tensor


def over_tiles(
    work: Callable[[Tile], tuple[Tensor, ...]], parts: list[Tile], progress: Progress | None
) -> list[tuple[Tensor, ...]]:
    """``work`` on every tile in image order; torch shares the elements of a tile among its threads."""
    total, done, results = sum(len(tile.rank) for tile in parts), 0, []
    for tile in parts:
        results.append(work(tile))
        done += len(tile.rank)
        if progress is not None:
            progress(done, total)
    return results


def render(
    experiment: Experiment,
    *,
    device: torch.device | None = None,
    dtype: torch.dtype = torch.float64,
    progress: Progress | None = None,
) -> Rendering:
    """The image of ``experiment`` (P6).

    Args: ``dtype`` is that of what follows the Miller index, float64 or float32;
    ``progress`` is called with pixels done and pixels in all.
    Returns: image and solid angle, on ``device``.
    """
    initialise_vector_library()
    place = device if device is not None else torch.device("cpu")
    on = scene(experiment, place, dtype)
    detector, sampling = on.experiment.detector, on.experiment.sampling
    pixels = selected_pixels(on)
    parts = list(tiles(pixels, detector.fast_pixels, tile_elements(place)))
    never = torch.full((), NEVER, dtype=torch.int64, device=place)

    stop = never
    if on.experiment.crystal.structure_factors.interpolate and parts:
        places = over_tiles(lambda tile: (integrate(on, tile, never).first_out,), parts, None)
        stop = torch.stack([found for (found,) in places]).amin()

    def finish(tile: Tile) -> tuple[Tensor, ...]:
        state = integrate(on, tile, stop)
        return photons(on, state).float(), state.omega_sum.sum()

    image = torch.zeros(detector.slow_pixels * detector.fast_pixels, dtype=torch.float32, device=place)
    omega = torch.zeros((), dtype=torch.float64, device=place)
    if parts:
        done = over_tiles(finish, parts, progress)
        values = torch.cat([part for part, _ in done])
        image = values if len(values) == len(image) else image.index_put((pixels,), values)
        omega = torch.stack([share for _, share in done]).sum()
    samples = detector.sensor.layers * sampling.oversample**2
    return Rendering(
        image=image.reshape(detector.slow_pixels, detector.fast_pixels),
        solid_angle_sr=omega / samples,
        first_out=stop,
    )
