"""Where a sub-pixel is and how large it looks (P6.4, P6.5)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from nanobrag_torch.physics.rotation import about_axis
from nanobrag_torch.physics.vectors import Vec3, add, scale


def plane_coordinate(index: Tensor, subpixel_m: Tensor) -> Tensor:
    """Distance in metres of the middle of sub-pixel ``index`` from the detector's edge (P6.4).

    ``index`` counts sub-pixels, not pixels; float64 whole numbers of any shape.
    """
    return subpixel_m * index + subpixel_m / 2.0


def flat_position(
    fast_m: Tensor, slow_m: Tensor, depth_m: Tensor, axes: tuple[Vec3, Vec3, Vec3], pix0_m: Vec3
) -> Vec3:
    """Laboratory position in metres of a point of the detector plane (P6.4 step 2).

    ``axes`` are the fast, slow and outward unit vectors; the origin is added last.
    """
    fdet, sdet, odet = axes
    in_plane = add(scale(fast_m, fdet), scale(slow_m, sdet))
    return add(add(in_plane, scale(depth_m, odet)), pix0_m)


def curved_position(
    flat_m: Vec3,
    axes: tuple[Vec3, Vec3],
    beam: Vec3,
    distance_m: Tensor,
    functions: tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]],
) -> Vec3:
    """Position on a sphere of radius ``distance_m`` about the sample (P6.4 step 3).

    The laboratory y and z of the flat position act as angles about the slow and
    the fast axis (HD-DET-6, HD-DET-7). ``axes`` are the fast and the slow unit vector,
    ``functions`` cosine and sine; their last bits reach the image (P9.2).
    """
    fdet, sdet = axes
    cos, sin = functions
    y, z = flat_m[1] / distance_m, flat_m[2] / distance_m
    swung = about_axis(scale(distance_m, beam), sdet, cos(y), sin(y))
    return about_axis(swung, fdet, cos(z), sin(z))


def solid_angle_sr(airpath_m: Tensor, pixel_m: Tensor, close_distance_m: Tensor) -> Tensor:
    """Solid angle of a pixel with obliquity, steradian, shape of ``airpath_m`` (P6.5)."""
    return pixel_m * pixel_m / airpath_m / airpath_m * close_distance_m / airpath_m


def point_solid_angle_sr(airpath_m: Tensor) -> Tensor:
    """Solid angle of a point pixel: inverse square of the distance alone (P6.5)."""
    return 1.0 / airpath_m / airpath_m
