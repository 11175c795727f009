"""Lattice factor of the four crystal shapes (P6.9)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from nanobrag_torch.physics.lattice import (
    Basis,
    gauss,
    reciprocal_distance,
    reduced_row_amplitude,
    round_,
    row_amplitude,
    safe_sqrt,
    sphere_transform,
    square,
    tophat,
)
from nanobrag_torch.physics.scattering import nearest_node
from nanobrag_torch.physics.vectors import Vec3

Array = npt.NDArray[np.float64]

DTYPES = [torch.float64, torch.float32]
SPHERE_TO_CUBE = 0.723601254558268
ZERO_OF_THE_SPHERE = 4.493409457909064
"""First positive root of tan(x) = x, where the transform of a sphere vanishes."""
INDICES_OF_V1 = ("0x1.e7b3c395718bap-2", "0x1.b5cb3f706da19p+0", "0x1.9efc8e080ceeep-2")


def f64(values: float | list[float] | list[list[float]]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def vec(x: float, y: float, z: float) -> Vec3:
    return f64(x), f64(y), f64(z)


def counts_of(na: float, nb: float, nc: float) -> Tensor:
    """Cell counts of shape (3, 1), which broadcast with indices of shape (3, pixels)."""
    return f64([na, nb, nc])[:, None]


def uniform(shape: tuple[int, ...], seed: int, low: float, high: float) -> Tensor:
    return torch.tensor(np.random.default_rng(seed).uniform(low, high, shape))


def row_sum(h: Array, n: int) -> Array:
    """Sum of the waves from ``n`` cells in a row whose middle is the origin, hence real."""
    places = np.arange(n) - (n - 1) / 2
    waves = np.exp(2j * np.pi * h[:, None] * places).sum(axis=1)
    assert np.abs(waves.imag).max() < 1e-9 * n
    return np.real(waves)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 20, 101])
def test_row_is_the_sum_of_the_waves_of_its_cells(n: int) -> None:
    """The amplitude of a row, sign included, is the sum over its cells (P6.9)."""
    h = uniform((500,), 1, -3.0, 3.0)
    got = row_amplitude(h, f64(float(n)))
    # the phase pi*h*n, up to 1e3, is rounded to 1e-13; over sin(pi*h) > 1e-3 that is 1e-10
    assert got.tolist() == pytest.approx(row_sum(h.numpy(), n).tolist(), rel=0, abs=1e-10)


@pytest.mark.parametrize("n", [2.0, 7.0, 1000.0])
def test_row_has_its_full_amplitude_at_the_origin(n: float) -> None:
    """At h = 0, of either sign, the amplitude is the number of cells, exactly (P6.9)."""
    assert row_amplitude(f64([0.0, -0.0]), f64(n)).tolist() == [n, n]
    assert row_amplitude(f64([0.0]).requires_grad_(), f64(n)).tolist() == [n]


@pytest.mark.parametrize("h", [1e-300, 1e-100, -1e-20, 1e-12])
def test_row_approaches_its_full_amplitude(h: float) -> None:
    """The neighbourhood of the origin has the amplitude of the origin (P6.9)."""
    assert row_amplitude(f64([h]), f64(50.0)).item() == pytest.approx(50.0, rel=1e-15)


@pytest.mark.parametrize("node", [-7, -2, 1, 3, 12])
@pytest.mark.parametrize("n", [2, 5, 100])
def test_row_has_full_modulus_near_every_node(node: int, n: int) -> None:
    """A millionth of an index beside a node the modulus is that of the origin (P6.9)."""
    h = f64([node - 1e-6, node + 1e-6])
    # the true loss is (n*pi*1e-6)**2/6 < 2e-8; a rounded phase of 1e3 over sin(pi*1e-6) adds 1e-7
    assert row_amplitude(h, f64(float(n))).abs().tolist() == pytest.approx([n, n], rel=2e-7)


def test_row_vanishes_between_the_nodes() -> None:
    """An extinct row of five cells scatters nothing at fifths of an index (P6.9)."""
    got = row_amplitude(f64([0.2, 0.4, 0.6, 0.8, -0.2]), f64(5.0))
    # 0.2 is not a fifth; its phase is off by a few units in the last place
    assert got.tolist() == pytest.approx([0.0] * 5, rel=0, abs=3e-15)


def test_row_takes_the_phase_of_the_index_itself() -> None:
    """The phase is pi times h, rounded, and not of the distance from the node (P6.9, P9.1)."""
    n, h = 1000.0, uniform((500,), 2, -30.0, 30.0)
    amplitudes = row_amplitude(h, f64(n)).tolist()
    for x, amplitude in zip(h.tolist(), amplitudes, strict=True):
        # the phase reaches 1e5, where one rounding is 1e-11; sines and the ratio add 1e-16 each
        assert amplitude * math.sin(math.pi * x) == pytest.approx(math.sin(math.pi * x * n), rel=0, abs=5e-16)


def test_row_rounds_the_phase_before_anything_is_added() -> None:
    """Also a product pi*h that lies in the middle of two numbers is rounded to even, not up (P0.1, P6.9)."""
    n, quarters = 999.0, [m / 4.0 for m in range(1, 64, 2)]
    amplitudes = row_amplitude(f64(quarters), f64(n)).tolist()
    for x, amplitude in zip(quarters, amplitudes, strict=True):
        # a phase that is one unit off is 1e-13 off after the product with n
        assert amplitude * math.sin(math.pi * x) == pytest.approx(math.sin(math.pi * x * n), rel=0, abs=5e-16)


def test_row_broadcasts_counts() -> None:
    """Each axis has its own count."""
    h = uniform((3, 2, 4), 3, -0.5, 0.5)
    got = row_amplitude(h, f64([2.0, 3.0, 4.0])[:, None, None])
    for axis, n in enumerate((2.0, 3.0, 4.0)):
        assert torch.equal(got[axis], row_amplitude(h[axis].clone(), f64(n)))


def test_row_has_the_same_bits_with_a_gradient() -> None:
    """Asking for a gradient does not change the amplitude."""
    h, n = uniform((100,), 4, -5.0, 5.0), f64(17.0)
    assert torch.equal(row_amplitude(h.clone().requires_grad_(), n), row_amplitude(h, n))
    assert torch.equal(row_amplitude(h, n.clone().requires_grad_()), row_amplitude(h, n))


def test_row_gradients_against_differences() -> None:
    """Away from the nodes the slopes by index and by cell count agree with finite differences."""
    nodes = torch.arange(-4, 4, dtype=torch.float64)
    h = (nodes + uniform((8,), 5, 0.15, 0.85)).requires_grad_()
    n = f64([6.0]).requires_grad_()
    assert torch.autograd.gradcheck(row_amplitude, (h, n))


def test_row_gradients_at_the_origin() -> None:
    """At h = 0 the amplitude has a maximum and equals the count, so the slopes are 0 and 1."""
    h, n = f64([0.0, 0.0]).requires_grad_(), f64([5.0, 80.0]).requires_grad_()
    by_h, by_n = torch.autograd.grad(row_amplitude(h, n).sum(), (h, n))
    assert by_h.tolist() == [0.0, 0.0]
    assert by_n.tolist() == [1.0, 1.0]


def test_row_slope_near_the_origin() -> None:
    """Just beside h = 0 the slope is that of the parabola n - n*(n*n - 1)*(pi*h)**2/6."""
    h = f64([1e-3]).requires_grad_()
    (slope,) = torch.autograd.grad(row_amplitude(h, f64(4.0)).sum(), h)
    # the next term of the series is (pi*h*n)**2 = 1.6e-4 of the first, times less than one
    assert slope.item() == pytest.approx(-4.0 * 15.0 * math.pi**2 * 1e-3 / 3.0, rel=1.6e-4)


@pytest.mark.parametrize("n", [2, 5, 20, 101])
@pytest.mark.parametrize("dtype", DTYPES)
def test_reduced_row_is_the_sum_of_the_waves(n: int, dtype: torch.dtype) -> None:
    """The modulus of a reduced row is that of the sum over its cells, as exact as its type (P6.9)."""
    h = uniform((500,), 6, -30.0, 30.0)
    h0 = nearest_node(h)
    got = reduced_row_amplitude(h, h0, f64(float(n)), dtype)
    assert got.dtype == dtype
    expected = np.abs(row_sum((h - h0).numpy(), n))
    # two phases, two sines and a quotient of half a unit in the last place each, and as much again
    rel = 8 * torch.finfo(dtype).eps
    # near a zero the reduced phase carries the rounding of turns, 1e-14 of a turn; the sum is no better
    assert got.double().abs().tolist() == pytest.approx(expected.tolist(), rel=rel, abs=2e-13 * n)


@pytest.mark.parametrize("dtype", DTYPES)
def test_reduced_row_is_full_at_every_node(dtype: torch.dtype) -> None:
    """At a node, however far, the modulus is the number of cells, exactly (P6.9)."""
    h = f64([-1000.0, -3.0, 0.0, 1.0, 77.0])
    assert reduced_row_amplitude(h, h, f64(300.0), dtype).tolist() == [300.0] * 5


def test_reduced_row_does_not_lose_accuracy_with_size() -> None:
    """Binary32 of a row of 10000 cells at an index of 500 is as good as near the origin."""
    distance = uniform((300,), 7, -0.4, 0.4)
    # multiples of 2**-40, so that adding a node is exact
    distance = torch.round(distance * 2.0**40) / 2.0**40
    n = f64(10_000.0)
    far = reduced_row_amplitude(distance + 500.0, f64([500.0] * 300), n, torch.float32)
    near = reduced_row_amplitude(distance, torch.zeros(300, dtype=torch.float64), n, torch.float32)
    assert torch.equal(far, near)


def test_reduced_row_gradient_at_the_nodes() -> None:
    """At a node the slope of the reduced row is that of the plain one, not an undefined number."""
    h, h0, n = f64([0.0, 2.1]).requires_grad_(), f64([0.0, 2.0]), f64(5.0)
    (slope,) = torch.autograd.grad(reduced_row_amplitude(h, h0, n, torch.float32).square().sum(), h)
    (expected,) = torch.autograd.grad(row_amplitude(h, n).square().sum(), h)
    # binary32
    assert slope.tolist() == pytest.approx(expected.tolist(), rel=1e-5)


def crystal_sum(hkl: Tensor, na: int, nb: int, nc: int) -> Array:
    """Modulus of the sum of the waves of every cell of a parallelepiped."""
    cells = np.stack(np.meshgrid(np.arange(na), np.arange(nb), np.arange(nc), indexing="ij")).reshape(3, -1)
    waves = np.exp(2j * np.pi * np.einsum("ip,ic->pc", hkl.numpy(), cells)).sum(axis=1)
    modulus: Array = np.abs(waves)
    return modulus


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("na", "nb", "nc"), [(3, 4, 2), (5, 5, 5), (1, 6, 1), (4, 1, 3), (1, 1, 9)])
def test_square_is_the_sum_over_all_cells(na: int, nb: int, nc: int, dtype: torch.dtype) -> None:
    """A parallelepiped scatters like the sum of the waves of its cells (P6.9)."""
    hkl = uniform((3, 300), 8, -4.0, 4.0)
    rows = [axis for axis, n in enumerate((na, nb, nc)) if n > 1]
    got = square(hkl, nearest_node(hkl), counts_of(na, nb, nc), rows, dtype)
    assert got.dtype == dtype
    # rounded phases of up to 60 over sines down to 1e-3 in binary64, three factors of eight units in binary32
    abs_, rel = (1e-11 * na * nb * nc, 0.0) if dtype == torch.float64 else (1e-11 * na * nb * nc, 3e-6)
    assert got.double().abs().tolist() == pytest.approx(
        crystal_sum(hkl, na, nb, nc).tolist(), rel=rel, abs=abs_
    )


def test_square_of_the_check_value() -> None:
    """Amplitude of V1 at pixel slow 2, fast 5 (P10.2)."""
    hkl = f64([float.fromhex(word) for word in INDICES_OF_V1])[:, None]
    got = square(hkl, nearest_node(hkl), counts_of(5, 5, 5), [0, 1, 2], torch.float64)
    # the phase is exact, the six sines may be off by a unit in the last place each (P0.4)
    assert got.item() == pytest.approx(float.fromhex("-0x1.9ccd604c2b0b3p-4"), rel=12 * 2.0**-53)


@pytest.mark.parametrize("dtype", DTYPES)
def test_square_skips_axes_of_one_cell(dtype: torch.dtype) -> None:
    """An axis of one cell contributes no factor, whatever its index (P6.9)."""
    hkl = torch.stack([uniform((50,), 9, -2, 2), torch.full((50,), math.nan), uniform((50,), 10, -2, 2)])
    got = square(hkl, nearest_node(hkl), counts_of(3, 1, 4), [0, 2], dtype)
    assert torch.isfinite(got).all()
    assert got.double().abs().tolist() == pytest.approx(
        crystal_sum(torch.nan_to_num(hkl), 3, 1, 4).tolist(), rel=2e-6, abs=1e-9
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_square_of_one_cell_is_one(dtype: torch.dtype) -> None:
    """A single cell has the amplitude 1 everywhere (P6.9)."""
    hkl = uniform((3, 2, 5), 11, -2, 2)
    got = square(hkl, nearest_node(hkl), f64([1.0] * 3)[:, None, None], [], dtype)
    assert got.dtype == dtype
    assert got.tolist() == [[1.0] * 5] * 2


def test_square_gradients_against_differences() -> None:
    """The product of three rows is differentiable by index and by count."""
    hkl = uniform((3, 4), 12, 0.2, 0.8).requires_grad_()
    counts = counts_of(2, 3, 4).requires_grad_()

    def amplitude(hkl: Tensor, counts: Tensor) -> Tensor:
        return square(hkl, nearest_node(hkl.detach()), counts, [0, 1, 2], torch.float64)

    assert torch.autograd.gradcheck(amplitude, (hkl, counts))


def sphere_integral(x: float) -> float:
    """Mean of exp(i*x*z) over the unit ball, disc by disc along z."""
    z, weights = np.polynomial.legendre.leggauss(60)
    return float((weights * 0.75 * (1.0 - z * z) * np.cos(x * z)).sum())


@pytest.mark.parametrize("x", [0.05, 0.5, 1.0, math.pi, 4.0, 7.7, 20.0])
def test_sphere_transform_is_the_integral_over_a_ball(x: float) -> None:
    """The transform of a solid sphere is the mean wave over its volume (P6.9)."""
    # the weights are good to 1e-14; below 1 the formula loses digits, a last bit over x squared
    assert sphere_transform(f64(x)).item() == pytest.approx(
        sphere_integral(x), rel=0, abs=1e-14 + 1e-15 / x**2
    )


def test_sphere_transform_at_the_origin() -> None:
    """The limit at 0 is 1, approached as 1 - x**2/10 + x**4/280 (P6.9)."""
    assert sphere_transform(f64([0.0, -0.0])).tolist() == [1.0, 1.0]
    x = 0.01
    # three roundings of numbers near 1, over x squared
    assert sphere_transform(f64([x, -x])).tolist() == pytest.approx(
        [1.0 - x**2 / 10.0 + x**4 / 280.0] * 2, rel=0, abs=5e-12
    )


def test_sphere_transform_has_no_slope_at_the_origin() -> None:
    """The transform is even, so its gradient at 0 is 0, and it agrees with differences elsewhere."""
    x = f64([0.0]).requires_grad_()
    (slope,) = torch.autograd.grad(sphere_transform(x).sum(), x)
    assert slope.item() == 0.0
    assert torch.autograd.gradcheck(sphere_transform, (f64([0.7, 2.0, 5.5]).requires_grad_(),))


def test_safe_sqrt() -> None:
    """The root is that of torch, its gradient at 0 is 0 and elsewhere one over twice the root."""
    x = f64([0.0, 0.25, 4.0]).requires_grad_()
    value = safe_sqrt(x)
    (slope,) = torch.autograd.grad(value.sum(), x)
    assert value.tolist() == [0.0, 0.5, 2.0]
    assert slope.tolist() == [0.0, 1.0, 0.25]


def round_at(
    hkl: list[list[float]], counts: Tensor, fudge: float, dtype: torch.dtype = torch.float64
) -> Tensor:
    """ROUND at indices given as one (h, k, l) per pixel."""
    table = f64([]).new_tensor(hkl).T.contiguous()
    return round_(table, nearest_node(table), counts, f64(fudge), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_round_at_the_nodes(dtype: torch.dtype) -> None:
    """At every node the amplitude is the number of cells times 0.7236 (P6.9)."""
    got = round_at([[0, 0, 0], [1, -2, 3], [40, 0, -7]], counts_of(3, 4, 5), 1.0, dtype)
    assert got.dtype == dtype
    assert got.tolist() == pytest.approx([60 * SPHERE_TO_CUBE] * 3, rel=2 * torch.finfo(dtype).eps)


def test_round_vanishes_on_an_ellipsoid() -> None:
    """All points with the same sum of (N*dh)**2 are alike; the first zero is where tan(x) = x (P6.9)."""
    na, nb, nc = 6, 8, 12
    generator = np.random.default_rng(13)
    directions = generator.normal(size=(40, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    radius = ZERO_OF_THE_SPHERE / math.pi
    nodes = generator.integers(-5, 6, (40, 3))
    hkl = nodes + directions * radius / np.array([na, nb, nc])
    got = round_at(hkl.tolist(), counts_of(na, nb, nc), 1.0)
    # the differences h - h0 carry roundings of numbers up to 6, 1e-15 * na
    assert got.tolist() == pytest.approx([0.0] * 40, rel=0, abs=na * nb * nc * 1e-14)


def test_round_along_one_axis_is_the_sphere_transform() -> None:
    """Along h the argument is pi*Na*dh*sqrt(fudge); the integral over a ball confirms it (P6.9)."""
    na, dh, fudge = 7, 0.1875, 2.25
    got = round_at([[2 + dh, 0, 0], [2 - dh, 0, 0]], counts_of(na, 3, 2), fudge)
    expected = 42 * SPHERE_TO_CUBE * sphere_integral(math.pi * na * dh * 1.5)
    assert got.tolist() == pytest.approx([expected] * 2, rel=1e-13)


def test_round_in_binary32_near_a_node() -> None:
    """The centre of a spot keeps its brightness in binary32 (P6.9, C8.5.4)."""
    distances = [10.0**exponent for exponent in (-7, -6, -5, -4, -3, -2)]
    x = [math.pi * 10 * dh for dh in distances]
    expected = [1000 * SPHERE_TO_CUBE * (1.0 - x**2 / 10.0 + x**4 / 280.0) for x in x]
    got = round_at([[dh, 0.0, 0.0] for dh in distances], counts_of(10, 10, 10), 1.0, torch.float32)
    # far above the rounding of binary32, 1e-7, and the rest of the series, x**6/15120 = 6e-8
    assert got.tolist() == pytest.approx(expected, rel=1e-3)


def test_round_is_differentiable_at_a_node() -> None:
    """The amplitude has a maximum at a node: the slope is 0 and not undefined."""
    hkl = f64([[1.0], [2.0], [3.0]]).requires_grad_()
    got = round_(hkl, f64([[1.0], [2.0], [3.0]]), counts_of(4, 4, 4), f64(1.0), torch.float64)
    (slope,) = torch.autograd.grad(got.sum(), hkl)
    assert slope.flatten().tolist() == [0.0] * 3


def test_round_gradients_against_differences() -> None:
    """Index, counts and fudge factor have gradients."""

    def amplitude(hkl: Tensor, counts: Tensor, fudge: Tensor) -> Tensor:
        return round_(hkl, nearest_node(hkl.detach()), counts, fudge, torch.float64)

    hkl = uniform((3, 4), 14, 0.1, 0.4).requires_grad_()
    assert torch.autograd.gradcheck(
        amplitude, (hkl, counts_of(2, 3, 4).requires_grad_(), f64(1.3).requires_grad_())
    )


def cartesian(a: float, b: float, c: float) -> Basis:
    """Reciprocal vectors of these lengths along x, y and z."""
    return vec(a, 0, 0), vec(0, b, 0), vec(0, 0, c)


def test_reciprocal_distance_in_a_cartesian_cell() -> None:
    """Pythagoras times the square of the number of cells (P6.9)."""
    nodes = f64([[5.0], [-3.0], [2.0]])
    hkl = nodes + f64([[0.25], [-0.5], [0.125]])
    got = reciprocal_distance(hkl, nodes, counts_of(2, 3, 5), cartesian(4.0, 4.0, 16.0))
    assert got.tolist() == [(1.0 + 4.0 + 4.0) * 900.0]


def test_reciprocal_distance_in_an_oblique_cell() -> None:
    """It is the length of the vector whose products with a, b and c are the distances (P6.9)."""
    cell = np.array([[70.0, 3.0, -9.0], [-11.0, 80.0, 5.0], [20.0, -17.0, 90.0]])
    volume = float(np.linalg.det(cell))
    faces = [np.cross(cell[(i + 1) % 3], cell[(i + 2) % 3]) / volume for i in range(3)]
    a_star, b_star, c_star = (vec(float(v[0]), float(v[1]), float(v[2])) for v in faces)
    hkl = uniform((3, 50), 15, -6.0, 6.0)
    nodes = nearest_node(hkl)
    solved = np.linalg.solve(cell, (hkl - nodes).numpy())
    expected = (solved * solved).sum(axis=0) * (2 * 3 * 4) ** 2
    got = reciprocal_distance(hkl, nodes, counts_of(2, 3, 4), (a_star, b_star, c_star))
    # the solver and the duality of the two cells, for a cell that is nearly rectangular
    assert got.tolist() == pytest.approx(expected.tolist(), rel=1e-13, abs=0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_gauss_at_known_distances(dtype: torch.dtype) -> None:
    """The amplitude is the number of cells at a node and falls by e for each 0.63 (P6.9)."""
    got = gauss(f64([0.0, 0.63, 1.26]), f64([2.0, 3.0, 4.0]), f64(1.0), dtype)
    assert got.dtype == dtype
    expected = [24.0, 24.0 / math.e, 24.0 / math.e**2]
    assert got.tolist() == pytest.approx(expected, rel=4 * torch.finfo(dtype).eps)


def test_gauss_of_a_sum_is_a_product() -> None:
    """Amplitudes of squared distances multiply where these add (P6.9)."""
    one, other = uniform((100,), 16, 0, 3), uniform((100,), 17, 0, 3)
    counts, fudge = f64([2.0, 1.0, 1.0]), f64(1.7)
    both = gauss(one + other, counts, fudge, torch.float64)
    product = gauss(one, counts, fudge, torch.float64) * gauss(other, counts, fudge, torch.float64)
    # exponents up to 16 carry a rounding of 4e-15
    assert (2.0 * both).tolist() == pytest.approx(product.tolist(), rel=2e-14)


def test_gauss_fudge_scales_the_distance() -> None:
    """Twice the fudge factor at half the squared distance is the same spot (P6.9)."""
    rho, counts = uniform((50,), 18, 0, 3), f64([3.0, 2.0, 2.0])
    wide = gauss(rho, counts, f64(1.5), torch.float64)
    assert torch.equal(gauss(rho / 2.0, counts, f64(3.0), torch.float64), wide)


def test_gauss_gradients_against_differences() -> None:
    """Distance, counts and fudge factor have gradients."""

    def amplitude(rho: Tensor, counts: Tensor, fudge: Tensor) -> Tensor:
        return gauss(rho, counts, fudge, torch.float64)

    inputs = (
        f64([0.1, 0.7]).requires_grad_(),
        f64([2.0, 3.0, 4.0]).requires_grad_(),
        f64(1.2).requires_grad_(),
    )
    assert torch.autograd.gradcheck(amplitude, inputs)


@pytest.mark.parametrize("dtype", DTYPES)
def test_tophat_ends_at_its_edge(dtype: torch.dtype) -> None:
    """Below 0.3969 the amplitude is the number of cells, at and above it 0, to the last bit (P6.9)."""
    edge = 0.3969
    rho = f64([0.0, 0.2, math.nextafter(edge, 0.0), edge, math.nextafter(edge, 1.0), 5.0])
    got = tophat(rho, f64([2.0, 3.0, 4.0]), f64(1.0), dtype)
    assert got.dtype == dtype
    assert got.tolist() == [24.0, 24.0, 24.0, 0.0, 0.0, 0.0]


def test_tophat_fudge_scales_the_distance() -> None:
    """Four times the fudge factor ends the spot at a quarter of the squared distance (P6.9)."""
    rho = f64([math.nextafter(0.3969, 0.0) / 4.0, 0.3969 / 4.0])
    assert tophat(rho, f64([1.0, 1.0, 2.0]), f64(4.0), torch.float64).tolist() == [2.0, 0.0]


def test_tophat_gradient_is_that_of_the_counts() -> None:
    """Inside, the slope by one count is the product of the others; the distance has none."""
    counts = f64([2.0, 3.0, 4.0]).requires_grad_()
    got = tophat(f64([0.1, 0.9]).requires_grad_(), counts, f64(1.0), torch.float64)
    (by_counts,) = torch.autograd.grad(got.sum(), counts)
    assert by_counts.tolist() == [12.0, 8.0, 6.0]
