"""Reading and comparing pixel traces (C7)."""

import math

import pytest

from nbparity.traces import (
    Entry,
    PhiStep,
    Row,
    entries,
    first_difference,
    last,
    phi_steps,
    relative_difference,
    side_by_side,
)

TEXT = """banner
TRACE_C: hkl_frac -0.25 1 2.5
TRACE_C_PHI phi_tic=1 phi_deg=0.5 k_frac=1.25 F_latt_b=2 F_latt=-3
TRACE_C: steps 10
"""


def test_lines_become_entries_in_their_order():
    """Other lines are skipped; a spindle line gives one entry for each number."""
    assert entries(TEXT) == [
        Entry("hkl_frac", (-0.25, 1.0, 2.5)),
        Entry("phi_deg of phi step 1", (0.5,)),
        Entry("k_frac of phi step 1", (1.25,)),
        Entry("F_latt_b of phi step 1", (2.0,)),
        Entry("F_latt of phi step 1", (-3.0,)),
        Entry("steps", (10.0,)),
    ]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("1 2.5", "1 2.5000001"), "hkl_frac: -0.25 1 2.5000001 against -0.25 1 2.5"),
        (("k_frac=1.25", "k_frac=1.26"), "k_frac of phi step 1: 1.26 against 1.25"),
        (("steps 10", "stops 10"), "line 6: stops against steps"),
        (("TRACE_C: steps 10\n", ""), "5 lines against 6"),
        (("steps 10", "steps nan"), "steps: nan against 10"),
        (("1 2.5", "1"), "hkl_frac: -0.25 1 against -0.25 1 2.5"),
    ],
)
def test_the_first_key_that_differs_is_named(changed, said):
    """With both values."""
    assert first_difference(entries(TEXT.replace(*changed)), entries(TEXT), 1e-9) == said


def test_the_last_bits_do_not_part_two_traces():
    """A difference below the limit, measured by the largest component of a vector, is none."""
    near = TEXT.replace("-0.25 1 2.5", "-0.2500000000001 1 2.5")
    assert first_difference(entries(near), entries(TEXT), 1e-12) == ""
    assert first_difference(entries(near), entries(TEXT), 1e-14).startswith("hkl_frac")


def test_spindle_steps_are_summed_over_their_lines():
    """A second sub-pixel prints each step again; squares add up, the sign of F_latt does not count."""
    lines = [
        f"TRACE_C_PHI phi_tic={step} phi_deg={step / 2} k_frac=0 F_latt_b=1 F_latt={value}"
        for step, value in [(0, -3), (1, 2), (0, 4), (1, 1)]
    ]
    assert phi_steps("\n".join(lines)) == [
        PhiStep(number=0, phi_deg=0.0, f_latt_squared=25.0),
        PhiStep(number=1, phi_deg=0.5, f_latt_squared=5.0),
    ]


@pytest.mark.parametrize("line", ["TRACE_C_PHI phi_deg=1 F_latt=2", "TRACE_C: steps ten", "TRACE_C_PHI x"])
def test_a_line_of_another_format_is_an_error(line):
    """A program of the user's may print anything."""
    with pytest.raises(ValueError, match="."):
        entries(line)


def test_traces_stand_side_by_side_by_their_keys():
    """Also where one program prints a key more, and where a key comes again."""
    x = [Entry("a", (1.0,)), Entry("b", (2.0,)), Entry("a", (3.0,))]
    r = [Entry("a", (1.5,)), Entry("c", (4.0,)), Entry("a", (3.0,))]
    assert side_by_side({"x": x, "r": r}) == [
        Row(key="a", values={"x": (1.0,), "r": (1.5,)}),
        Row(key="b", values={"x": (2.0,)}),
        Row(key="a (2)", values={"x": (3.0,), "r": (3.0,)}),
        Row(key="c", values={"r": (4.0,)}),
    ]


@pytest.mark.parametrize(
    ("x", "r", "expected"),
    [
        ((1.0, 2.0), (1.0, 2.0), 0.0),
        ((1.0, 2.5), (1.0, 2.0), 0.25),
        ((1e-30, 4.0), (0.0, 4.0), 2.5e-31),
        ((math.nan,), (math.nan,), 0.0),
        ((math.nan,), (1.0,), None),
        ((math.inf,), (1.0,), None),
        ((1.0,), (0.0,), None),
        ((1.0,), (1.0, 2.0), None),
    ],
)
def test_a_relative_difference_is_measured_by_the_largest_component(x, r, expected):
    """And there is none where the reference gives no measure."""
    assert relative_difference(x, r) == expected


def test_the_last_number_of_a_key_counts():
    """Sums are printed once, at the end; what is not finite is none."""
    trace = [Entry("polar", (0.5,)), Entry("polar", (0.75,)), Entry("x", (math.inf,)), Entry("v", (1.0, 2.0))]
    assert [last(trace, key) for key in ("polar", "x", "v", "none")] == [0.75, None, None, None]
