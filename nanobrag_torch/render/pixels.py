"""The pixel loop: orders the formulas of ``physics`` as P6 orders them, for all pixels of a tile at once.

Layers, sub-pixels, sources and orientations are visited in the order of P6.1, and every
sum is formed in that order, so the image does not depend on the tiles, the number of
threads or the device. Nothing here looks at the value of a tensor: what must be decided
is decided by the set-up, by ``Scene``, or by ``where``. One thing is handed to the C
library on a CPU: the sines of a curved detector (``setup.libm``).
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
"""Pixels times orientations that one thread, or one GPU, works on at once; on a CPU what its caches hold."""

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
    sub-pixels, ``diffracted`` the direction of the sub-pixel as P7 left it. 0 in
    ``polar`` and ``capture`` means not yet computed.

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
class Ray:
    """A sub-pixel of every pixel, lit by one source: what leads to the scattering vector (P6.4 to P6.7).

    ``place`` counts the evaluations of the pixel before this ray. ``lit`` marks the pixels
    whose ray survives the resolution cut; None if there is no cut.
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


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Terms:
    """Some orientations of a ray (P6.8, P6.9): indices and lattice factor.

    ``hkl`` and ``nodes`` have shape (3, orientations, pixels), ``F_latt`` (orientations, pixels);
    ``place`` counts the evaluations of the pixel before these.
    """

    hkl: Tensor
    nodes: Tensor
    F_latt: Tensor
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
        omega_sum=zeros,
        diffracted=(zeros, zeros, zeros),
        layer_total=zeros.to(scene.dtype),
        layer_capture=zeros,
        capture_sum=zeros,
        background_factor=(zeros, zeros),
    )


def rays(scene: Scene, state: PixelState, tile: Tile) -> Iterator[Ray]:
    """Every layer, sub-pixel and source in the order of P6.1; keeps the factors in ``state`` up to date."""
    experiment = scene.experiment
    oversample, beam = experiment.sampling.oversample, experiment.beam
    place = 0
    for layer in range(experiment.detector.sensor.layers):
        for subpixel in range(oversample**2):
            position = positions(scene, tile, layer, *divmod(subpixel, oversample))
            airpath = norm(position)
            state.diffracted = direction(position, airpath)
            update_omega(scene, state, airpath, first=place == 0)
            update_capture(scene, state, layer, first=subpixel == 0)
            if subpixel == 0:
                state.layer_capture = state.capture
            for source in range(beam.sources):
                incident = (beam.incident[0][source], beam.incident[1][source], beam.incident[2][source])
                wavelength = beam.source_wavelengths_m[source]
                q = scattering.scattering_vector(state.diffracted, incident, wavelength)
                cut = experiment.sampling.cut
                ray = Ray(
                    source=source,
                    place=place,
                    position_m=position,
                    airpath_m=airpath,
                    diffracted=state.diffracted,
                    incident=incident,
                    wavelength_m=wavelength,
                    q_inv_m=q,
                    lit=scattering.within_resolution(q, experiment.sampling.dmin_m) if cut else None,
                )
                if place == 0 and experiment.corrected and experiment.sampling.water:
                    state.background_factor = (background_polar(scene, ray), state.omega)
                update_polar(scene, state, ray)
                yield ray
                place += scene.orientations
        if experiment.corrected:
            close_layer(scene, state)


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
    return geometry.curved_position(flat, axes[:2], beam, detector.distance_m, libm.on(scene.device))


def update_omega(scene: Scene, state: PixelState, airpath_m: Tensor, first: bool) -> None:
    """Solid angle of the first sub-pixel of a pixel, or of each on request (P6.5)."""
    detector = scene.experiment.detector
    if first or scene.experiment.sampling.per_subpixel_omega:
        if detector.point_pixel:
            state.omega = geometry.point_solid_angle_sr(airpath_m)
        else:
            state.omega = geometry.solid_angle_sr(airpath_m, detector.pixel_m, detector.close_distance_m)
    state.omega_sum = state.omega_sum + state.omega


def update_capture(scene: Scene, state: PixelState, layer: int, first: bool) -> None:
    """Capture fraction of the first sub-pixel of a layer, or of each on request (P6.3, P6.6)."""
    sensor, each = scene.experiment.detector.sensor, scene.experiment.sampling.per_subpixel_thick
    if not sensor.thick and (scene.experiment.corrected or not each):  # HD-THK-3
        if first:
            state.capture = torch.ones_like(state.capture)
        return
    obliquity = dot(state.diffracted, scene.experiment.detector.odet)
    fraction = absorption.capture_fraction(layer, sensor.spacing_m, sensor.mu_inv_m, obliquity)
    if first or each:
        state.capture = fraction
    else:
        state.capture = torch.where(state.capture == 0, fraction, state.capture)


def update_polar(scene: Scene, state: PixelState, ray: Ray) -> None:
    """Polarization factor where it is still missing, or of each term on request (P6.7).

    Where it is computed the diffracted direction is renormalised, which later sources
    of the sub-pixel see (P7, HD-POL-4).
    """
    beam, always = scene.experiment.beam, scene.experiment.sampling.per_subpixel_polar
    if scene.experiment.corrected and not beam.polarization:  # HD-POL-2
        return
    missing_everywhere = ray.place == 0 and beam.polarization and ray.lit is None
    if not (always or missing_everywhere or (beam.polarization and scene.polar_may_vanish)):
        return
    renormalised = unit(ray.diffracted)
    factor = polarization_of(scene, ray.incident, renormalised)
    wanted = torch.ones_like(state.polar, dtype=torch.bool) if always else state.polar == 0
    if ray.lit is not None:
        wanted = wanted & ray.lit
    state.polar = torch.where(wanted, factor, state.polar)
    state.diffracted = select(wanted, renormalised, ray.diffracted)


