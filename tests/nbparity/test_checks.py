"""Every figure that decides, beside its limit."""

import json

import pytest

from nbparity import checks, layout
from nbparity.errors import ExitCode


def results(folder):
    """What each check of a bundle says, by its name."""
    run, summary = (
        json.loads((folder / name).read_text(encoding="utf-8")) for name in (layout.RUN, layout.SUMMARY)
    )
    return {check.what: check.result for check in checks.checks(run, summary)}


@pytest.mark.parametrize(
    ("program", "behaviour", "failing"),
    [
        ("py", {"pixel": (9, 12.000001)}, {"py vs c_spec: bit-identical fraction"}),
        (
            "py",
            {"ignores_flux": True},
            {"py vs c_spec: bit-identical fraction", "py vs c_spec: ratio of sums"},
        ),
        ("py", {"ignores_roi": True}, {"py: pixels outside the region that are not zero"}),
        (
            "py",
            {"pixel": (9, "nan")},
            {"py vs c_spec: bit-identical fraction", "py vs c_spec: ratio of sums"},
        ),
        (
            "c",
            {"historical": True, "factor": 1.0625},
            {"c vs c_spec with C-PARITY-001 switched off: differing pixels"},
        ),
    ],
)
def test_the_check_that_fails_is_the_one_for_the_fault(site, program, behaviour, failing):
    """And no other, so that a reader sees where to look."""
    site.program(program, **behaviour)
    outcome = site.run()
    assert outcome.exit_code != ExitCode.OK
    found = results(outcome.folder)
    assert {what for what, result in found.items() if result == checks.FAIL} == failing


@pytest.mark.parametrize("historical", [True, False])
def test_nothing_fails_where_the_verdict_is_good(site, historical):
    """The difference of c is open by itself; the experiment that explains it passes."""
    site.program("c", historical=historical)
    outcome = site.run()
    assert outcome.exit_code == ExitCode.OK
    found = results(outcome.folder)
    assert checks.FAIL not in found.values()
    assert found["c vs c_spec: differing pixels"] == (checks.OPEN if historical else checks.PASS)


def test_failing_tests_fail(site):
    """They are part of what a bundle shows."""
    site.pytest_line, site.pytest_status = "1 failed, 1 passed", 1
    assert results(site.run().folder)["tests of phi = 0"] == checks.FAIL
