"""Orientations of the crystal: spindle steps times mosaic domains (P4.2, P4.3, P5.5, P6.8)."""

from __future__ import annotations

import torch
from torch import Tensor

from nanobrag_torch.advice import note, warn
from nanobrag_torch.command_line.request import Request
from nanobrag_torch.errors import UsageError
from nanobrag_torch.physics.rotation import Matrix3, by_matrix
from nanobrag_torch.physics.vectors import Vec3
from nanobrag_torch.random_numbers import rotation as random_rotation
from nanobrag_torch.random_numbers.uniform import Stream
from nanobrag_torch.setup.counts import mosaic_count, phi_grid
from nanobrag_torch.setup.experiment import Crystal, Orientations, maybe, plain, scalar
from nanobrag_torch.setup.rotation import rotaxis, unless_zero

MOST_ORIENTATIONS = 10**8
"""More is a slip in a count or step: no image of so many terms was ever finished."""


def mosaic_matrices(domains: int, spread_rad: Tensor, seed: int) -> Matrix3:
    """Rotation matrices of the domains, entries of shape (domains,); the first is the identity (P5.5)."""
    stream = Stream(seed)
    drawn = [random_rotation.cap(plain(spread_rad), stream) for _ in range(domains)]
    drawn[0] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    entries = torch.tensor(drawn, dtype=torch.float64)

    def row(i: int) -> Vec3:
        return entries[:, i, 0], entries[:, i, 1], entries[:, i, 2]

    return row(0), row(1), row(2)


def note_spindle_defaults(request: Request, steps: int) -> None:
    """Say where range or count is made up for the user (P4.2)."""
    if request.phi_step_rad is not None and request.phi_step_rad > 0:
        return
    if request.osc_rad is not None and request.osc_rad > 0 and request.phi_steps is None:
        note(f"-osc without -phisteps: {steps} steps")
    if request.osc_rad is None and steps > 1:
        note("-phisteps without -osc: the range is 1 degree")


def warn_of_mosaic_defaults(request: Request, domains: int, spread_rad: Tensor) -> None:
    """Say where spread or count is made up for the user, or where one of them is in vain (C4.16)."""
    if spread_rad > 0 and domains == 1:
        warn("-mosaic has no effect with one domain, which is not tilted")
    if spread_rad > 0 and request.mosaic_domains is None:
        note(f"-mosaic without -mosaic_domains: {domains} domains")
    if not spread_rad > 0 and request.mosaic_domains is not None:
        warn("-mosaic_domains has no effect without a mosaic spread")


def orientations(request: Request, crystal: Crystal, spindle_axis: Vec3) -> Orientations:
    """Cell vectors in metres for every spindle step and domain, the domain fastest (P6.8).

    At phi = 0 exactly the vectors are those of the unrotated crystal: this is the
    correction of C-PARITY-001. Raises: UsageError for an absurd number of orientations.
    """
    steps = phi_grid(request.phi_steps, maybe(request.osc_rad), maybe(request.phi_step_rad))
    start = scalar(request.phi_rad)
    domains, spread = mosaic_count(request.mosaic_domains, maybe(request.mosaic_spread_rad))
    note_spindle_defaults(request, steps.count)
    warn_of_mosaic_defaults(request, domains, spread)
    if steps.count * domains > MOST_ORIENTATIONS:
        raise UsageError(
            f"-phisteps/-phistep/-mosaic_domains: {steps.count} phi steps x {domains} domains, "
            f"expected at most {MOST_ORIENTATIONS} orientations"
        )
    phi = start + steps.step * torch.arange(steps.count, dtype=torch.float64)
    if not torch.isfinite(phi).all():
        raise UsageError(
            f"-phi/-osc/-phistep: a spindle angle of {plain(phi[-1]):g} rad, expected a finite one"
        )
    matrices = mosaic_matrices(domains, spread, request.mosaic_seed)

    def turned(v: Vec3) -> Vec3:
        by_phi = unless_zero(phi, v, rotaxis(v, spindle_axis, phi))
        x, y, z = (component[:, None] for component in by_phi)
        if spread > 0:
            x, y, z = by_matrix((x, y, z), matrices)
        return x.reshape(-1), y.reshape(-1), z.reshape(-1)

    return Orientations(
        spindle_axis=spindle_axis,
        phi_start_rad=start,
        osc_rad=steps.range,
        phi_step_rad=steps.step,
        phi_rad=phi,
        mosaic_spread_rad=spread,
        mosaic_domains=domains,
        a_m=turned(crystal.a_m),
        b_m=turned(crystal.b_m),
        c_m=turned(crystal.c_m),
    )
