"""Random rotations and their angles (R7, R8, R11.6, R11.7)."""

from __future__ import annotations

import math

import pytest

from nanobrag_torch.random_numbers.rotation import Matrix, angles, cap
from nanobrag_torch.random_numbers.uniform import Stream

DEGREES = float.fromhex("0x1.ca5dc1a63c1f8p+5")


@pytest.mark.parametrize(
    ("seed", "expected"),
    [
        (12345, (105.72075473063306, -34.951318363186608, -97.823571440655073)),
        (54321, (-27.529714861379333, 53.373759381330366, 91.879164574859843)),
        (1, (4.6629571628284801, -11.844978845829706, 17.6225480239485)),
    ],
)
def test_random_orientation(seed: int, expected: tuple[float, ...]) -> None:
    """R11.6, a cap of 90 radians."""
    got = [angle * DEGREES for angle in angles(cap(90.0, Stream(-seed)))]
    assert got == pytest.approx(expected, rel=2e-16 * 4, abs=0)


def test_random_matrix() -> None:
    """The matrix of R11.6, exactly."""
    assert cap(90.0, Stream(-12345)) == (
        (-0.11157185802898434, -0.19336190353327237, -0.9747629941467566),
        (-0.81200982706876235, 0.58320038697461762, -0.022745315482872119),
        (0.57288023289315815, 0.78897939320025712, -0.22208051662771988),
    )


def test_mosaic_domains() -> None:
    """R11.7: three domains of the default stream, exactly."""
    stream = Stream(-12345678)
    drawn = [cap(0.5 / DEGREES, stream) for _ in range(3)]
    assert drawn[0][0] == (0.99996612375044724, 0.0082266013279829672, -0.00027273081166300314)
    assert drawn[2] == (
        (0.9999914359922164, 0.0028416441030047652, 0.0030088205358383916),
        (-0.0028584857919053165, 0.99998018943075295, 0.0056080125724695118),
        (-0.0029928249535347059, -0.0056165652161582636, 0.99997974839192127),
    )
    shown = [angle * DEGREES for angle in angles(drawn[1])]
    assert shown == pytest.approx([0.027874430867143443, 0.12204790827016986, 0.45700774695586477], rel=1e-13)


def test_second_domain_of_the_check_value() -> None:
    """P10.2: the second domain of V8, as hexadecimal numbers."""
    stream = Stream(-12345678)
    cap(0.5 / DEGREES, stream)
    assert [x.hex() for x in cap(0.5 / DEGREES, stream)[0]] == [
        "0x1.fffb887ebdd50p-1",
        "-0x1.05548f11035b3p-7",
        "0x1.17b36f52409a8p-9",
    ]


def test_angles_at_the_pole() -> None:
    """R8, second line of the table."""
    quarter: Matrix = ((0.0, 0.6, 0.8), (0.0, 0.8, -0.6), (-1.0, 0.0, 0.0))
    assert angles(quarter) == (math.pi, math.pi / 2, math.atan2(0.6, -0.8))
