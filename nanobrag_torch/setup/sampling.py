"""Oversampling, number of terms, resolution cut and background (P3.8, P4.4, P6.2)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nanobrag_torch.advice import warn
from nanobrag_torch.command_line.request import Request
from nanobrag_torch.constants import AVOGADRO, LARGEST_COUNT, THOMSON_M2, WATER_ELECTRONS
from nanobrag_torch.errors import UsageError
from nanobrag_torch.physics.vectors import norm
from nanobrag_torch.setup.experiment import Beam, Crystal, Detector, Orientations, Sampling, plain, scalar


def recommended_oversample(detector: Detector, crystal: Crystal, wavelength_m: Tensor) -> int:
    """Sub-pixels per edge that resolve the largest crystal edge, at least 1 (P3.8)."""
    edges = (norm(crystal.a_m) * crystal.Na, norm(crystal.b_m) * crystal.Nb, norm(crystal.c_m) * crystal.Nc)
    largest = torch.stack(edges).max()
    reciprocal_pixel_m = wavelength_m * detector.distance_m / detector.pixel_m
    ratio = plain(3.0 * largest / reciprocal_pixel_m)
    # a ratio that does not fit 32 bits, infinity and NaN among them, ends as 1
    if not -LARGEST_COUNT <= ratio <= LARGEST_COUNT:
        return 1
    return max(1, math.ceil(ratio))


def background(fluence: Tensor, water_m: Tensor, corrected: bool) -> Tensor:
    """Constant background in the units of the intensity sum (P6.2, P8.4).

    Holds the scale of the image, which is applied once more, unless ``corrected`` (HD-BKG-1).
    """
    amplitude = scalar(WATER_ELECTRONS * WATER_ELECTRONS)
    if not corrected:
        amplitude = amplitude * THOMSON_M2 * fluence
    return amplitude * water_m * water_m * water_m * 1e6 * AVOGADRO / 18.0


def sampling(
    request: Request, detector: Detector, beam: Beam, crystal: Crystal, orientations: Orientations
) -> Sampling:
    """Sampling of ``request`` for the resolved detector, beam and crystal."""
    recommended = recommended_oversample(detector, crystal, beam.wavelength_m)
    given = request.oversample or 0
    automatic = given <= 0
    oversample = recommended if automatic else given
    if oversample < recommended:
        warn(
            f"-oversample {oversample}: intensity may vary a lot across a pixel, "
            f"-oversample {recommended} is recommended"
        )
    steps = beam.sources * orientations.mosaic_domains * orientations.phi_steps * oversample * oversample
    if steps > LARGEST_COUNT:
        raise UsageError(
            f"-oversample/-phisteps/-mosaic_domains/-divsteps/-dispsteps: {steps} terms per pixel "
            f"(sources x domains x phi steps x oversample squared), expected at most {LARGEST_COUNT}"
        )
    water = scalar(request.water_m)
    return Sampling(
        oversample=oversample,
        automatic=automatic,
        per_subpixel_thick=request.oversample_thick,
        per_subpixel_polar=request.oversample_polar,
        per_subpixel_omega=request.oversample_omega,
        steps=steps,
        dmin_m=scalar(request.dmin_m),
        cut=request.dmin_m > 0,
        background=background(beam.fluence_ph_m2, water, request.corrected),
        water=bool(water != 0),
        water_m=water,
    )
