"""The pixel loop: orders the formulas of ``physics`` as P6 orders them, for all pixels of a tile at once.

Layers, sub-pixels, sources and orientations are visited in the order of P6.1, and every
sum is formed in that order, so the image does not depend on the tiles, the number of
threads or the device. Where a tile has few pixels, as many rays (a sub-pixel and a source) and
orientations are computed at once as fill it, and only the sums go through them one by one.

What must be decided is decided by the set-up, by ``Scene``, or by ``where``, not by the value of
a tensor; ``terms`` has the exception. One thing is handed to the C library on a CPU: the sines of
a curved detector (``setup.libm``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from nanobrag_torch.command_line.request import CrystalShape
from nanobrag_torch.physics import absorption, geometry, lattice, polarization, scattering, structure_factor
from nanobrag_torch.physics.vectors import Vec3, direction, dot, norm, select, unit
from nanobrag_torch.render.scene import Scene
from nanobrag_torch.setup import libm

TILE_ELEMENTS = {"cpu": 5 << 13, "cuda": 1 << 22}
"""Evaluations that one thread, or one GPU, works on at once; on a CPU what its caches hold."""

NEVER = 2**62
"""Place in the order of P6.1 that no evaluation reaches."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Tile:
    """Pixels of a tile: their fast and slow index and their rank in image order, float64 and int64."""

    fast: Tensor
    slow: Tensor
    rank: Tensor

    def __len__(self) -> int:
        return len(self.rank)


@dataclass(slots=True, eq=False)
class PixelState:
    """What a tile of pixels carries through the loop (P6.3, P8.2); tensors of shape (pixels,).

    ``total`` is the running sum I, ``omega_sum`` the sum of P6.5 over layers and
    sub-pixels, ``diffracted`` the direction of the latest sub-pixels as P7 left it, shape
    (sub-pixels, 1, pixels). 0 in ``polar`` and ``capture`` means not yet computed.

    With corrected physics (P8.4) ``layer_total`` is the sum J of the current layer,
    ``layer_capture`` the capture fraction of its first sub-pixel, ``capture_sum`` the sum of
    these, and ``background_factor`` polarization and solid angle of the first ray.
    """

    total: Tensor
    polar: Tensor
    omega: Tensor
    capture: Tensor
    omega_sum: Tensor
    diffracted: Vec3
    layer_total: Tensor
    layer_capture: Tensor
    capture_sum: Tensor
    background_factor: tuple[Tensor, Tensor]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Rays:
    """Some sub-pixels of every pixel in one layer, lit by some sources: what leads to q (P6.4 to P6.7).

    ``q_inv_m``, ``lit`` and ``factors`` have shape (rays, pixels), the sources of a sub-pixel side by
    side as P6.1 visits them. ``lit`` marks the rays that survive the resolution cut; None if there is no
    cut. ``factors`` are those that P6.10 step 5 or P8.4 step 1 apply, in this order. The others have the
    axes (sub-pixels, sources, pixels), of length 1 where a value does not depend on one.

    ``source`` is the first source, ``place`` counts the evaluations of the pixel before these rays.
    """

    source: int
    place: int
    position_m: Vec3
    airpath_m: Tensor
    diffracted: Vec3
    incident: Vec3
    wavelength_m: Tensor
    q_inv_m: Vec3
    lit: Tensor | None
    factors: tuple[Tensor, ...]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Terms:
    """Some rays diffracted by some orientations (P6.8, P6.9): indices and lattice factor.

    ``hkl`` and ``nodes`` have shape (3, rays, orientations, pixels), ``F_latt`` (rays, orientations,
    pixels), ``lit`` and ``factors`` of these rays (rays, 1, pixels); ``place`` counts the evaluations of
    the pixel before these.
    """

    hkl: Tensor
    nodes: Tensor
    F_latt: Tensor
    lit: Tensor | None
    factors: tuple[Tensor, ...]
    place: int


def fresh_state(scene: Scene, count: int) -> PixelState:
    """The state at the start of ``count`` pixels (P6.3)."""
    zeros = torch.zeros(count, dtype=torch.float64, device=scene.device)
    start = zeros if scene.experiment.corrected else scene.experiment.sampling.background
    return PixelState(
        total=(start + zeros).to(scene.dtype),
        polar=zeros if scene.experiment.beam.polarization else zeros + 1.0,
        omega=zeros,
        capture=zeros,
        omega_sum=torch.zeros_like(zeros),
        diffracted=(zeros, zeros, zeros),
        layer_total=torch.zeros_like(zeros, dtype=scene.dtype),
        layer_capture=zeros,
        capture_sum=zeros,
        background_factor=(zeros, zeros),
    )


