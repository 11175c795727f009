"""Orientations: spindle steps and mosaic domains (P4.2, P4.3, P5.4, P5.5, P6.8, C4.13, C4.16)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.command_line.request import Request
from nanobrag_torch.errors import UsageError
from nanobrag_torch.physics.rotation import Matrix3
from nanobrag_torch.physics.vectors import Vec3
from nanobrag_torch.setup.crystal import crystal
from nanobrag_torch.setup.detector import convention_axes
from nanobrag_torch.setup.experiment import Crystal, Orientations, scalar
from nanobrag_torch.setup.orientations import mosaic_matrices, orientations

Array = npt.NDArray[np.float64]

DEGREES = float.fromhex("0x1.ca5dc1a63c1f8p+5")  # RTD of P1.1
CELL = "-cell 70 80 90 75 85 95 -misset 10 20 30 -default_F 1"
DEFAULT_SEED = -12345678
ROUNDING = 1e-15
"""Rotation matrices and cosines round this much."""


def asked(line: str) -> Request:
    """Request of a command line."""
    return parse(f"{CELL} {line}".split())[0]


def crystal_of(request: Request) -> Crystal:
    """The crystal that is turned."""
    return crystal(request, scalar(request.wavelength_m))


def built(line: str) -> Orientations:
    """Orientations of a command line."""
    request = asked(line)
    return orientations(request, crystal_of(request), convention_axes(request).spindle)


def rows(v: Vec3) -> Array:
    """One row of components per orientation."""
    return np.array([x.tolist() for x in v]).T


def cell_rows(turned: Orientations | Crystal) -> tuple[Array, Array, Array]:
    """Components of a, b and c in metres."""
    return rows(turned.a_m), rows(turned.b_m), rows(turned.c_m)


def as_arrays(matrices: Matrix3) -> Array:
    """Matrices of shape (domains, row, column)."""
    return np.array([[x.tolist() for x in row] for row in matrices]).transpose(2, 0, 1)


# spindle


@pytest.mark.parametrize(
    ("options", "steps_deg"),
    [
        ("", (0.0,)),
        ("-osc 1", (0.0, 0.5)),
        ("-osc 1 -phisteps 4", (0.0, 0.25, 0.5, 0.75)),
        ("-osc 1 -phistep 0.3", (0.0, 0.3, 0.6, 0.9)),
        ("-osc 1 -phisteps 4 -phistep 0.1", (0.0, 0.1, 0.2, 0.3)),
        ("-phistep 0.1", (0.0, 0.1)),
        ("-phisteps 5", (0.0, 0.2, 0.4, 0.6, 0.8)),
        ("-phisteps 5 -phistep 0.1", (0.0, 0.1)),
        ("-phisteps 0", (0.0,)),
        ("-osc 0 -phistep 1", (0.0,)),
    ],
)
@pytest.mark.parametrize("start_deg", [0.0, 7.0, -0.5])
def test_spindle_steps(options: str, steps_deg: tuple[float, ...], start_deg: float) -> None:
    """The examples of C4.13 from three starting angles; at least one step (HD-PHI-2)."""
    turned = built(f"-phi {start_deg} {options}")
    assert turned.phi_steps == len(steps_deg)
    got = (turned.phi_rad * 180 / math.pi).tolist()
    assert got == pytest.approx([start_deg + step for step in steps_deg], abs=1e-14)


@pytest.mark.parametrize(
    ("options", "osc_deg", "step_deg"),
    [("", 0.0, 0.0), ("-phisteps 5", 1.0, 0.2), ("-phistep 0.1", 0.1, 0.1), ("-osc 3", 3.0, 1.5)],
)
def test_resolved_range_and_step(options: str, osc_deg: float, step_deg: float) -> None:
    """What headers and summary show is the resolved range, 0 where none was given (P2.9, P4.2)."""
    turned = built(f"-phi 7 {options}")
    got = [float(x) * 180 / math.pi for x in (turned.phi_start_rad, turned.osc_rad, turned.phi_step_rad)]
    assert got == pytest.approx([7.0, osc_deg, step_deg], rel=ROUNDING)


def test_bits_of_the_spindle_angles() -> None:
    """The angles phi0 + phistep*j of P4.2 in plain floats have the same bits."""
    start, step = 31.7 / DEGREES, (2.3 / DEGREES) / 9
    assert built("-phi 31.7 -osc 2.3 -phisteps 9").phi_rad.tolist() == [start + step * j for j in range(9)]


@pytest.mark.parametrize(
    ("options", "zero"),
    [
        ("", 0),
        ("-phi 0 -osc 1 -phisteps 3", 0),
        ("-phi -1 -osc 2 -phisteps 2", 1),
        ("-phi -2 -osc 4 -phisteps 4", 2),
    ],
)
def test_a_zero_spindle_angle_gives_exactly_the_unrotated_vectors(options: str, zero: int) -> None:
    """First or in mid sweep, the vectors are a0, b0, c0 bit for bit: no carry (C-PARITY-001, P6.8)."""
    request = asked(options)
    for turned, still in zip(cell_rows(built(options)), cell_rows(crystal_of(request)), strict=True):
        assert turned[zero].tolist() == still.tolist()


@pytest.mark.parametrize(
    ("convention", "axis"),
    [
        ("-mosflm", (0.0, 0.0, 1.0)),
        ("-xds", (1.0, 0.0, 0.0)),
        ("-dials", (0.0, 1.0, 0.0)),
        ("-spindle_axis 2 -1 2", (2 / 3, -1 / 3, 2 / 3)),
    ],
)
def test_steps_turn_right_handed_about_the_spindle(convention: str, axis: tuple[float, float, float]) -> None:
    """Every vector keeps its part along the spindle and the rest turns by phi (P5.2, P6.8)."""
    options = f"{convention} -phi 20 -osc 60 -phisteps 3"
    spindle, turned = np.array(axis), built(options)
    assert [float(x) for x in turned.spindle_axis] == pytest.approx(axis, abs=ROUNDING)
    for moved, v in zip(cell_rows(turned), cell_rows(crystal_of(asked(options))), strict=True):
        along = (v @ spindle) * spindle
        across, sideways = v - along, np.cross(spindle, v)
        for j, phi in enumerate(math.radians(angle) for angle in (20, 40, 60)):
            expected = along + math.cos(phi) * across + math.sin(phi) * sideways
            # edges are about 1e-8 m long
            np.testing.assert_allclose(moved[j], expected, rtol=0, atol=1e-8 * 2 * ROUNDING)


# mosaic domains


def test_second_domain_of_the_check_values() -> None:
    """P10.2: rows of the second matrix of V8, bit for bit."""
    matrices = as_arrays(mosaic_matrices(3, scalar(0.5 / DEGREES), DEFAULT_SEED))
    assert [[x.hex() for x in row] for row in matrices[1].tolist()] == [
        ["0x1.fffb887ebdd50p-1", "-0x1.05548f11035b3p-7", "0x1.17b36f52409a8p-9"],
        ["0x1.055d1ba047adfp-7", "0x1.fffbd0ecf6c1fp-1", "-0x1.ec4d0608ae1dbp-12"],
        ["-0x1.173382eb1fe38p-9", "0x1.fe21b53447b63p-12", "0x1.ffffafe71afb3p-1"],
    ]


@pytest.mark.parametrize("spread_deg", [0.5, 30.0, 180.0])
def test_domains_are_rotations_within_the_spread(spread_deg: float) -> None:
    """Orthonormal and right-handed, and the angle never exceeds the spread (P5.4, P5.5)."""
    matrices = as_arrays(mosaic_matrices(200, scalar(math.radians(spread_deg)), DEFAULT_SEED))
    products = matrices @ matrices.transpose(0, 2, 1)
    np.testing.assert_allclose(products, np.broadcast_to(np.eye(3), (200, 3, 3)), rtol=0, atol=2 * ROUNDING)
    np.testing.assert_allclose(np.linalg.det(matrices), 1.0, rtol=0, atol=2 * ROUNDING)
    angles = np.degrees(np.arccos(np.clip((np.trace(matrices, axis1=1, axis2=2) - 1) / 2, -1, 1)))
    # the spread is rounded to binary32
    assert angles.max() <= spread_deg * (1 + 1e-6)
    assert angles.max() > 0.9 * spread_deg


def test_the_first_domain_is_exactly_the_identity() -> None:
    """Its three deviates stay consumed, so the second differs from a first one (P5.5)."""
    matrices = as_arrays(mosaic_matrices(2, scalar(0.1), DEFAULT_SEED))
    assert matrices[0].tolist() == np.eye(3).tolist()
    assert matrices[1].tolist() != np.eye(3).tolist()


def test_more_domains_continue_the_same_stream() -> None:
    """The first domains do not depend on how many follow, but on the seed (P5.5, C3.113)."""
    two, five = (as_arrays(mosaic_matrices(n, scalar(0.1), DEFAULT_SEED)) for n in (2, 5))
    assert two.tolist() == five[:2].tolist()
    assert as_arrays(mosaic_matrices(2, scalar(0.1), -7))[1].tolist() != two[1].tolist()


@pytest.mark.parametrize("domains", ["", "-mosaic_dom 4"])
def test_the_domain_runs_fastest(domains: str) -> None:
    """Rows are all domains of the first spindle step, then of the second: U times a' (P6.1, P6.8)."""
    count = 4 if domains else 10
    with_domains = built(f"-osc 20 -mosaic 2 {domains} -mosaic_seed 5")
    matrices = as_arrays(mosaic_matrices(count, scalar(2 / DEGREES), -5))
    for moved, by_phi in zip(cell_rows(with_domains), cell_rows(built("-osc 20")), strict=True):
        assert moved.shape == (2 * count, 3)
        expected = np.concatenate([matrices @ by_phi[0], matrices @ by_phi[1]])
        np.testing.assert_allclose(moved, expected, rtol=0, atol=1e-8 * 2 * ROUNDING)


