"""Gaussian and Poisson deviates, one by one and by the image (R3 to R5, R11)."""

from __future__ import annotations

import numpy as np
import pytest

from nanobrag_torch.random_numbers.deviates import Deviates, log_gamma
from nanobrag_torch.random_numbers.poisson_image import poisson_image
from nanobrag_torch.random_numbers.uniform import Stream

POISSON = [
    (-1, 0, "0 0 0 0 0 0 0 0 0 0", 937186357),
    (-1, 0.5, "0 0 1 1 1 1 0 1 0 1", 357571490),
    (-1, 5, "5 5 8 5 6 6 1 5 5 3", 578354438),
    (-1, 11.9, "15 14 12 13 16 11 10 12 15 9", 543436550),
    (-1, 12, "7 10 10 13 10 9 11 7 10 5", 34075629),
    (-1, 50, "40 47 46 52 46 44 49 40 46 36", 34075629),
    (-1, 1e4, "9864 9968 9730 9946 10032 9952 10138 9925 10027 10003", 1478446501),
    (-1, 1e6, "997306 999464 1000328 999528 1001388 1000272 998457 999607 1000147 1001116", 589673557),
    (
        -1,
        2e6,
        "1998816.5 1999756.38 2000264.62 2002284.62 1999750 "
        "2000923.62 1999227.38 2000274.62 2001309.12 2001703.12",
        937186357,
    ),
    (-12345, 0.5, "1 0 4 0 0 2 0 0 0 1", 1217317213),
    (-12345, 5, "8 3 7 4 4 2 9 4 6 5", 944708393),
    (-12345, 11.9, "14 13 14 13 10 12 12 19 9 5", 1121890477),
    (-12345, 12, "10 10 15 10 12 10 9 20 12 20", 321404760),
    (-12345, 50, "47 47 57 47 51 47 45 51 68 55", 1234426335),
    (-12345, 1e4, "9965 9960 10109 9968 10015 9992 10157 10135 9834 10044", 928429115),
    (-12345, 1e6, "999651 1001090 1000152 999920 1001350 1002314 1001105 998411 1000860 1000078", 1582844889),
    (
        -12345,
        2e6,
        "1999680.75 2000809.62 2000229 2001138.62 1999210.62 "
        "1999287.38 2000255.62 2000525.62 1999867.5 1999569.62",
        1556804409,
    ),
]
MIXED_MEANS = [0.5, 5, 11.9, 12, 50, 1e4, 1e6, 2e6] * 3
MIXED = [
    (
        -1,
        "0 6 15 9 49 9872 999563 1998075.12 1 6 12 9 46 10111 998988 1998891.62 "
        "0 2 10 9 44 10070 999925 1999592.25",
        685583454,
    ),
    (
        -12345,
        "1 7 14 12 68 9798 1000718 2002756.12 0 8 13 22 37 10204 1000488 2000892.25 "
        "0 4 9 10 40 10239 1001206 1999389.75",
        561783797,
    ),
]
SERIES = [(seed, [mean] * 10, text, state) for seed, mean, text, state in POISSON]
SERIES += [(seed, MIXED_MEANS, text, state) for seed, text, state in MIXED]


@pytest.mark.parametrize(
    ("seed", "expected"),
    [
        (-1, "bf563c10 be306a29 3e3f9bc2 3fcec6bb be350443 3f27347e"),
        (-12345, "be672e14 3f128fb1 3e25cc14 3f4e1bc7 bf0ee694 bf00ff27"),
    ],
)
def test_gaussian(seed: int, expected: str) -> None:
    """R11.2."""
    deviates = Deviates(Stream(seed))
    assert " ".join(f"{deviates.gaussian().view(np.uint32):08x}" for _ in range(6)) == expected


@pytest.mark.parametrize(
    ("z", "bits"),
    [
        (0.25, 0x3FA4DDEC),
        (0.5, 0x3F128682),
        (1, 0x00000000),
        (2, 0xA6000000),
        (3, 0x3F317218),
        (12, 0x418C04BA),
        (13, 0x419FE5D1),
        (51, 0x43147A4F),
        (100.5, 0x43B4B7C0),
        (10001, 0x47A05E77),
        (1000001, 0x4B438C9E),
        (1500000, 0x4B974D51),
    ],
)
def test_log_gamma(z: float, bits: int) -> None:
    """R11.3."""
    assert log_gamma(np.float32(z)).view(np.uint32) == bits


@pytest.mark.parametrize(("seed", "means", "expected", "state"), SERIES)
@pytest.mark.parametrize("by_image", [False, True])
def test_poisson(seed: int, means: list[float], expected: str, state: int, by_image: bool) -> None:
    """R11.4 and R11.5, by the plain and by the fast method; shown with nine digits."""
    stream = Stream(seed)
    if by_image:
        values = poisson_image(np.array(means, dtype=np.float32), stream).tolist()
    else:
        deviates = Deviates(stream)
        values = [float(deviates.poisson(np.float32(mean))) for mean in means]
    assert " ".join(f"{value:.9g}" for value in values) == expected
    assert stream.state == state


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [
        ("sparse", -8, -1.6),
        ("product", -1, 1.07),
        ("low rejection", 1.08, 2.5),
        ("rejection", 3, 6),
        ("everything", -4, 6.5),
    ],
)
def test_image_equals_one_by_one(name: str, lowest: float, highest: float) -> None:
    """The fast method consumes and returns the same numbers as the plain one."""
    means = (10 ** np.random.default_rng(7).uniform(lowest, highest, 20000)).astype(np.float32)
    means[::97] = 0
    require_same(means)


ALONG = np.linspace(0, 1, 9000)
BRIGHT = {
    "flat": np.full(9000, 30.0),
    "lowest": np.full(9000, 12.0),
    "highest": np.full(9000, 1e6),
    "slope": 12 + 300 * ALONG,
    "steep slope": 10 ** (1.1 + 4.8 * ALONG),
    "waves": 50 + 37 * np.sin(300 * ALONG),
    "steps": 20 + 500 * (np.arange(9000) // 700 % 2),
    "spots": 15 + 1e5 * np.exp(-((np.arange(9000) % 1500 - 700) ** 2) / 8),
    "unlike neighbours": np.random.default_rng(7).uniform(20, 40, 9000),
}


@pytest.mark.parametrize("name", BRIGHT)
def test_bright_image_equals_one_by_one(name: str) -> None:
    """Attempts in bulk: where neighbours are alike, where not, and from one to the other."""
    require_same(BRIGHT[name].astype(np.float32))


def require_same(means: np.ndarray) -> None:
    """The image's deviates are those of one pixel after the other, and so is the stream behind it."""
    stream, twin = Stream(-4711), Stream(-4711)
    plain = Deviates(twin)
    expected = [float(plain.poisson(mean)) for mean in means]
    assert poisson_image(means, stream).tolist() == expected
    assert stream.state == twin.state


def test_no_pixels() -> None:
    """An empty selection draws nothing."""
    assert len(poisson_image(np.empty(0, dtype=np.float32), Stream(-1))) == 0
