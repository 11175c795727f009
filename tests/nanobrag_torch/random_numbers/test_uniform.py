"""Uniform deviates (R1, R2, vectors of R11.1)."""

from __future__ import annotations

import numpy as np
import pytest

from nanobrag_torch.random_numbers.uniform import Stream

FIRST_TEN = {
    -1: "3ed4fdde 3dbc5817 3f41a41e 3f079a6f 3f6e3116 3ec45a62 3f27673c 3d88e495 3f390046 3f2bd072",
    -12345: "3f6c51a1 3eaa9231 3e4aa343 3f730d4d 3f48a724 3f7bdfdd 3f6a046d 3f15520e 3e56273f 3e360cb7",
    -12345678: "3f4417e0 3cc021e6 3f16f853 3f08fc6b 3f7b7385 3f316981 3ea802de 3e975e59 3f599438 3f179e78",
}


def bits(deviate: float) -> str:
    """Hexadecimal bits of a binary32 number."""
    return f"{np.float32(deviate).view(np.uint32):08x}"


@pytest.mark.parametrize(
    ("seed", "states", "last_bits", "sums"),
    [
        (
            -1,
            (937186357, 1222648128, 1281355185),
            ("3f1390ec", "3e635947"),
            (500.11592045566067, 500027.99097830709),
        ),
        (
            -12345,
            (1071170776, 1076069044, 2112698670),
            ("3f67d0f7", "3e990972"),
            (493.79945924971253, 500387.35773804691),
        ),
        (
            -12345678,
            (1481110328, 206479895, 750183394),
            ("3ee68a6a", "3e496e2d"),
            (496.14524820074439, 500069.29586243723),
        ),
    ],
)
def test_vectors(
    seed: int, states: tuple[int, ...], last_bits: tuple[str, ...], sums: tuple[float, ...]
) -> None:
    """One by one and a million at a time give the numbers of R11.1."""
    stream = Stream(seed)
    first = [stream.draw() for _ in range(10)]
    assert " ".join(map(bits, first)) == FIRST_TEN[seed]
    assert stream.state == states[0]
    rest = stream.take(990)
    assert (bits(rest[-1]), stream.state) == (last_bits[0], states[1])
    many = stream.take(999000)
    assert (bits(many[-1]), stream.state) == (last_bits[1], states[2])
    everything = np.concatenate([first, rest, many]).astype(np.float64)
    assert np.cumsum(everything)[[999, -1]].tolist() == list(sums)
    assert stream.drawn == 1000000


def test_seed_zero_is_seed_one() -> None:
    """R2.3."""
    assert Stream(0).take(5).tolist() == Stream(-1).take(5).tolist()


def test_smallest_seed() -> None:
    """The last line of R11.1."""
    stream = Stream(-2147483646)
    expected = [0.933157742, 0.616497934, 0.582514048, 0.313227296, 0.298809409]
    assert stream.take(5).tolist() == [float(np.float32(x)) for x in expected]
    assert stream.state == 748358162


@pytest.mark.parametrize("seed", [1, -2147483647])
def test_impossible_seeds(seed: int) -> None:
    """Positive and too small stream variables have no defined start (R2.4, R2.5)."""
    with pytest.raises(ValueError, match="seed must be"):
        Stream(seed)


def test_looking_ahead_consumes_nothing() -> None:
    """``ahead`` shows what ``draw`` will return."""
    stream, twin = Stream(-5), Stream(-5)
    shown = stream.ahead(200)[:200].copy()
    assert shown.tolist() == [stream.draw() for _ in range(200)]
    twin.ahead(150)
    twin.skip(200 - 150)
    assert twin.draw() == shown[50]


def test_deviates_stay_below_one() -> None:
    """0 < u < 1, with the largest value of R1.4."""
    deviates = Stream(-3).take(3_000_000)
    assert deviates.min() > 0
    assert deviates.max() <= np.uint32(0x3F7FFFFE).view(np.float32)