def rays(scene: Scene, state: PixelState, tile: Tile, at_once: int | None = None) -> Iterator[Rays]:
    """Every layer, sub-pixel and source in the order of P6.1; keeps the factors in ``state`` up to date.

    ``at_once`` is the largest number of rays per pixel that come together; by default a tile is filled.
    """
    experiment = scene.experiment
    sampling, sources = experiment.sampling, experiment.beam.sources
    if at_once is None:
        at_once = room(scene, tile)
    # several sub-pixels only with all their sources: these are inside in the order of P6.1
    sources_at_once, subpixels_at_once = min(sources, at_once), max(1, at_once // sources)
    place = 0
    for layer in range(experiment.detector.sensor.layers):
        for start in range(0, sampling.oversample**2, subpixels_at_once):
            stop = min(start + subpixels_at_once, sampling.oversample**2)
            subpixels = torch.arange(start, stop, device=scene.device)[:, None, None]
            position = positions(scene, tile, layer, subpixels)
            airpath = norm(position)
            state.diffracted = direction(position, airpath)
            omega = update_omega(scene, state, airpath, first=place == 0)
            capture = update_capture(scene, state, layer, first=start == 0)
            if place == 0 and experiment.corrected and sampling.water:
                state.background_factor = (background_polar(scene, state), omega[0, 0])
            for source in range(0, sources, sources_at_once):
                part = slice(source, source + sources_at_once)
                seen, q, lit, polar = scattered(scene, state, part, first=place == 0)
                selected = (
                    (sampling.per_subpixel_thick, capture),
                    (sampling.per_subpixel_polar, polar),
                    (sampling.per_subpixel_omega, omega),
                )
                light = Rays(
                    source=source,
                    place=place,
                    position_m=position,
                    airpath_m=airpath,
                    diffracted=seen,
                    incident=incident(scene, part),
                    wavelength_m=experiment.beam.source_wavelengths_m[part, None],
                    q_inv_m=(q[0].flatten(0, 1), q[1].flatten(0, 1), q[2].flatten(0, 1)),
                    lit=None if lit is None else lit.flatten(0, 1),
                    factors=tuple(
                        factor.to(scene.dtype).expand(q[0].shape).flatten(0, 1)
                        for chosen, factor in selected
                        if chosen
                    ),
                )
                yield light
                place += len(light.q_inv_m[0]) * scene.orientations
        if experiment.corrected:
            close_layer(scene, state)


def room(scene: Scene, tile: Tile) -> int:
    """Evaluations of every pixel of a tile that are worked on at once, at least 1."""
    return max(1, TILE_ELEMENTS[scene.device.type] // len(tile))


def positions(scene: Scene, tile: Tile, layer: int, subpixels: Tensor) -> Vec3:
    """Laboratory position in metres of sub-pixels, numbered in the order of P6.1, of every pixel (P6.4)."""
    detector, n = scene.experiment.detector, scene.experiment.sampling.oversample
    axes = (detector.fdet, detector.sdet, detector.odet)
    i = torch.div(subpixels, n, rounding_mode="floor")
    fast = geometry.plane_coordinate(tile.fast * n + (subpixels - i * n), scene.subpixel_m)
    slow = geometry.plane_coordinate(tile.slow * n + i, scene.subpixel_m)
    flat = geometry.flat_position(fast, slow, layer * detector.sensor.spacing_m, axes, detector.pix0_m)
    if not detector.curved:
        return flat
    beam = scene.experiment.beam.direction
    return geometry.curved_position(flat, axes[:2], beam, detector.distance_m, libm.on(scene.device))


def update_omega(scene: Scene, state: PixelState, airpath_m: Tensor, first: bool) -> Tensor:
    """Solid angle of the first sub-pixel of a pixel, or of each on request (P6.5)."""
    detector, each = scene.experiment.detector, scene.experiment.sampling.per_subpixel_omega
    if first or each:
        airpath = airpath_m if each else airpath_m[:1]
        if detector.point_pixel:
            omega = geometry.point_solid_angle_sr(airpath)
        else:
            omega = geometry.solid_angle_sr(airpath, detector.pixel_m, detector.close_distance_m)
        state.omega = omega[-1, 0]
    else:
        omega = state.omega.expand(1, 1, -1)
    state.omega_sum = add_up(state.omega_sum, omega.expand(airpath_m.shape)[:, 0])
    return omega


def update_capture(scene: Scene, state: PixelState, layer: int, first: bool) -> Tensor:
    """Capture fraction of the first sub-pixel of a layer, or of each on request (P6.3, P6.6)."""
    sensor, each = scene.experiment.detector.sensor, scene.experiment.sampling.per_subpixel_thick
    if not sensor.thick and (scene.experiment.corrected or not each):  # HD-THK-3
        if first:
            state.layer_capture = state.capture = torch.ones_like(state.capture)
        return state.capture.expand(1, 1, -1)
    obliquity = dot(state.diffracted, scene.experiment.detector.odet)
    fraction = absorption.capture_fraction(layer, sensor.spacing_m, sensor.mu_inv_m, obliquity)
    if first:
        state.layer_capture = state.capture = fraction[0, 0]
    state.capture = fraction[-1, 0] if each else carried(state.capture, fraction[:, 0])[-1]
    return fraction


def carried(value: Tensor, candidates: Tensor) -> Tensor:
    """What ``value`` is after each of the ``candidates``, which fill in while it is 0 (P6.3).

    Shapes (pixels,) and (candidates, pixels). Each step lets a number reach twice as far.
    """
    rows, reach = torch.where(value == 0, candidates, value), 1
    while reach < len(rows):
        before = rows[:-reach]
        rows = torch.cat([rows[:reach], torch.where(before == 0, rows[reach:], before)])
        reach *= 2
    return rows


def incident(scene: Scene, part: slice) -> Vec3:
    """Directions of some sources, shape (sources, 1)."""
    x, y, z = scene.experiment.beam.incident
    return x[part, None], y[part, None], z[part, None]


def scatter(scene: Scene, diffracted: Vec3, part: slice) -> tuple[Vec3, Tensor | None]:
    """Scattering vectors of some sources, and which survive the resolution cut, if there is one (P6.7)."""
    sampling, wavelengths = scene.experiment.sampling, scene.experiment.beam.source_wavelengths_m
    q = scattering.scattering_vector(diffracted, incident(scene, part), wavelengths[part, None])
    return q, scattering.within_resolution(q, sampling.dmin_m) if sampling.cut else None


def scatter_polarized(
    scene: Scene, diffracted: Vec3, polar: Tensor, part: slice
) -> tuple[Vec3, Vec3, Tensor | None, Tensor, Vec3]:
    """Some sources in turn, with the polarization factor where ``polar`` is still 0, or of each on request.

    Where it is computed the diffracted direction is renormalised, which later sources
    of the sub-pixel see (P6.7, P7, HD-POL-4).

    Returns: of each source the direction it sees, q, what survives the cut, the factor after it; then
    the direction that the last one leaves.
    """
    seen, q, lit, polars = [], [], [], []
    for source in range(*part.indices(scene.experiment.beam.sources)):
        one = slice(source, source + 1)
        q_of_one, lit_by_one = scatter(scene, diffracted, one)
        renormalised = unit(diffracted)
        factor = polarization_of(scene, incident(scene, one), renormalised)
        always = scene.experiment.sampling.per_subpixel_polar
        wanted = torch.ones_like(factor, dtype=torch.bool) if always else polar == 0
        if lit_by_one is not None:
            wanted = wanted & lit_by_one
            lit.append(lit_by_one)
        polar = torch.where(wanted, factor, polar)
        seen.append(diffracted)
        q.append(q_of_one)
        polars.append(polar)
        diffracted = select(wanted, renormalised, diffracted)
    return beside_vectors(seen), beside_vectors(q), beside(lit) if lit else None, beside(polars), diffracted


def scattered(
    scene: Scene, state: PixelState, part: slice, first: bool
) -> tuple[Vec3, Vec3, Tensor | None, Tensor]:
    """Some sources on the latest sub-pixels: direction they see, q, what survives the cut, polarization.

    The factor is that of the first ray of a pixel that survives the cut, or of each on request (P6.7);
    in the latter case that of a ray that is cut has no meaning.
    """
    sampling, beam = scene.experiment.sampling, scene.experiment.beam
    if sampling.per_subpixel_polar:
        computed = beam.polarization or not scene.experiment.corrected  # HD-POL-2
    else:
        computed = beam.polarization and (first or scene.polar_may_vanish)
    if not computed:
        q, lit = scatter(scene, state.diffracted, part)
        return state.diffracted, q, lit, state.polar.expand(1, 1, -1)
    polar = state.polar
    if len(state.diffracted[0]) > 1 and not sampling.per_subpixel_polar:
        # what each sub-pixel would make of a factor of 0 says which of them still meet a 0
        _, _, _, made, _ = scatter_polarized(scene, state.diffracted, torch.zeros_like(polar), part)
        polar = torch.cat([polar[None], carried(polar, made[:-1, -1])])[:, None]
    seen, q, lit, polar, state.diffracted = scatter_polarized(scene, state.diffracted, polar, part)
    state.polar = polar[-1, -1]
    return seen, q, lit, polar


def beside(parts: list[Tensor]) -> Tensor:
    """Tensors of one source each as one along the axis of the sources; a single one is not copied."""
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


def beside_vectors(parts: list[Vec3]) -> Vec3:
    """``beside`` by components."""
    return beside([v[0] for v in parts]), beside([v[1] for v in parts]), beside([v[2] for v in parts])


def polarization_of(scene: Scene, incident: Vec3, diffracted: Vec3) -> Tensor:
    """Polarization factor of sources, ``diffracted`` being a unit vector (P7)."""
    kahn, axis = scene.experiment.beam.kahn_factor, scene.polarization_axis
    return polarization.polarization_factor(kahn, unit(incident), diffracted, axis, scene.polarized)


def background_polar(scene: Scene, state: PixelState) -> Tensor:
    """Polarization factor of the background: of the first ray, cut or not (P8.4 step 4, HD-POL-3)."""
    if not scene.experiment.beam.polarization:
        return torch.ones_like(state.omega)
    x, y, z = state.diffracted
    first = unit((x[:1], y[:1], z[:1]))
    return polarization_of(scene, incident(scene, slice(1)), first)[0, 0]


def close_layer(scene: Scene, state: PixelState) -> None:
    """Add the sum of a sensor layer, weighted by its capture fraction (P8.4 step 2, HD-THK-1)."""
    share = state.layer_total
    if not scene.experiment.sampling.per_subpixel_thick:
        share = share * state.layer_capture.to(scene.dtype)
    state.total = state.total + share
    state.layer_total = torch.zeros_like(share)
    state.capture_sum = state.capture_sum + state.layer_capture


def terms(scene: Scene, tile: Tile, light: Rays) -> Iterator[Terms]:
    """Every orientation of some rays in the order of P6.1, as many at once as fill a tile (P6.8, P6.9).

    Rays that the cut takes from every pixel are left out, but only where that is known without
    waiting, which is not on a GPU, and where nobody may ask for a gradient of 0.
    """
    orientations = min(scene.orientations, room(scene, tile))
    rays_at_once = max(1, room(scene, tile) // scene.orientations)
    x, y, z = scene.cells_m
    for first in range(0, len(light.q_inv_m[0]), rays_at_once):
        some = slice(first, first + rays_at_once)
        lit = None if light.lit is None else light.lit[some, None]
        if lit is not None and lit.is_cpu and not torch.is_grad_enabled() and not lit.any():
            continue
        q = (light.q_inv_m[0][some, None], light.q_inv_m[1][some, None], light.q_inv_m[2][some, None])
        for start in range(0, scene.orientations, orientations):
            part = slice(start, start + orientations)
            hkl = scattering.miller_indices(q, (x[:, :, part], y[:, :, part], z[:, :, part]))
            nodes = scattering.nearest_node(hkl)
            yield Terms(
                hkl=hkl,
                nodes=nodes,
                F_latt=lattice_factor(scene, hkl, nodes),
                lit=lit,
                factors=tuple(factor[some, None] for factor in light.factors),
                place=light.place + first * scene.orientations + start,
            )


def lattice_factor(scene: Scene, hkl: Tensor, nodes: Tensor) -> Tensor:
    """F_latt of the crystal's shape (P6.9)."""
    crystal, counts, dtype = scene.experiment.crystal, scene.counts, scene.dtype
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


def order(scene: Scene, tile: Tile, term: Terms) -> Tensor:
    """Place of each evaluation in the order of P6.1, over all pixels, int64."""
    rays, orientations, _ = term.F_latt.shape
    places = torch.arange(term.place, term.place + rays * orientations, device=scene.device)
    return tile.rank * scene.evaluations + places.reshape(rays, orientations, 1)


def reached(scene: Scene, term: Terms) -> Tensor:
    """Whether an evaluation goes on to the structure factor, bool (P6.7, P6.9 last paragraph, P8.4)."""
    active = term.F_latt != 0
    if scene.experiment.sampling.water and not scene.experiment.corrected:
        active = torch.ones_like(active)
    return active if term.lit is None else active & term.lit


def squared_amplitude(scene: Scene, tile: Tile, term: Terms, stop: Tensor) -> Tensor:
    """F*F of each evaluation (P6.10).

    Those from the place ``stop`` on are not interpolated; with corrected physics those
    whose neighbourhood leaves the table (HD-INT-1).
    """
    nearest = structure_factor.at_nodes(term.nodes, scene.intensities)
    if not scene.experiment.crystal.structure_factors.interpolate:
        return nearest
    F = structure_factor.interpolated(term.hkl, scene.amplitudes).to(scene.dtype)
    if scene.experiment.corrected:
        inside = ~structure_factor.out_of_range(term.hkl, scene.amplitudes)
    else:
        inside = order(scene, tile, term) < stop
    return torch.where(inside, F * F, nearest)


def accumulate(scene: Scene, state: PixelState, tile: Tile, term: Terms, stop: Tensor) -> None:
    """Add the evaluations of ``term`` one by one (P6.10 steps 4 and 5, P8.4 step 1)."""
    products = (squared_amplitude(scene, tile, term, stop) * term.F_latt).mul_(term.F_latt)
    if scene.huge:  # an infinite F*F adds nothing where F_latt is 0 either
        products = torch.where(reached(scene, term), products, torch.zeros_like(products))
    elif term.lit is not None:
        products = torch.where(term.lit, products, torch.zeros_like(products))
    if scene.experiment.corrected:
        for factor in term.factors:
            products = products * factor
        state.layer_total = add_up(state.layer_total, products.flatten(0, 1))
    elif not term.factors:
        state.total = add_up(state.total, products.flatten(0, 1))
    else:
        factors = [one_by_one(factor.expand(products.shape)) for factor in term.factors]
        active = one_by_one(reached(scene, term))
        for product, through, *by in zip(one_by_one(products), active, *factors, strict=True):
            total = state.total + product
            for factor in by:
                total = total * factor
            state.total = torch.where(through, total, state.total)


def one_by_one(values: Tensor) -> tuple[Tensor, ...]:
    """Values of shape (rays, orientations, pixels) as one tensor per evaluation, in the order of P6.1."""
    return values.flatten(0, 1).unbind(0)


def add_up(total: Tensor, values: Tensor) -> Tensor:
    """``total`` plus each row of ``values``, one after another; ``total`` itself may be overwritten.

    Shapes (pixels,) and (rows, pixels). On a CPU the cumulative sum of torch is formed in the same order,
    in float64 whatever the type; it costs less than an addition for each row if these are short.
    """
    if values.is_cpu and values.dtype == torch.float64 and len(values) > len(total):
        return torch.cat([total[None], values]).cumsum(0)[-1]
    for row in values.unbind(0):
        total = total.add_(row)
    return total


def integrate(scene: Scene, tile: Tile, stop: Tensor) -> PixelState:
    """Every evaluation of every pixel of ``tile``; from the place ``stop`` on nothing is interpolated."""
    state = fresh_state(scene, len(tile))
    for light in rays(scene, state, tile):
        for term in terms(scene, tile, light):
            accumulate(scene, state, tile, term, stop)
    return state


def first_out_of_range(scene: Scene, tile: Tile) -> Tensor:
    """Place of the first evaluation of ``tile`` that leaves the structure-factor table, or NEVER (P6.10)."""
    state = fresh_state(scene, len(tile))
    first = torch.full((), NEVER, dtype=torch.int64, device=scene.device)
    for light in rays(scene, state, tile):
        for term in terms(scene, tile, light):
            beyond = reached(scene, term) & structure_factor.out_of_range(term.hkl, scene.amplitudes)
            first = torch.minimum(first, torch.where(beyond, order(scene, tile, term), NEVER).amin())
    return first


def photons(scene: Scene, state: PixelState) -> Tensor:
    """Photons per pixel, float64, before the rounding to the stored image (P6.11, P8.4)."""
    sampling, corrected = scene.experiment.sampling, scene.experiment.corrected
    value = scene.scale * state.total.double() / scene.steps
    if not corrected and not sampling.per_subpixel_thick:
        value = value * state.capture
    if not sampling.per_subpixel_polar:
        value = value * state.polar
    if not sampling.per_subpixel_omega:
        value = value * state.omega
    if corrected and sampling.water:
        captured = state.capture_sum if scene.experiment.detector.sensor.thick else torch.ones_like(value)
        polar, omega = state.background_factor
        value = value + scene.scale * sampling.background * captured * polar * omega
    return value


def stored(value: Tensor) -> Tensor:
    """The pixel of the image: float32, never a negative zero of ``value`` (P6.11 step 5)."""
    return (0.0 + value).float()
