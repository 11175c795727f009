"""Beam: fluence and sources, from a file or from divergence and dispersion (P1.4, P4.5 to P4.7)."""

from __future__ import annotations

import torch
from torch import Tensor

from nanobrag_torch.advice import warn
from nanobrag_torch.command_line.request import Request
from nanobrag_torch.constants import SOURCE_DISTANCE_M
from nanobrag_torch.errors import UsageError
from nanobrag_torch.formats import sources as source_file
from nanobrag_torch.physics.vectors import Vec3, cross, negate, scale, unit
from nanobrag_torch.setup.counts import Grid, grid
from nanobrag_torch.setup.detector import Axes
from nanobrag_torch.setup.experiment import Beam, Divergence, maybe, plain, scalar
from nanobrag_torch.setup.rotation import rotaxis
from nanobrag_torch.setup.source_advice import source_advice

TRIM = 1.1
"""Directions with four times the trimming value above this are dropped (P4.6)."""
MOST_SOURCES = 10**8
"""More is a slip in a count or step: no image of so many terms was ever finished."""


def fluence(request: Request) -> Tensor:
    """Photons per square metre; flux, exposure and beam size win over a given fluence (P1.4)."""
    if request.flux_ph_s != 0 and request.exposure_s > 0 and request.beam_size_m >= 0:
        size = scalar(request.beam_size_m)
        return scalar(request.flux_ph_s) * scalar(request.exposure_s) / size / size
    return scalar(request.fluence_ph_m2)


def divergence_offsets(horizontal: Grid, vertical: Grid, trim: bool) -> tuple[Tensor, Tensor]:
    """Horizontal and vertical angle in rad of each direction, shape (directions,) (P4.6).

    The vertical angle runs fastest; with ``trim`` the corners of the grid are dropped.
    """

    def centred(axis: Grid) -> Tensor:
        return axis.step * torch.arange(axis.count, dtype=torch.float64) - axis.range / 2.0

    def share(x: Tensor, axis: Grid) -> Tensor:
        """0/0 is NaN for an axis without extent, and then nothing is dropped (HD-SRC-5)."""
        return (x * x - axis.step * axis.step / 4.0 * (1 - axis.count % 2)) / axis.range / axis.range

    h, v = centred(horizontal), centred(vertical)
    corner = (share(h, horizontal)[:, None] + share(v, vertical)) * 4.0 > TRIM
    kept = ~corner if trim else torch.ones_like(corner)
    i, j = kept.nonzero(as_tuple=True)
    return h[i], v[j]


def dispersed(wavelength_m: Tensor, spectrum: Grid) -> Tensor:
    """Wavelengths of a dispersion in metres, shape (wavelengths,) (P4.6).

    Raises: UsageError if one of them is not above 0.
    """
    steps = torch.arange(spectrum.count, dtype=torch.float64)
    wavelengths = wavelength_m * (1.0 + spectrum.step * steps - spectrum.range / 2.0)
    if not (wavelengths > 0).all():
        shortest = plain(wavelengths.min())
        raise UsageError(f"-dispersion: a wavelength of {shortest:g} m, expected all of them above 0")
    return wavelengths


def source_grids(request: Request) -> tuple[Grid, Grid, Grid]:
    """Horizontal and vertical divergence and dispersion, resolved (P4.1). Raises: UsageError."""
    h_span, h_step = maybe(request.hdiv_range_rad), maybe(request.hdiv_step_rad)
    v_span, v_step = maybe(request.vdiv_range_rad), maybe(request.vdiv_step_rad)
    return (
        grid(request.hdiv_steps, h_span, h_step, 1.0, "-hdivstep"),
        grid(request.vdiv_steps, v_span, v_step, 1.0, "-vdivstep"),
        grid(request.dispersion_steps, scalar(request.dispersion), None, 1.0, "-dispersion"),
    )


