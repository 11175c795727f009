"""Scattering vector, resolution cut, Miller indices and their nearest nodes (P6.7, P6.9, P0.5)."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import Tensor

from nanobrag_torch.physics.scattering import (
    miller_indices,
    nearest_node,
    scattering_vector,
    within_resolution,
)
from nanobrag_torch.physics.vectors import Vec3, norm, unit

Triple = tuple[float, float, float]

DIFFRACTED = ("0x1.ffd56c1f7d144p-1", "0x1.997789b2ca76cp-6", "0x1.4792d48f085dfp-8")
Q = ("-0x1.687c8f25a30aap+21", "0x1.b158f6740337fp+27", "0x1.5aad91f668f87p+25")
CELL = (
    ("0x1.ab5cbc0e559b6p-28", "0x1.60711411f4055p-29", "-0x1.0a1c3fd419760p-29"),
    ("-0x1.68f8d592670b0p-29", "0x1.d74e6ab61aa37p-28", "0x1.b40311c35c482p-29"),
    ("0x1.d436a085c4a07p-29", "0x1.64cd552e3a956p-33", "0x1.1e2c73e8cc4afp-27"),
)
INDICES = ("0x1.e7b3c395718bap-2", "0x1.b5cb3f706da19p+0", "0x1.9efc8e080ceeep-2")


def f64(value: float | list[float]) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def from_hex(words: tuple[str, str, str]) -> Triple:
    return float.fromhex(words[0]), float.fromhex(words[1]), float.fromhex(words[2])


def vec(x: float, y: float, z: float) -> Vec3:
    return f64(x), f64(y), f64(z)


def components(v: Vec3) -> Triple:
    return v[0].item(), v[1].item(), v[2].item()


def cells(axes: list[list[Triple]]) -> Vec3:
    """Cell vectors in the layout of the pixel loop: (3, orientations, 1), given axis by axis."""
    table = torch.tensor(axes, dtype=torch.float64)[..., None]
    return table[:, :, 0], table[:, :, 1], table[:, :, 2]


def random_directions(count: int, seed: int) -> Vec3:
    """Unit vectors spread over the sphere."""
    x, y, z = torch.tensor(np.random.default_rng(seed).normal(size=(3, count)))
    return unit((x, y, z))


def test_check_values_of_a_pixel() -> None:
    """Scattering vector and indices of V1, pixel slow 2, fast 5, to the last bit (P10.2)."""
    q = scattering_vector(vec(*from_hex(DIFFRACTED)), vec(1, 0, 0), f64(1.1) / f64(1.0e10))
    assert [x.hex() for x in components(q)] == list(Q)
    a, b, c = (from_hex(words) for words in CELL)
    hkl = miller_indices((q[0][None], q[1][None], q[2][None]), cells([[a], [b], [c]]))
    assert [x.hex() for x in hkl.flatten().tolist()] == list(INDICES)


def test_scattering_vector_rounds_the_difference_and_the_quotient() -> None:
    """Each component is a rounded difference divided by the wavelength, rounded once (P6.7)."""
    d, k, wavelength = random_directions(500, 1), random_directions(500, 2), 0.979e-10
    q = scattering_vector(d, k, f64(wavelength))
    for i in range(3):
        differences = [x - y for x, y in zip(d[i].tolist(), k[i].tolist(), strict=True)]
        assert q[i].tolist() == [float(Fraction(x) / Fraction(wavelength)) for x in differences]


@pytest.mark.parametrize("degrees", [1.0, 30.0, 90.0, 180.0])
def test_length_of_the_scattering_vector_is_braggs_law(degrees: float) -> None:
    """The length of q is 2 sin(theta)/lambda (P6.7)."""
    angle, wavelength = math.radians(degrees), 1.5e-10
    d = vec(math.cos(angle), 0.0, math.sin(angle))
    q = norm(scattering_vector(d, vec(1, 0, 0), f64(wavelength))).item()
    # at 1 degree the difference of the two unit vectors has lost two digits
    assert q == pytest.approx(2.0 * math.sin(angle / 2.0) / wavelength, rel=1e-14)


def test_no_scattering_in_the_direct_beam() -> None:
    """The scattering vector of the direct beam is exactly zero and never cut (P6.7)."""
    d = random_directions(20, 3)
    q = scattering_vector(d, d, f64(1e-10))
    assert not torch.stack(q).any()
    assert within_resolution(q, f64(1e-9)).all()


def test_resolution_cut() -> None:
    """A ray is kept if its spacing, one over the length of q, is at least dmin (P6.7)."""
    # powers of two, so that the spacings are exact; lengths of q from 2**30 to 2**34 per metre
    q = torch.tensor([2.0**e for e in range(30, 35)], dtype=torch.float64)
    zero = torch.zeros_like(q)
    for v in ((q, zero, zero), (zero, -q, zero), (zero, zero, q)):
        assert within_resolution(v, f64(2.0**-32)).tolist() == [True, True, True, False, False]
        assert within_resolution(v, f64(math.nextafter(2.0**-32, 1))).tolist() == [
            True,
            True,
            False,
            False,
            False,
        ]


def test_no_resolution_cut_without_a_limit() -> None:
    """A limit of 0 keeps everything (P6.7)."""
    q = torch.tensor([0.0, 1.0, 1e12, 1e100], dtype=torch.float64)
    assert within_resolution((q, q, q), f64(0)).all()


def test_indices_of_reciprocal_nodes_are_whole() -> None:
    """In a cell of 2, 4 and 8 m the node (h, k, l) lies at (h/2, k/4, l/8) per metre (P6.9)."""
    axes: list[list[Triple]] = [[(2, 0, 0)], [(0, 4, 0)], [(0, 0, 8)]]
    nodes = np.random.default_rng(4).integers(-50, 50, (3, 40)).astype(np.float64)
    x, y, z = torch.tensor(nodes) / torch.tensor([[2.0], [4.0], [8.0]], dtype=torch.float64)
    hkl = miller_indices((x, y, z), cells(axes))
    assert hkl.shape == (3, 1, 40)
    assert hkl[:, 0].tolist() == nodes.tolist()


def test_indices_have_the_bits_of_plain_floats() -> None:
    """Every index is a scalar product summed from the left, as in Python's floats (P0.3, P6.9)."""
    generator = np.random.default_rng(5)
    q = generator.normal(size=(3, 211)) * 1e9
    axes = (generator.normal(size=(3, 7, 3)) * 5e-9).tolist()
    x, y, z = torch.tensor(q)
    hkl = miller_indices((x, y, z), cells(axes))
    assert hkl.shape == (3, 7, 211)
    plain = q.T.tolist()
    for axis in range(3):
        for orientation in range(7):
            a1, a2, a3 = axes[axis][orientation]
            expected = [a1 * q1 + a2 * q2 + a3 * q3 for q1, q2, q3 in plain]
            assert hkl[axis, orientation].tolist() == expected