def polarization_of(scene: Scene, incident: Vec3, diffracted: Vec3) -> Tensor:
    """Polarization factor of one source, ``diffracted`` being a unit vector (P7)."""
    kahn, axis = scene.experiment.beam.kahn_factor, scene.polarization_axis
    return polarization.polarization_factor(kahn, unit(incident), diffracted, axis, scene.polarized)


def background_polar(scene: Scene, ray: Ray) -> Tensor:
    """Polarization factor of the background, whether the ray is cut or not (P8.4 step 4, HD-POL-3)."""
    if not scene.experiment.beam.polarization:
        return torch.ones_like(ray.airpath_m)
    return polarization_of(scene, ray.incident, unit(ray.diffracted))


def close_layer(scene: Scene, state: PixelState) -> None:
    """Add the sum of a sensor layer, weighted by its capture fraction (P8.4 step 2, HD-THK-1)."""
    share = state.layer_total
    if not scene.experiment.sampling.per_subpixel_thick:
        share = share * state.layer_capture.to(scene.dtype)
    state.total = state.total + share
    state.layer_total = torch.zeros_like(share)
    state.capture_sum = state.capture_sum + state.layer_capture


def terms(scene: Scene, tile: Tile, ray: Ray) -> Iterator[Terms]:
    """The orientations of a ray, as many at once as a tile holds (P6.8, P6.9)."""
    chunk = max(1, TILE_ELEMENTS[scene.device.type] // len(tile))
    x, y, z = scene.cells_m
    for start in range(0, scene.orientations, chunk):
        part = slice(start, start + chunk)
        hkl = scattering.miller_indices(ray.q_inv_m, (x[:, part], y[:, part], z[:, part]))
        nodes = scattering.nearest_node(hkl)
        yield Terms(hkl=hkl, nodes=nodes, F_latt=lattice_factor(scene, hkl, nodes), place=ray.place + start)


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
    places = torch.arange(term.place, term.place + len(term.F_latt), device=scene.device)
    return tile.rank * scene.evaluations + places[:, None]


def reached(scene: Scene, ray: Ray, term: Terms) -> Tensor:
    """Whether an evaluation goes on to the structure factor, bool (P6.7, P6.9 last paragraph, P8.4)."""
    active = term.F_latt != 0
    if scene.experiment.sampling.water and not scene.experiment.corrected:
        active = torch.ones_like(active)
    return active if ray.lit is None else active & ray.lit


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


def accumulate(scene: Scene, state: PixelState, tile: Tile, ray: Ray, term: Terms, stop: Tensor) -> None:
    """Add the orientations of ``term`` one by one (P6.10 steps 4 and 5, P8.4 step 1)."""
    products = (squared_amplitude(scene, tile, term, stop) * term.F_latt).mul_(term.F_latt)
    if scene.huge:  # an infinite F*F adds nothing where F_latt is 0 either
        products = torch.where(reached(scene, ray, term), products, torch.zeros_like(products))
    elif ray.lit is not None:
        products = torch.where(ray.lit, products, torch.zeros_like(products))
    if scene.experiment.corrected:
        for factor in subpixel_factors(scene, state):
            products = products * factor
        for product in products.unbind(0):
            state.layer_total = state.layer_total + product
        return
    if not scene.running_products:
        for product in products.unbind(0):
            state.total = state.total.add_(product)
        return
    factors = subpixel_factors(scene, state)
    for product, active in zip(products.unbind(0), reached(scene, ray, term).unbind(0), strict=True):
        total = state.total + product
        for factor in factors:
            total = total * factor
        state.total = torch.where(active, total, state.total)


def subpixel_factors(scene: Scene, state: PixelState) -> list[Tensor]:
    """What multiplies each term, or the running sum after each addition (HD-OVS-1), in this order."""
    sampling = scene.experiment.sampling
    selected = (
        (sampling.per_subpixel_thick, state.capture),
        (sampling.per_subpixel_polar, state.polar),
        (sampling.per_subpixel_omega, state.omega),
    )
    return [factor.to(scene.dtype) for chosen, factor in selected if chosen]


def integrate(scene: Scene, tile: Tile, stop: Tensor) -> PixelState:
    """Every evaluation of every pixel of ``tile``; from the place ``stop`` on nothing is interpolated."""
    state = fresh_state(scene, len(tile))
    for ray in rays(scene, state, tile):
        for term in terms(scene, tile, ray):
            accumulate(scene, state, tile, ray, term, stop)
    return state


def first_out_of_range(scene: Scene, tile: Tile) -> Tensor:
    """Place of the first evaluation of ``tile`` that leaves the structure-factor table, or NEVER (P6.10)."""
    state = fresh_state(scene, len(tile))
    first = torch.full((), NEVER, dtype=torch.int64, device=scene.device)
    for ray in rays(scene, state, tile):
        for term in terms(scene, tile, ray):
            beyond = reached(scene, ray, term) & structure_factor.out_of_range(term.hkl, scene.amplitudes)
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
