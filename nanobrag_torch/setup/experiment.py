"""The experiment, resolved: one frozen object per physical thing.

Every continuous quantity is a float64 tensor, so that gradients can flow to the
image from each that the pixel loop reads, and to these from the numbers of a
``Request`` that are tensors; counts and switches are plain Python.
Results stand beside what they were derived from, orientations beside the cell,
sources beside the wavelength: changing the latter alone changes no image. The unit
is the last word of a name. Vectors are component tuples in the laboratory frame.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import torch
from torch import Tensor

from nanobrag_torch.command_line.request import Convention, CrystalShape, Number, Pivot, Vector
from nanobrag_torch.physics.vectors import Vec3


def scalar(value: Number) -> Tensor:
    """``value`` as a float64 tensor without dimensions; one that is a tensor keeps its gradient.

    Raises: ValueError for a tensor with dimensions.
    """
    if isinstance(value, Tensor):
        if value.ndim:
            raise ValueError(
                f"expected a number or a tensor without dimensions, got shape {tuple(value.shape)}"
            )
        return value.double()
    return torch.tensor(value, dtype=torch.float64)


def plain(value: Number) -> float:
    """``value`` as a Python number, for what is decided or reported: without its gradient."""
    return float(value.detach() if isinstance(value, Tensor) else value)


def maybe(value: Number | None) -> Tensor | None:
    """``value`` as a tensor, None where nothing was given."""
    return None if value is None else scalar(value)


def vector(values: Vector) -> Vec3:
    """Three numbers as a component tuple."""
    return scalar(values[0]), scalar(values[1]), scalar(values[2])


def moved(value: Any, device: torch.device) -> Any:
    """``value`` with every tensor in it on ``device``; tuples and parts are walked."""
    if isinstance(value, Tensor | Part):
        return value.to(device)
    if isinstance(value, tuple):
        return tuple(moved(item, device) for item in value)
    return value


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Part:
    """Base of the objects below; all it knows is how to change the device."""

    def to(self, device: torch.device) -> Self:
        """The same object with all tensors on ``device``."""
        return replace(self, **{f.name: moved(getattr(self, f.name), device) for f in fields(self)})


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Roi:
    """Region of interest: inclusive limits as given, in pixels (C4.18)."""

    xmin: int
    xmax: int
    ymin: int
    ymax: int

    @property
    def pixels(self) -> int:
        """Pixels within the limits, on the image or not."""
        return (self.xmax - self.xmin + 1) * (self.ymax - self.ymin + 1)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns of an image within the limits."""
        return slice(self.ymin, self.ymax + 1), slice(self.xmin, self.xmax + 1)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sensor(Part):
    """Sensor layers (P4.1, P6.6); thickness 0 means a perfect absorber."""

    layers: int
    thickness_m: Tensor
    spacing_m: Tensor
    mu_inv_m: Tensor
    thick: bool
    """Whether the thickness is above 0, so that a capture fraction is computed."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Centres(Part):
    """Beam and near-point coordinates that only headers and the summary show (P2.9)."""

    xbeam_m: Tensor
    ybeam_m: Tensor
    xclose_m: Tensor
    yclose_m: Tensor
    fbeam_m: Tensor
    sbeam_m: Tensor
    fclose_m: Tensor
    sclose_m: Tensor


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Detector(Part):
    """Placed detector (P2). Axes are unit vectors after all rotations.

    ``mask`` is bool of shape (slow, fast), false where a pixel is skipped.
    """

    fast_pixels: int
    slow_pixels: int
    fast_m: Tensor
    slow_m: Tensor
    pixel_m: Tensor
    fdet: Vec3
    sdet: Vec3
    odet: Vec3
    pix0_m: Vec3
    close_distance_m: Tensor
    distance_m: Tensor
    centres: Centres
    convention: Convention
    pivot: Pivot
    twotheta_rad: Tensor
    curved: bool
    point_pixel: bool
    sensor: Sensor
    roi: Roi
    mask: Tensor | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Divergence:
    """Resolved divergence and dispersion, for the summary (P4.1), in force or not.

    ``directions_rad`` holds the (horizontal, vertical) pairs that survived the
    trimming, ``wavelengths_m`` the wavelengths; both empty with a source file.
    """

    hdiv_range_rad: float
    hdiv_step_rad: float
    vdiv_range_rad: float
    vdiv_step_rad: float
    dispersion: float
    dispersion_steps: int
    directions_rad: tuple[tuple[float, float], ...]
    wavelengths_m: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Beam(Part):
    """Incident beam (P1.4, P4.5 to P4.7); source tensors have shape (sources,).

    ``incident`` are unit vectors along the beam, ``source_positions_m`` the
    positions as read or generated, which only the report shows.
    """

    direction: Vec3
    polarization_axis: Vec3
    wavelength_m: Tensor
    fluence_ph_m2: Tensor
    kahn_factor: Tensor
    polarization: bool
    incident: Vec3
    source_wavelengths_m: Tensor
    source_positions_m: Vec3
    source_weights: Tensor
    divergence: Divergence

    @property
    def sources(self) -> int:
        """Number of sources."""
        return int(self.source_wavelengths_m.shape[0])


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class StructureFactors(Part):
    """Table of P3.10, amplitudes in electrons, float64 of shape (h, k, l).

    ``table[h - lowest[0], k - lowest[1], l - lowest[2]]`` is F(hkl); outside the
    table every amplitude is ``default_F``. ``reflections`` counts the records
    read from a list, or the box volume of a cache (F3.3).
    """

    table: Tensor
    lowest: tuple[int, int, int]
    default_F: Tensor
    reflections: int
    interpolate: bool


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Crystal(Part):
    """Crystal at phi = 0 without mosaic tilt (P3).

    Direct vectors in metres, reciprocal ones in 1/Angstrom (P3.5, used by GAUSS
    and TOPHAT). ``misset_deg`` is only set for a random orientation (C6.1).
    """

    a_m: Vec3
    b_m: Vec3
    c_m: Vec3
    a_star_inv_A: Vec3
    b_star_inv_A: Vec3
    c_star_inv_A: Vec3
    a_A: Vec3
    b_A: Vec3
    c_A: Vec3
    volume_A3: Tensor
    Na: Tensor
    Nb: Tensor
    Nc: Tensor
    shape: CrystalShape
    fudge: Tensor
    misset_deg: tuple[float, float, float] | None
    structure_factors: StructureFactors


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Orientations(Part):
    """Direct cell vectors of every spindle step and mosaic domain, in metres (P6.8).

    Components have shape (phi steps * domains,), the domain running fastest.
    """

    spindle_axis: Vec3
    phi_start_rad: Tensor
    osc_rad: Tensor
    phi_step_rad: Tensor
    phi_rad: Tensor
    mosaic_spread_rad: Tensor
    mosaic_domains: int
    a_m: Vec3
    b_m: Vec3
    c_m: Vec3

    @property
    def phi_steps(self) -> int:
        """Number of spindle steps."""
        return int(self.phi_rad.shape[0])


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sampling(Part):
    """Oversampling and what is taken per sub-pixel (P3.8, P4.4), cut and background."""

    oversample: int
    automatic: bool
    """Whether the oversampling was chosen by P3.8."""
    per_subpixel_thick: bool
    per_subpixel_polar: bool
    per_subpixel_omega: bool
    steps: int
    dmin_m: Tensor
    cut: bool
    """Whether a resolution limit was given."""
    background: Tensor
    """Added once per pixel: before scaling (P6.2), or with a scale of its own (P8.4)."""
    water: bool
    """Whether a water path was given."""
    water_m: Tensor


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Experiment(Part):
    """Everything that determines the image.

    ``corrected`` selects the image physics without the historical defects (P8.4).
    """

    corrected: bool
    detector: Detector
    beam: Beam
    crystal: Crystal
    orientations: Orientations
    sampling: Sampling
