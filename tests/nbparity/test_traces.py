"""Reading and comparing pixel traces (C7)."""

import pytest

from nbparity.traces import Entry, entries, first_difference

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
