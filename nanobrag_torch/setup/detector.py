"""Detector: size, convention, placement, region of interest, mask and sensor (P2, P4.1)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from nanobrag_torch.advice import note, warn
from nanobrag_torch.command_line.request import Convention, Number, Pivot, Request
from nanobrag_torch.constants import LARGEST_COUNT, SMALLEST_NORMAL
from nanobrag_torch.errors import InputFileError, UsageError
from nanobrag_torch.formats import smv
from nanobrag_torch.physics.vectors import Vec3, add, cross, dot, norm, scale, subtract, unit
from nanobrag_torch.setup.counts import layer_grid
from nanobrag_torch.setup.experiment import Centres, Detector, Roi, Sensor, maybe, plain, scalar, vector
from nanobrag_torch.setup.rotation import rotaxis, rotxyz

MOST_LAYERS = 10**6
"""Thinner layers than a nanometre of a millimetre sensor are a slip."""
SKEW = 1e-6
"""Cosine between normal and axes from which on a user is told; unit vectors of six decimals stay below."""

Triple = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Axes:
    """The seven vectors of a convention (P2.4), as given or from the table, not yet normalised."""

    beam: Vec3
    fdet: Vec3
    sdet: Vec3
    odet: Vec3
    twotheta: Vec3
    polar: Vec3
    spindle: Vec3


TABLE: dict[Convention, tuple[Triple, ...]] = {
    Convention.ADXV: ((0, 0, 1), (1, 0, 0), (0, -1, 0), (0, 0, 1), (-1, 0, 0), (1, 0, 0), (1, 0, 0)),
    Convention.MOSFLM: ((1, 0, 0), (0, 0, 1), (0, -1, 0), (1, 0, 0), (0, 0, -1), (0, 0, 1), (0, 0, 1)),
    Convention.DENZO: ((1, 0, 0), (0, 0, 1), (0, -1, 0), (1, 0, 0), (0, 0, -1), (0, 0, 1), (0, 0, 1)),
    Convention.XDS: ((0, 0, 1), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 0), (1, 0, 0), (1, 0, 0)),
    Convention.DIALS: ((0, 0, 1), (1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 1, 0), (0, 1, 0), (0, 1, 0)),
    Convention.CUSTOM: ((1, 0, 0), (0, 0, 1), (0, -1, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 1)),
}
"""Beam, fast, slow, normal, two-theta, polarization and spindle vectors (P2.4)."""


def convention_axes(request: Request) -> Axes:
    """The vectors in force: the table's, and under CUSTOM those that the user gave (P2.4).

    Normalised as in P2.5, the two-theta axis with corrected physics only (HD-DET-4).
    A normal whose length is not exactly 1 is replaced by fast x slow (HD-DET-3).
    """
    defaults = TABLE[request.convention]
    given = (
        request.beam_vector,
        request.fdet_vector,
        request.sdet_vector,
        request.odet_vector,
        request.twotheta_axis,
        request.polar_vector,
        request.spindle_axis,
    )
    if request.convention is not Convention.CUSTOM:
        given = (None,) * 7
    beam, fdet, sdet, odet, twotheta, polar, spindle = (
        vector(default if user is None else user) for default, user in zip(defaults, given, strict=True)
    )
    fdet, sdet = unit(fdet), unit(sdet)
    return Axes(
        beam=unit(beam),
        fdet=fdet,
        sdet=sdet,
        odet=normal(odet, fdet, sdet),
        twotheta=unit(twotheta) if request.corrected else twotheta,
        polar=unit(polar),
        spindle=unit(spindle),
    )


def normal(odet: Vec3, fdet: Vec3, sdet: Vec3) -> Vec3:
    """``odet`` if its length is exactly 1, whatever its direction; else fast x slow (P2.5, HD-DET-3)."""
    if norm(odet) != 1.0:
        note("-odet_vector: its length is not exactly 1, the normal is rebuilt as fast x slow")
        return unit(cross(fdet, sdet))
    if max(abs(plain(dot(odet, fdet))), abs(plain(dot(odet, sdet)))) > SKEW:
        x, y, z = map(plain, odet)
        warn(f"-odet_vector: the normal {x:g} {y:g} {z:g} is not perpendicular to the fast and slow axes")
    return odet


def pixel_counts(request: Request, pixel_m: Tensor) -> tuple[int, int, Tensor, Tensor]:
    """Fast and slow pixel counts and the detector's edges in metres (P2.2). Raises: UsageError (C8.9)."""
    fast_m, slow_m = scalar(request.detector_fast_m), scalar(request.detector_slow_m)
    if request.fast_pixels is not None:
        fast_m = pixel_m * request.fast_pixels
    if request.slow_pixels is not None:
        slow_m = pixel_m * request.slow_pixels
    ratios = plain(fast_m / pixel_m - 0.5), plain(slow_m / pixel_m - 0.5)
    usable = min(ratios) > 0 and max(ratios) <= LARGEST_COUNT
    fast, slow = (math.ceil(ratio) for ratio in ratios) if usable else (0, 0)
    if not 1 <= fast * slow <= LARGEST_COUNT:
        raise UsageError(
            f"-detpixels/-detsize/-pixel: {ratios[0] + 0.5:g} x {ratios[1] + 0.5:g} pixels (fast x slow), "
            f"expected at least 1 x 1 and at most {LARGEST_COUNT} in all"
        )
    return fast, slow, fast_m, slow_m


