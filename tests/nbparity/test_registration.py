import itertools

import numpy as np
import pytest

from nbparity.registration import match, peaks, register

SPOTS = [(20.0, 30.0, 900.0), (20.0, 60.0, 500.0), (45.0, 12.0, 300.0), (70.0, 70.0, 100.0)]


def image(spots, shape=(90, 100), width=1.5):
    """Gaussian spots at (slow, fast) of a height."""
    slow, fast = np.mgrid[: shape[0], : shape[1]]
    total = np.zeros(shape)
    for s, f, height in spots:
        total += height * np.exp(-((slow - s) ** 2 + (fast - f) ** 2) / (2 * width**2))
    return total.astype(np.float32)


def compared(c, py, count=10):
    return register(c, py, count=count, min_fraction=1e-3, gate_px=1.0)


def test_equal_images_have_every_peak_in_place():
    """Nothing moved."""
    found = compared(image(SPOTS), image(SPOTS))
    assert (found.peaks_c, found.matched_c, found.peaks_py, found.matched_py) == (4, 4, 4, 4)
    assert (found.median_px, found.largest_px, found.matched_fraction) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize("shift", [(0.25, 0.0), (0.0, -0.25), (0.2, 0.3)])
def test_a_shift_below_a_pixel_is_measured(shift):
    """Positions are centroids, so it is seen with its sign; 3 x 3 pixels of a wide spot see part of it."""
    found = compared(image(SPOTS), image([(s + shift[0], f + shift[1], h) for s, f, h in SPOTS]))
    assert found.matched_fraction == 1.0
    for measured, true in ((found.mean_slow_px, shift[0]), (found.mean_fast_px, shift[1])):
        assert np.sign(round(measured, 6)) == np.sign(true)
        assert 0.2 * abs(true) <= abs(round(measured, 6)) <= abs(true)


def test_a_shift_beyond_the_gate_matches_nothing():
    """Peaks two pixels away are other peaks."""
    found = compared(image(SPOTS), image([(s, f + 2, h) for s, f, h in SPOTS]))
    assert (found.matched_c, found.matched_py, found.median_px) == (0, 0, None)
    assert found.matched_fraction == 0.0


def test_a_missing_and_an_additional_peak_are_counted_on_their_sides():
    """Each image is asked for the partners of the other's peaks."""
    found = compared(image(SPOTS), image([*SPOTS[:3], (80.0, 20.0, 50.0), (80.0, 40.0, 40.0)]))
    assert (found.peaks_c, found.matched_c) == (4, 3)
    assert (found.peaks_py, found.matched_py) == (5, 3)


def test_the_end_of_the_list_loses_no_peak():
    """The two weakest change places, and each is still found."""
    swapped = [*SPOTS[:2], (45.0, 12.0, 99.0), (70.0, 70.0, 101.0)]
    found = compared(image(SPOTS), image(swapped), count=3)
    assert (found.matched_c, found.matched_py) == (3, 3)


def test_weak_maxima_are_not_asked_for():
    """Below a thousandth of the brightest."""
    assert compared(image([*SPOTS, (80.0, 20.0, 0.8)]), image(SPOTS)).peaks_c == 4


def test_the_assignment_is_the_best_of_all():
    """Nearest first would pair the second with the first of the others and leave the first alone."""
    mine, theirs = np.array([[0.0, 0.0], [0.0, 0.6]]), np.array([[0.0, 0.5], [0.0, 1.4]])
    assert match(mine, theirs, 1.0).tolist() == [[0, 0], [1, 1]]


@pytest.mark.parametrize("seed", range(5))
def test_the_assignment_agrees_with_trying_all(seed):
    """As many pairs as possible within the gate, and of those the smallest sum of distances."""
    rng = np.random.default_rng(seed)
    mine, theirs = rng.uniform(0, 2, (5, 2)), rng.uniform(0, 2, (6, 2))
    distance = np.hypot(*(mine[:, None] - theirs[None]).transpose(2, 0, 1))
    best = max(
        (sum(within), -sum(d for d, ok in zip(costs, within, strict=True) if ok))
        for order in itertools.permutations(range(6), 5)
        for costs in [[distance[i, j] for i, j in enumerate(order)]]
        for within in [[d <= 0.5 for d in costs]]
    )
    pairs = match(mine, theirs, 0.5)
    found = distance[pairs[:, 0], pairs[:, 1]]
    assert (len(pairs), -found.sum()) == pytest.approx(best)


def test_a_plateau_is_one_peak():
    """Saturated pixels beside each other have one height."""
    flat = np.zeros((7, 7), dtype=np.float32)
    flat[2:4, 2:5] = 5
    positions, heights = peaks(flat)
    assert positions.shape == (1, 2) and heights.tolist() == [5.0]


@pytest.mark.parametrize(
    "empty", [np.zeros((9, 9)), np.full((9, 9), np.nan), np.ones((2, 9)), np.ones((1, 1))]
)
def test_an_image_without_peaks_has_none(empty):
    """Black, undefined, or too small for neighbours; two of them disagree about nothing."""
    found = compared(empty.astype(np.float32), empty.astype(np.float32))
    assert (found.peaks_c, found.peaks_py, found.median_px, found.matched_fraction) == (0, 0, None, 1.0)