def test_the_first_domain_keeps_the_bits_of_the_spindle_rotation() -> None:
    """Multiplied by the identity nothing changes, at phi 0 neither (P5.5, P6.8)."""
    for moved, by_phi in zip(
        cell_rows(built("-osc 20 -mosaic 2 -mosaic_dom 4")), cell_rows(built("-osc 20")), strict=True
    ):
        assert moved[::4].tolist() == by_phi.tolist()


def test_domains_and_steps_keep_the_shape_of_the_cell() -> None:
    """All orientations have the same metric tensor (P6.8)."""
    turned = built("-phi 5 -osc 90 -phisteps 3 -mosaic 20 -mosaic_dom 7")
    frames = np.stack(cell_rows(turned), axis=1)
    metric = frames @ frames.transpose(0, 2, 1)
    still = np.stack(cell_rows(crystal_of(asked(""))))
    np.testing.assert_allclose(metric, np.broadcast_to(still @ still.T, (21, 3, 3)), rtol=1e-13)


@pytest.mark.parametrize(
    ("options", "domains", "spread_deg", "warning"),
    [
        ("", 1, 0.0, ""),
        ("-mosaic_dom 7", 1, 0.0, "-mosaic_domains has no effect"),
        ("-mosaic 0", 1, 0.0, ""),
        ("-mosaic 0 -mosaic_dom 7", 1, 0.0, "-mosaic_domains has no effect"),
        ("-mosaic 0.5", 10, 0.5, "-mosaic without -mosaic_domains: 10 domains"),
        ("-mosaic 0.5 -mosaic_dom 7", 7, 0.5, ""),
        ("-mosaic 0.5 -mosaic_dom 1", 1, 0.5, "-mosaic has no effect with one domain"),
    ],
)
def test_mosaic_defaults_and_warnings(
    options: str, domains: int, spread_deg: float, warning: str, advice: Callable[[], str]
) -> None:
    """What is made up or discarded for the user is said (C4.16, P4.3)."""
    turned = built(options)
    assert turned.mosaic_domains == domains
    assert float(turned.mosaic_spread_rad) == pytest.approx(math.radians(spread_deg), rel=ROUNDING)
    assert len(turned.a_m[0]) == domains
    said = [line for line in advice().splitlines() if "mosaic" in line]
    assert len(said) == bool(warning) and warning in "".join(said)


# limits


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("-osc 1 -phisteps 100000001", "100000001 phi steps x 1 domains"),
        ("-osc 1 -phisteps 10001 -mosaic 1 -mosaic_dom 10000", "10001 phi steps x 10000 domains"),
        ("-osc 1 -phistep 1e-10", "-phistep: 1e[+]10 steps"),
    ],
)
def test_absurdly_many_orientations_are_an_error(options: str, message: str) -> None:
    """A slip in a count or step is refused before memory is touched, naming the option (C8.4)."""
    with pytest.raises(UsageError, match=message):
        built(options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("-osc 1", ["-osc without -phisteps: 2 steps"]),
        ("-phisteps 10", ["-phisteps without -osc: the range is 1 degree"]),
        ("-osc 1 -phisteps 10", []),
        ("-osc 1 -phistep 0.5", []),
        ("-phistep 0.5", []),
        ("-phisteps 1", []),
        ("-osc 0", []),
    ],
)
def test_made_up_spindle_steps_are_said(options: str, said: list[str], advice: Callable[[], str]) -> None:
    """A range without count, and a count without range (C8.3, P4.2)."""
    built(options)
    assert [line for line in advice().splitlines() if " without " in line] == said