def region_of_interest(request: Request, fast: int, slow: int) -> Roi:
    """Limits with negative ones replaced (P2.3), checked as C4.18 requires."""
    given = request.roi or (-1, -1, -1, -1)
    xmin, xmax, ymin, ymax = (d if g < 0 else g for g, d in zip(given, (0, fast, 0, slow), strict=True))
    if xmin > xmax or ymin > ymax or xmin >= fast or ymin >= slow:
        raise UsageError(
            f"-roi {xmin} {xmax} {ymin} {ymax}: expected xmin <= xmax and ymin <= ymax, "
            f"xmin below {fast} and ymin below {slow}, the size of the detector"
        )
    return Roi(xmin=xmin, xmax=xmax, ymin=ymin, ymax=ymax)


def pixel_mask(request: Request, fast: int, slow: int) -> Tensor | None:
    """Bool tensor (slow, fast), false where the mask file holds 0 (C4.19), or None."""
    if request.mask_file is None:
        return None
    image = smv.read_pixels(request.mask_file)
    if image.shape != (slow, fast):
        raise InputFileError(
            f"{request.mask_file}: mask of {image.shape[1]} x {image.shape[0]} pixels, "
            f"expected {fast} x {slow} (fast x slow) as the detector"
        )
    return torch.from_numpy(image != 0)


