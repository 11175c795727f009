"""Crystal: cell, orientation matrix, misset, size, structure factors (P3)."""

from __future__ import annotations

import math
import time
from typing import NamedTuple

import torch
from torch import Tensor

from nanobrag_torch.advice import warn
from nanobrag_torch.command_line.request import Request
from nanobrag_torch.constants import DEGREES_PER_RADIAN, LARGEST_COUNT, SMALLEST_NORMAL
from nanobrag_torch.errors import UsageError
from nanobrag_torch.formats import matrix
from nanobrag_torch.physics.roots import sqrt
from nanobrag_torch.physics.vectors import Vec3, cross, dot, norm, rescale, scale
from nanobrag_torch.random_numbers import rotation as random_rotation
from nanobrag_torch.random_numbers.uniform import Stream
from nanobrag_torch.setup import libm
from nanobrag_torch.setup.experiment import Crystal, plain, scalar, vector
from nanobrag_torch.setup.known_defects import warn_of_oblique_angles
from nanobrag_torch.setup.matrix_advice import advise_on_matrix
from nanobrag_torch.setup.rotation import rotxyz
from nanobrag_torch.setup.structure_factors import factor_file, structure_factors
from nanobrag_torch.setup.unit_cell import compare, constants, given_constants, with_cell

RANDOM_MISSET_CAP = 90.0
"""Radians: the historical program means degrees and converts nothing (HD-MIS-1)."""

Basis = tuple[Vec3, Vec3, Vec3]


class Cell(NamedTuple):
    """Direct cell as given on the command line, defaults filled in; edges in Angstrom (P3.1)."""

    a: Tensor
    b: Tensor
    c: Tensor
    volume: Tensor


def positive_or(value: Tensor, default: Tensor) -> Tensor:
    """``value`` if it is above 0, else ``default``."""
    return value if value > 0 else default


def clamped_cosine(value: Tensor) -> Tensor:
    """A cosine; 1 where it is out of range on either side (P3.1 step 5, HD-XTL-3)."""
    return torch.where(value * value > 1.0, torch.ones_like(value), value)


def reciprocal_from_cell(values: tuple[Tensor, ...]) -> tuple[Basis, Cell]:
    """A*, B*, C* of a cell in the default orientation, 1/Angstrom, and the cell (P3.1).

    ``values`` are a, b, c in Angstrom and three angles in rad, 0 where not given.
    """
    a = values[0]
    b, c = positive_or(values[1], a), positive_or(values[2], a)
    right = scalar(math.pi / 2)
    al, be, ga = (positive_or(angle, right) for angle in values[3:])
    e = (al + be + ga) / 2
    w = torch.abs(libm.sin(e) * libm.sin(e - al) * libm.sin(e - be) * libm.sin(e - ga))
    volume = 2.0 * a * b * c * sqrt(w)
    if volume <= 0:
        volume = scalar(SMALLEST_NORMAL)
    inverse = 1.0 / volume
    La = b * c * libm.sin(al) * inverse
    Lb = c * a * libm.sin(be) * inverse
    Lc = a * b * libm.sin(ga) * inverse
    if La <= 0 or Lb <= 0 or Lc <= 0:
        La, Lb, Lc = (positive_or(torch.abs(x), scalar(SMALLEST_NORMAL)) for x in (La, Lb, Lc))
    sg = torch.clamp(c * inverse / La / Lb, -1.0, 1.0)
    cos_al, cos_be, cos_ga = libm.cos(al), libm.cos(be), libm.cos(ga)
    sin_al, sin_be, sin_ga = libm.sin(al), libm.sin(be), libm.sin(ga)
    ca = clamped_cosine((cos_be * cos_ga - cos_al) / (sin_be * sin_ga))
    cb = clamped_cosine((cos_ga * cos_al - cos_be) / (sin_ga * sin_al))
    cg = clamped_cosine((cos_al * cos_be - cos_ga) / (sin_al * sin_be))
    zero = scalar(0.0)
    basis = (
        (La, zero, zero),
        (Lb * cg, Lb * sg, zero),
        (Lc * cb, Lc * (ca - cb * cg) / sg, Lc * volume / (a * b * c * sg)),
    )
    return basis, Cell(a, b, c, volume)


def reciprocal_from_matrix(numbers: tuple[float, ...], wavelength_m: Tensor) -> Basis:
    """A*, B*, C* in 1/Angstrom of the nine numbers of a matrix file (P3.2, F4)."""
    # two tensors: torch divides a bare number by a tensor by way of the reciprocal, which rounds twice
    factor = scalar(1e-10) / wavelength_m
    columns = (vector((numbers[i], numbers[i + 3], numbers[i + 6])) for i in range(3))
    a_star, b_star, c_star = (scale(factor, column) for column in columns)
    return a_star, b_star, c_star


def misset_angles(request: Request) -> tuple[Vec3 | None, tuple[float, float, float] | None]:
    """Misset angles in rad, and in degrees if they were drawn at random (P3.3, R7, R8)."""
    if request.misset_random:
        seed = request.misset_seed if request.misset_seed is not None else -int(time.time())
        drawn = random_rotation.angles(random_rotation.cap(RANDOM_MISSET_CAP, Stream(seed)))
        degrees = (
            drawn[0] * DEGREES_PER_RADIAN,
            drawn[1] * DEGREES_PER_RADIAN,
            drawn[2] * DEGREES_PER_RADIAN,
        )
        return vector(drawn), degrees
    return (None if request.misset_rad is None else vector(request.misset_rad)), None


