"""Beam: fluence and sources, from a file or from divergence and dispersion (P1.4, P4.5 to P4.7)."""

from __future__ import annotations

import torch
from torch import Tensor

from nanobrag_torch.command_line.request import Request
from nanobrag_torch.errors import UsageError
from nanobrag_torch.formats import sources as source_file
from nanobrag_torch.physics.vectors import Vec3, cross, negate, scale, unit
from nanobrag_torch.setup.constants import SOURCE_DISTANCE_M
from nanobrag_torch.setup.counts import Grid, grid
from nanobrag_torch.setup.detector import Axes
from nanobrag_torch.setup.experiment import Beam, Divergence, scalar
from nanobrag_torch.setup.rotation import rotaxis

TRIM = 1.1
"""Directions with four times the trimming value above this are dropped (P4.6)."""


def fluence(request: Request) -> Tensor:
    """Photons per square metre; flux, exposure and beam size win over a given fluence (P1.4)."""
    if request.flux_ph_s != 0 and request.exposure_s > 0 and request.beam_size_m >= 0:
        size = scalar(request.beam_size_m)
        return scalar(request.flux_ph_s) * scalar(request.exposure_s) / size / size
    return scalar(request.fluence_ph_m2)


def maybe(value: float | None) -> Tensor | None:
    """``value`` as a tensor, None where nothing was given."""
    return None if value is None else scalar(value)


def divergence_offsets(horizontal: Grid, vertical: Grid, trim: bool) -> list[tuple[Tensor, Tensor]]:
    """(H, V) in rad of each direction, horizontal outermost, corners dropped if ``trim`` (P4.6)."""

    def centred(axis: Grid, i: int) -> Tensor:
        return axis.step * i - axis.range / 2.0

    def share(x: Tensor, axis: Grid) -> Tensor:
        """0/0 is NaN for an axis without extent, and then nothing is dropped."""
        return (x * x - axis.step * axis.step / 4.0 * (1 - axis.count % 2)) / axis.range / axis.range

    kept = []
    for i in range(horizontal.count):
        for j in range(vertical.count):
            h, v = centred(horizontal, i), centred(vertical, j)
            if not (trim and (share(h, horizontal) + share(v, vertical)) * 4.0 > TRIM):
                kept.append((h, v))
    return kept


def stacked(vectors: list[Vec3]) -> Vec3:
    """Single vectors as one component tuple of shape (n,)."""
    x, y, z = (torch.stack([v[i] for v in vectors]) for i in range(3))
    return x, y, z


def generated_sources(request: Request, axes: Axes, wavelength_m: Tensor) -> Beam:
    """The beam of a divergence grid times a wavelength grid (P4.6)."""
    horizontal = grid(request.hdiv_steps, maybe(request.hdiv_range_rad), maybe(request.hdiv_step_rad), 1.0)
    vertical = grid(request.vdiv_steps, maybe(request.vdiv_range_rad), maybe(request.vdiv_step_rad), 1.0)
    spectrum = grid(request.dispersion_steps, scalar(request.dispersion), None, 1.0)
    offsets = divergence_offsets(horizontal, vertical, request.round_div)
    if not offsets:
        raise UsageError(
            f"-hdivsteps/-vdivsteps/-divsteps: {horizontal.count} x {vertical.count} directions and no source is left "
            "after the corners are dropped; expected more steps, a range, or -square_div"
        )
    behind = scale(scalar(-SOURCE_DISTANCE_M), axes.beam)
    second = unit(cross(axes.beam, axes.polar))
    wavelengths = [
        wavelength_m * (1.0 + spectrum.step * m - spectrum.range / 2.0) for m in range(spectrum.count)
    ]
    directions = [rotaxis(rotaxis(behind, axes.polar, v), second, h) for h, v in offsets]
    count = len(directions) * len(wavelengths)
    return beam(
        request,
        axes,
        wavelength_m,
        positions=stacked([p for p in directions for _ in wavelengths]),
        wavelengths=torch.stack([w for _ in directions for w in wavelengths]),
        weights=torch.full((count,), 1.0 / count, dtype=torch.float64),
        divergence=Divergence(
            hdiv_range_rad=float(horizontal.range),
            hdiv_step_rad=float(horizontal.step),
            vdiv_range_rad=float(vertical.range),
            vdiv_step_rad=float(vertical.step),
            dispersion=float(spectrum.range),
            dispersion_steps=spectrum.count,
            directions_rad=tuple((float(h), float(v)) for h, v in offsets),
            wavelengths_m=tuple(float(w) for w in wavelengths),
        ),
    )


def listed_sources(request: Request, path: str, axes: Axes, wavelength_m: Tensor) -> Beam:
    """The beam of a source file; divergence and dispersion have no influence (P4.5)."""
    behind = scale(scalar(-SOURCE_DISTANCE_M), axes.beam)
    defaults = (float(behind[0]), float(behind[1]), float(behind[2]), 1.0, float(wavelength_m))
    rows = torch.tensor(source_file.read(path, defaults), dtype=torch.float64)
    return beam(
        request,
        axes,
        wavelength_m,
        positions=(rows[:, 0], rows[:, 1], rows[:, 2]),
        wavelengths=rows[:, 4],
        weights=rows[:, 3],
        divergence=Divergence(
            hdiv_range_rad=0.0,
            hdiv_step_rad=0.0,
            vdiv_range_rad=0.0,
            vdiv_step_rad=0.0,
            dispersion=request.dispersion,
            dispersion_steps=1,
            directions_rad=(),
            wavelengths_m=(),
        ),
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
