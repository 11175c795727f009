"""The experiment on its device, with what the pixel loop would otherwise derive again and again."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from nanobrag_torch.constants import THOMSON_M2
from nanobrag_torch.physics import structure_factor
from nanobrag_torch.physics.structure_factor import Lookup
from nanobrag_torch.physics.vectors import Vec3, unit
from nanobrag_torch.setup.experiment import Experiment, Orientations

LARGEST_F = 1e18
"""Squares of larger amplitudes, overshooting in an interpolation, may not fit float32."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scene:
    """What the pixel loop reads and never changes; tensors on the device of the render.

    ``dtype`` is that of what follows the Miller index. ``amplitudes`` are F in float64,
    for interpolation, ``intensities`` F*F in ``dtype``, ``huge`` says whether F*F may be
    infinite. ``cells_m`` are the vectors a, b, c of every orientation, each component of
    shape (3, 1, orientations, 1), ``counts`` the cells along them, shape (3, 1, 1, 1), ready for
    (3, rays, orientations, pixels); ``rows`` are the axes of more than one cell.
    ``polar_may_vanish`` says whether a polarization factor can be 0 after it was computed,
    ``scale`` is re2 times the fluence (P6.11).
    """

    experiment: Experiment
    dtype: torch.dtype
    amplitudes: Lookup
    intensities: Lookup
    huge: bool
    subpixel_m: Tensor
    polarization_axis: Vec3
    polarized: bool
    polar_may_vanish: bool
    cells_m: Vec3
    counts: Tensor
    rows: tuple[int, ...]
    scale: Tensor
    steps: Tensor

    @property
    def device(self) -> torch.device:
        """Where the render takes place."""
        return self.steps.device

    @property
    def orientations(self) -> int:
        """Spindle steps times mosaic domains."""
        return int(self.cells_m[0].shape[-2])

    @property
    def evaluations(self) -> int:
        """Evaluations per pixel, sensor layers included (P6.1)."""
        layers, oversample = self.experiment.detector.sensor.layers, self.experiment.sampling.oversample
        return layers * oversample**2 * self.experiment.beam.sources * self.orientations


def build(experiment: Experiment, device: torch.device, dtype: torch.dtype) -> Scene:
    """Move ``experiment`` to ``device`` and settle what does not depend on the pixel."""
    kahn = float(experiment.beam.kahn_factor.detach())
    crystal = experiment.crystal
    table = crystal.structure_factors
    amplitudes = structure_factor.lookup(table.table, table.lowest, table.default_F)
    squares = amplitudes.values * amplitudes.values
    on = experiment.to(device)
    return Scene(
        experiment=on,
        dtype=dtype,
        amplitudes=replace(amplitudes, values=amplitudes.values.to(device)),
        intensities=replace(amplitudes, values=squares.to(device=device, dtype=dtype)),
        huge=bool(amplitudes.values.detach().abs().max() > LARGEST_F),
        subpixel_m=on.detector.pixel_m / on_device(float(on.sampling.oversample), device),
        # normalised once more than P2.5 did, as every use of it does (P7)
        polarization_axis=unit(on.beam.polarization_axis),
        polarized=kahn != 0,
        polar_may_vanish=on.sampling.cut or abs(kahn) >= 1,
        cells_m=stacked_cells(on.orientations),
        counts=torch.stack([on.crystal.Na, on.crystal.Nb, on.crystal.Nc]).reshape(3, 1, 1, 1),
        rows=tuple(axis for axis, n in enumerate((crystal.Na, crystal.Nb, crystal.Nc)) if n > 1),
        scale=THOMSON_M2 * on.beam.fluence_ph_m2,
        steps=on_device(float(on.sampling.steps), device),
    )


def stacked_cells(orientations: Orientations) -> Vec3:
    """Cell vectors of every orientation, the axes a, b, c first, in the shape of ``Scene.cells_m``."""
    vectors = (orientations.a_m, orientations.b_m, orientations.c_m)
    x, y, z = (torch.stack([vector[i] for vector in vectors])[:, None, :, None] for i in range(3))
    return x, y, z


def on_device(value: float, device: torch.device) -> Tensor:
    """A float64 number as a tensor; a division by a bare number would be a product on a GPU (P9.2)."""
    return torch.tensor(value, dtype=torch.float64, device=device)