def sensor_layers(request: Request) -> Sensor:
    """Layers of the sensor and its attenuation (P4.1, C4.9)."""
    thickness = scalar(request.sensor_thick_m)
    mu = maybe(request.sensor_mu_inv_m)
    layers = layer_grid(request.sensor_layers, thickness, request.corrected)
    if layers.count > MOST_LAYERS:
        raise UsageError(f"-detector_thicksteps: {layers.count} layers, expected at most {MOST_LAYERS}")
    if mu is None:
        mu = scalar(-1.0)
        if thickness > 0:
            mu = 1.0 / thickness
            note(f"-detector_thick without -detector_abs: mu is 1/thickness, {plain(mu):g} 1/m")
    return Sensor(
        layers=layers.count,
        thickness_m=layers.range,
        spacing_m=layers.step,
        mu_inv_m=mu,
        thick=bool(layers.range > 0),
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Points:
    """Direct-beam and near-point coordinates before the placement (P2.3, P2.4), metres."""

    xbeam: Tensor
    ybeam: Tensor
    xclose: Tensor
    yclose: Tensor
    fbeam: Tensor
    sbeam: Tensor
    fclose: Tensor
    sclose: Tensor


def optional(value: Number | None, default: Tensor) -> Tensor:
    """``value`` as a tensor, or ``default`` where the user gave none."""
    return default if value is None else scalar(value)


def beam_points(request: Request, pixel_m: Tensor, fast_m: Tensor, slow_m: Tensor) -> Points:
    """Where beam and near point hit the detector under the convention in force (P2.3, P2.4)."""
    orgx, orgy = request.ORGX_pixels, request.ORGY_pixels
    fclose = fast_m / 2.0 if orgx is None else (scalar(orgx) - 0.5) * pixel_m
    sclose = slow_m / 2.0 if orgy is None else (scalar(orgy) - 0.5) * pixel_m
    xclose, yclose = optional(request.Xclose_m, fclose), optional(request.Yclose_m, sclose)
    match request.convention:
        case Convention.ADXV:
            xbeam = optional(request.Xbeam_m, (fast_m + pixel_m) / 2.0)
            ybeam = optional(request.Ybeam_m, (slow_m - pixel_m) / 2.0)
            fbeam, sbeam = xbeam, slow_m - ybeam
        case Convention.MOSFLM | Convention.DENZO:
            xbeam = optional(request.Xbeam_m, (slow_m + pixel_m) / 2.0)
            ybeam = optional(request.Ybeam_m, (fast_m + pixel_m) / 2.0)
            fbeam, sbeam = ybeam, xbeam
            if request.convention is Convention.MOSFLM:
                fbeam, sbeam = fbeam + 0.5 * pixel_m, sbeam + 0.5 * pixel_m
        case _:
            xbeam, ybeam = optional(request.Xbeam_m, xclose), optional(request.Ybeam_m, yclose)
            fbeam, sbeam = xbeam, ybeam
    if request.convention is Convention.CUSTOM:
        fclose, sclose = xbeam, ybeam
    return Points(
        xbeam=xbeam,
        ybeam=ybeam,
        xclose=xclose,
        yclose=yclose,
        fbeam=fbeam,
        sbeam=sbeam,
        fclose=fclose,
        sclose=sclose,
    )


def not_zero(ratio: Tensor) -> Tensor:
    """``ratio``, or the smallest normal number in place of exactly 0 (P2.6)."""
    return scalar(SMALLEST_NORMAL) if ratio == 0 else ratio


def corner(f: Tensor, s: Tensor, axes: tuple[Vec3, Vec3], along: Vec3) -> Vec3:
    """Outer corner of the first pixel: ``-f*fdet - s*sdet + along`` (P2.7)."""
    return add(subtract(scale(-f, axes[0]), scale(s, axes[1])), along)


def warn_of_unused_pix0(request: Request, pix0_m: Vec3) -> None:
    """The origin is computed; a user whose own is more than a pixel away is told (C8.5, HD-DET-5)."""
    given = request.pix0_vector_m
    if given is not None and plain(norm(subtract(vector(given), pix0_m))) > plain(request.pixel_m):
        computed, asked = (" ".join(f"{plain(x) * 1000.0:g}" for x in origin) for origin in (pix0_m, given))
        warn(f"-pix0_vector: {asked} mm is not used, the detector origin is {computed} mm")


def refuse_skew_curvature(request: Request, beam: Vec3) -> None:
    """A curved detector has a meaning for a beam along x only (HD-DET-6). Raises: UsageError."""
    x, y, z = (plain(component) for component in beam)
    if request.corrected and request.curved_detector and not (y == z == 0 and x > 0):
        raise UsageError(
            f"-curved_det: the beam is {x:g} {y:g} {z:g}, expected it along x with -physics corrected"
        )


def place(request: Request, axes: Axes) -> Detector:
    """The detector of ``request`` in the laboratory (P2.2 to P2.8).

    The distance along the beam ignores the swing, unless the physics is corrected (HD-DET-1).
    Raises: UsageError, InputFileError for the mask.
    """
    refuse_skew_curvature(request, axes.beam)
    pixel_m = scalar(request.pixel_m)
    fast, slow, fast_m, slow_m = pixel_counts(request, pixel_m)
    points = beam_points(request, pixel_m, fast_m, slow_m)
    pivot = request.pivot_in_force
    turns = vector((request.detector_rotx_rad, request.detector_roty_rad, request.detector_rotz_rad))
    twotheta = scalar(request.twotheta_rad)

    def turned(v: Vec3) -> Vec3:
        return rotaxis(rotxyz(v, turns), axes.twotheta, twotheta)

    ratio = not_zero(dot(axes.beam, rotxyz(axes.odet, turns)))
    close = torch.abs(ratio * scalar(request.distance_m))
    if request.close_distance_m is not None:
        close = scalar(request.close_distance_m)
    distance = close / ratio

    fdet, sdet, odet = turned(axes.fdet), turned(axes.sdet), turned(axes.odet)
    if pivot is Pivot.SAMPLE:
        unturned = corner(points.fclose, points.sclose, (axes.fdet, axes.sdet), scale(close, axes.odet))
        pix0 = turned(unturned)
    else:
        pix0 = corner(points.fbeam, points.sbeam, (fdet, sdet), scale(distance, axes.beam))

    warn_of_unused_pix0(request, pix0)
    close = dot(pix0, odet)
    if request.corrected:
        ratio = not_zero(dot(axes.beam, odet))
    near = subtract(scale(close / ratio, axes.beam), pix0)
    return Detector(
        fast_pixels=fast,
        slow_pixels=slow,
        fast_m=fast_m,
        slow_m=slow_m,
        pixel_m=pixel_m,
        fdet=fdet,
        sdet=sdet,
        odet=odet,
        pix0_m=pix0,
        close_distance_m=close,
        distance_m=close / ratio,
        centres=Centres(
            xbeam_m=points.xbeam,
            ybeam_m=points.ybeam,
            xclose_m=points.xclose,
            yclose_m=points.yclose,
            fbeam_m=dot(fdet, near),
            sbeam_m=dot(sdet, near),
            fclose_m=-dot(pix0, fdet),
            sclose_m=-dot(pix0, sdet),
        ),
        convention=request.convention,
        pivot=pivot,
        twotheta_rad=twotheta,
        curved=request.curved_detector,
        point_pixel=request.point_pixel,
        sensor=sensor_layers(request),
        roi=region_of_interest(request, fast, slow),
        mask=pixel_mask(request, fast, slow),
    )