def direct_and_reciprocal(reciprocal: Basis, cell: Cell | None) -> tuple[Basis, Basis, Tensor]:
    """Direct vectors, reciprocal vectors derived back from them, and volume (P3.4, P3.5).

    Angstrom, 1/Angstrom and cubic Angstrom. With a user ``cell`` the directions
    are those of ``reciprocal`` and the lengths and volume those of the cell.
    """
    a_star, b_star, c_star = reciprocal
    products = (cross(b_star, c_star), cross(c_star, a_star), cross(a_star, b_star))
    inverse = dot(a_star, products[0])
    if cell is not None:
        edges = (cell.a, cell.b, cell.c)
        x1, x2, x3 = (rescale(v, edge / cell.volume) for v, edge in zip(products, edges, strict=True))
        products = (x1, x2, x3)
        inverse = 1.0 / cell.volume
    volume = 1.0 / inverse
    a, b, c = (scale(volume, v) for v in products)
    return (
        (a, b, c),
        (scale(inverse, cross(b, c)), scale(inverse, cross(c, a)), scale(inverse, cross(a, b))),
        volume,
    )


def clipped_sample(request: Request) -> tuple[float, float, float]:
    """Sample size in metres; y and z are cut to the beam, x never is (P1.5)."""
    beam_m = plain(request.beam_size_m)

    def clipped(axis: str, size_m: float) -> float:
        if size_m <= beam_m:
            return size_m
        warn(
            f"-samplesize: the crystal along {axis} is cut from {size_m * 1000.0:g} to the beam size of"
            f" {beam_m * 1000.0:g} mm"
        )
        return beam_m

    return request.sample_x_m, clipped("b", request.sample_y_m), clipped("c", request.sample_z_m)


def cell_counts(request: Request, lengths_m: tuple[Tensor, Tensor, Tensor]) -> Vec3:
    """Unit cells along a, b, c as float64, from counts or sample size (P3.7). Raises: UsageError."""

    def count(given: int, size_m: float, length_m: Tensor) -> Tensor:
        if size_m <= 0:
            return scalar(float(max(given, 1)))
        ratio = plain(scalar(size_m) / length_m)
        if not ratio <= LARGEST_COUNT:
            raise UsageError(
                f"-sample_x/-sample_y/-sample_z: {ratio:g} cells of {plain(length_m):g} m in a crystal of "
                f"{size_m:g} m, expected at most {LARGEST_COUNT}"
            )
        return scalar(float(max(math.ceil(ratio), 1)))

    x_m, y_m, z_m = clipped_sample(request)
    return (
        count(request.Na, x_m, lengths_m[0]),
        count(request.Nb, y_m, lengths_m[1]),
        count(request.Nc, z_m, lengths_m[2]),
    )


def oriented_cell(request: Request, wavelength_m: Tensor) -> tuple[Basis, Cell | None]:
    """A*, B*, C* before the misset in 1/Angstrom, and the cell if ``-cell`` was used (P3.1, P3.2).

    The matrix file decides where there are both.
    """
    cell = None
    if request.cell is not None:
        reciprocal, cell = reciprocal_from_cell(tuple(scalar(x) for x in request.cell))
    if request.matrix_file is not None:
        file = matrix.read(request.matrix_file)
        advise_on_matrix(request.matrix_file, file, request, plain(wavelength_m))
        reciprocal = reciprocal_from_matrix(file.numbers, wavelength_m)
    return reciprocal, cell


def crystal(request: Request, wavelength_m: Tensor) -> Crystal:
    """The crystal of ``request`` (P3), structure factors included."""
    file = factor_file(request)
    asked, request = request, with_cell(request, file)
    reciprocal, cell = oriented_cell(request, wavelength_m)
    angles, misset_deg = misset_angles(request)
    if angles is not None:
        a_star, b_star, c_star = (rotxyz(v, angles) for v in reciprocal)
        reciprocal = (a_star, b_star, c_star)
    direct, reciprocal, volume = direct_and_reciprocal(reciprocal, cell)
    in_force = constants(direct)
    compare(asked, file, in_force)
    given = given_constants(request)
    if given is not None and request.matrix_file is None:
        cell_name = "-cell" if asked.cell is not None or file is None else file.path
        warn_of_oblique_angles(cell_name, given[3:], in_force)
    a_m, b_m, c_m = (scale(scalar(1e-10), v) for v in direct)
    Na, Nb, Nc = cell_counts(request, (norm(a_m), norm(b_m), norm(c_m)))
    return Crystal(
        a_m=a_m,
        b_m=b_m,
        c_m=c_m,
        a_star_inv_A=reciprocal[0],
        b_star_inv_A=reciprocal[1],
        c_star_inv_A=reciprocal[2],
        a_A=direct[0],
        b_A=direct[1],
        c_A=direct[2],
        volume_A3=volume,
        Na=Na,
        Nb=Nb,
        Nc=Nc,
        shape=request.shape,
        fudge=scalar(request.fudge),
        misset_deg=misset_deg,
        structure_factors=structure_factors(request, file, in_force),
    )