def generated_sources(request: Request, axes: Axes, wavelength_m: Tensor) -> Beam:
    """The beam of a divergence grid times a wavelength grid (P4.6). Raises: UsageError."""
    horizontal, vertical, spectrum = source_grids(request)
    shape = f"{horizontal.count} x {vertical.count} directions x {spectrum.count} wavelengths"
    if horizontal.count * vertical.count * spectrum.count > MOST_SOURCES:
        raise UsageError(f"-divsteps/-dispsteps: {shape}, expected at most {MOST_SOURCES} sources")
    h, v = divergence_offsets(horizontal, vertical, request.round_div)
    if not len(h):
        raise UsageError(
            f"-hdivsteps/-vdivsteps/-divsteps: {shape}, no source is left after the corners are dropped; "
            "expected more steps, a range, or -square_div"
        )
    wavelengths = dispersed(wavelength_m, spectrum)
    behind = scale(scalar(-SOURCE_DISTANCE_M), axes.beam)
    second = unit(cross(axes.beam, axes.polar))
    x, y, z = rotaxis(rotaxis(behind, axes.polar, v), second, h)
    count = len(h) * spectrum.count
    return beam(
        request,
        axes,
        wavelength_m,
        positions=(
            x.repeat_interleave(spectrum.count),
            y.repeat_interleave(spectrum.count),
            z.repeat_interleave(spectrum.count),
        ),
        wavelengths=wavelengths.repeat(len(h)),
        weights=torch.full((count,), 1.0 / count, dtype=torch.float64),
        divergence=in_summary(
            (horizontal, vertical, spectrum),
            directions_rad=tuple(zip(h.tolist(), v.tolist(), strict=True)),
            wavelengths_m=tuple(wavelengths.tolist()),
        ),
    )


def listed_sources(request: Request, path: str, axes: Axes, wavelength_m: Tensor) -> Beam:
    """The beam of a source file; divergence and dispersion have no influence (P4.5).

    The file is data: no gradient flows to the wavelength that stands in for a missing one.
    """
    behind = scale(scalar(-SOURCE_DISTANCE_M), axes.beam)
    defaults = (plain(behind[0]), plain(behind[1]), plain(behind[2]), 1.0, plain(wavelength_m))
    listed = source_file.read(path, defaults)
    along = (plain(axes.beam[0]), plain(axes.beam[1]), plain(axes.beam[2]))
    for said in source_advice(listed, along, plain(wavelength_m)):
        warn(f"{path}:{said}")
    rows = torch.tensor([source[: source_file.COLUMNS] for source in listed], dtype=torch.float64)
    return beam(
        request,
        axes,
        wavelength_m,
        positions=(rows[:, 0], rows[:, 1], rows[:, 2]),
        wavelengths=rows[:, 4],
        weights=rows[:, 3],
        divergence=in_summary(source_grids(request), directions_rad=(), wavelengths_m=()),
    )


def in_summary(
    grids: tuple[Grid, Grid, Grid],
    *,
    directions_rad: tuple[tuple[float, float], ...],
    wavelengths_m: tuple[float, ...],
) -> Divergence:
    """What the summary says of horizontal and vertical divergence and dispersion (C6.2)."""
    horizontal, vertical, spectrum = grids
    return Divergence(
        hdiv_range_rad=plain(horizontal.range),
        hdiv_step_rad=plain(horizontal.step),
        vdiv_range_rad=plain(vertical.range),
        vdiv_step_rad=plain(vertical.step),
        dispersion=plain(spectrum.range),
        dispersion_steps=spectrum.count,
        directions_rad=directions_rad,
        wavelengths_m=wavelengths_m,
    )


def beam(
    request: Request,
    axes: Axes,
    wavelength_m: Tensor,
    *,
    positions: Vec3,
    wavelengths: Tensor,
    weights: Tensor,
    divergence: Divergence,
) -> Beam:
    """The beam with its sources; the incident direction points away from the source (P4.7)."""
    return Beam(
        direction=axes.beam,
        polarization_axis=axes.polar,
        wavelength_m=wavelength_m,
        fluence_ph_m2=fluence(request),
        kahn_factor=scalar(request.kahn_factor),
        polarization=request.polarization,
        incident=negate(unit(positions)),
        source_wavelengths_m=wavelengths,
        source_positions_m=positions,
        source_weights=weights,
        divergence=divergence,
    )


def sources(request: Request, axes: Axes, wavelength_m: Tensor) -> Beam:
    """The beam of ``request``: from its source file if it names one, else generated."""
    if request.source_file is not None:
        return listed_sources(request, request.source_file, axes, wavelength_m)
    return generated_sources(request, axes, wavelength_m)