@pytest.mark.parametrize("count", [1, 4, 64])
def test_indices_round_every_product(count: int) -> None:
    """No product is fused with the sum, which would keep its lost bits (P0.1, P9.2)."""
    x = torch.full((count,), 1.0 + 2.0**-30, dtype=torch.float64)
    one, axis = torch.ones_like(x), (1.0 + 2.0**-30, -(1.0 + 2.0**-29), 0.0)
    last = (0.0, -(1.0 + 2.0**-29), 1.0 + 2.0**-30)
    assert not miller_indices((x, one, one), cells([[axis], [axis], [axis]])).any()
    assert not miller_indices((one, one, x), cells([[last], [last], [last]])).any()


def test_indices_leave_their_arguments_alone() -> None:
    """Sums formed in place do not reach what was given."""
    q, axes = (
        (f64([1.0, 2.0]), f64([3.0, 4.0]), f64([5.0, 6.0])),
        cells([[(1, 2, 3)], [(4, 5, 6)], [(7, 8, 9)]]),
    )
    before = [x.clone() for x in (*q, *axes)]
    miller_indices(q, axes)
    for x, old in zip((*q, *axes), before, strict=True):
        assert torch.equal(x, old)


def test_gradients_reach_the_indices() -> None:
    """Indices are differentiable by direction, wavelength and cell."""

    def chain(d: Tensor, wavelength: Tensor, axes: Tensor) -> Tensor:
        q = scattering_vector((d[0], d[1], d[2]), vec(1, 0, 0), wavelength)
        return miller_indices(q, (axes[:, :, 0], axes[:, :, 1], axes[:, :, 2]))

    generator = torch.Generator().manual_seed(6)
    d = torch.rand((3, 4), generator=generator, dtype=torch.float64).requires_grad_()
    axes = torch.rand((3, 2, 3, 1), generator=generator, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(chain, (d, f64(0.7).requires_grad_(), axes))


@pytest.mark.parametrize(
    ("h", "node"),
    [
        (0.5, 0),
        (1.5, 1),
        (-0.5, -1),
        (-1.5, -2),
        (2.5, 2),
        (0.0, 0),
        (-3.0, -3),
        (0.25, 0),
        (0.75, 1),
        (-0.75, -1),
    ],
)
def test_nearest_node_takes_ties_down(h: float, node: float) -> None:
    """A whole number and a half goes to the lower whole number (P0.5)."""
    assert nearest_node(f64(h)).item() == node


@pytest.mark.parametrize("tie", [0.5, 1.5, -0.5, -6.5, 1000.5])
def test_nearest_node_beside_a_tie(tie: float) -> None:
    """The next number above a tie goes up, the tie and the next number below it go down (P0.5)."""
    above, below = math.nextafter(tie, math.inf), math.nextafter(tie, -math.inf)
    # just above -0.5 the subtraction is rounded back to the tie, which P0.5 demands
    up = tie - 0.5 if tie == -0.5 else tie + 0.5
    assert nearest_node(f64([below, tie, above])).tolist() == [tie - 0.5, tie - 0.5, up]


def test_nearest_node_rounds_the_subtraction() -> None:
    """The subtraction of a half is rounded before the ceiling, also for numbers without fraction (P0.5)."""
    # 2**52 + 1 - 0.5 is a tie between two binary64 numbers and goes to the even one
    assert nearest_node(f64(2.0**52 + 1.0)).item() == 2.0**52


def test_nearest_node_of_random_indices() -> None:
    """Away from ties the node is the exactly nearest whole number (P0.5)."""
    values = np.random.default_rng(7).uniform(-200, 200, (4, 500))
    h = torch.tensor(values)
    got = nearest_node(h)
    assert got.shape == (4, 500)
    assert got.flatten().tolist() == [
        math.ceil(Fraction(x) - Fraction(1, 2)) for x in values.flatten().tolist()
    ]
    assert torch.equal(h, torch.tensor(values)), "the argument is left alone"
