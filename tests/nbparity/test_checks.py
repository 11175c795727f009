"""Every figure that decides, beside its limit; what cannot fail is information."""

import json

import pytest

from nbparity import checks, layout, pytest_log
from nbparity.errors import ExitCode

UNEXPLAINED = "c vs c_spec: differing pixels that no experiment explains"
TESTS = "tests of the simulator at phi = 0"


def facts(folder):
    """The facts and the summary of a bundle."""
    return [json.loads((folder / name).read_text(encoding="utf-8")) for name in (layout.RUN, layout.SUMMARY)]


def results(folder):
    """What each check of a bundle says, by its name."""
    return {check.what: check.result for check in checks.checks(*facts(folder))}


@pytest.mark.parametrize(
    ("program", "behaviour", "failing"),
    [
        ("py", {"pixel": (9, 12.000001)}, {"py vs c_spec: bit-identical fraction of pixels"}),
        (
            "py",
            {"ignores_flux": True},
            {"py vs c_spec: bit-identical fraction of pixels", "py vs c_spec: ratio of sums"},
        ),
        ("py", {"ignores_roi": True}, {"py: pixels outside the region that are not zero"}),
        (
            "py",
            {"pixel": (9, "nan")},
            {"py vs c_spec: bit-identical fraction of pixels", "py vs c_spec: ratio of sums"},
        ),
        ("c", {"historical": True, "factor": 1.0625}, {UNEXPLAINED}),
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
    """The difference of c has no limit; that an experiment explains it is a check."""
    site.program("c", historical=historical)
    outcome = site.run()
    assert outcome.exit_code == ExitCode.OK
    found = results(outcome.folder)
    assert checks.FAIL not in found.values()
    assert found[UNEXPLAINED] == checks.PASS


def test_what_cannot_fail_is_information(sealed):
    """It follows from the bits, has no limit, or decides nothing; none of it is counted as passed."""
    found = results(sealed)
    assert {what for what, result in found.items() if result == checks.INFO} == {
        "py vs c_spec: ratio of sums",
        "c vs c_spec: differing pixels",
        *(f"{name}: the traced pixel is that of the image" for name in layout.IMAGES),
    }
    passing = sum(result == checks.PASS for result in found.values())
    counted = f"{passing} checks pass, 0 fail; 5 figures are information."
    assert checks.counts(checks.checks(*facts(sealed))) == counted
    assert f"\n{counted} " in (sealed / layout.ANALYSIS).read_text(encoding="utf-8")


def test_every_check_that_passes_fails_for_some_bundle(sealed):
    """Each figure moved beyond its limit, one after another, makes its check fail."""
    run, summary = facts(sealed)
    moved = {
        "py vs c_spec: bit-identical fraction of pixels": ("pairs.py_vs_c_spec.bit_identical_fraction", 0.5),
        "c: pixels outside the region that are not zero": ("outside.c", 1),
        "c_spec: pixels outside the region that are not zero": ("outside.c_spec", 1),
        "py: pixels outside the region that are not zero": ("outside.py", 1),
        UNEXPLAINED: ("ablation.differing_pixels", 1),
        TESTS: ("tests.failed", True),
        f"changed files of {summary['protected_assets']['files']} protected ones": (
            "protected_assets.changed",
            ["a"],
        ),
    }
    passing = {check.what for check in checks.checks(run, summary) if check.result == checks.PASS}
    assert passing == set(moved)
    for what, (key, value) in moved.items():
        changed = json.loads(json.dumps(summary))
        *levels, last = key.split(".")
        level = changed
        for name in levels:
            level = level[name]
        level[last] = value
        failing = {check.what for check in checks.checks(run, changed) if check.result == checks.FAIL}
        assert failing == {what}


@pytest.mark.parametrize("roi", [None, [0, 7, 0, 5]])
def test_without_an_outside_nothing_is_checked_there(sealed, roi):
    """A region that is the whole detector leaves no pixel that could be other than zero."""
    run, summary = facts(sealed)
    run["experiment"]["roi"] = roi
    outside = [check for check in checks.checks(run, summary) if "outside" in check.what]
    assert [check.result for check in outside] == [checks.INFO] * 3
    assert {check.expected for check in outside} == {"the region is the whole detector"}


def test_no_protected_file_is_no_check(sealed):
    """None can change."""
    run, summary = facts(sealed)
    summary["protected_assets"]["files"] = 0
    assert checks.checks(run, summary)[-1].result == checks.INFO


def test_a_figure_beyond_its_limit_is_not_rounded_to_it(sealed):
    """1.01000001 is not 1.01."""
    run, summary = facts(sealed)
    summary["pairs"]["py_vs_c_spec"] |= {"sum_ratio": 1.01000001, "differing_pixels": 1}
    ratio = next(check for check in checks.checks(run, summary) if "ratio" in check.what)
    assert (ratio.result, ratio.found, ratio.expected) == (checks.FAIL, "1.01000001", "0.99 to 1.01")


def test_failing_tests_fail(site):
    """They are part of what a bundle shows."""
    site.pytest_line, site.pytest_status = "1 failed, 1 passed", 1
    assert results(site.run().folder)[TESTS] == checks.FAIL


def test_skipped_tests_are_neither_passed_nor_failed(site):
    """How many, and why, is in the summary, the analysis and the report; the verdict stands."""
    site.pytest_line = "1 passed, 2 skipped"
    reason = "no file A.mat: set NB_DIR\\n"  # of two tests in two places
    site.pytest_skips = f"SKIPPED [1] tests/test_x.py:28: {reason}SKIPPED [1] tests/test_y.py:3: {reason}"
    outcome = site.run()
    assert outcome.exit_code == ExitCode.OK
    found = results(outcome.folder)
    assert (found[TESTS], found["tests that were skipped"]) == (checks.PASS, checks.SKIPPED)
    _, summary = facts(outcome.folder)
    assert summary["tests"] == {
        "failed": False,
        "status": "passed in part",
        "counts": {"passed": 1, "skipped": 2},
        "skips": [{"count": 2, "why": "no file A.mat: set NB_DIR"}],
    }
    for name in (layout.ANALYSIS, layout.REPORT):
        text = (outcome.folder / name).read_text(encoding="utf-8")
        assert "1 passed, 2 skipped" in text
        assert "2 skipped: no file A.mat: set NB_DIR" in text
        assert "tests that were skipped" in text


def test_tests_of_which_none_passes_are_a_failure(site):
    """Pytest ends with 0 where all are skipped."""
    site.pytest_line = "3 skipped"
    outcome = site.run()
    assert outcome.exit_code == ExitCode.TESTS_FAILED
    assert results(outcome.folder)[TESTS] == checks.FAIL


ROW = layout.CommandRow("pytest", "", "", 0, "pytest")


@pytest.mark.parametrize(
    ("log", "status", "words"),
    [
        ("===== 3 passed in 4.24s =====\n", "passed", "3 passed"),
        ("=== 2 passed, 1 warning in 0.01s ===\n", "passed", "2 passed, 1 warning"),
        ("=== 1 passed, 2 skipped in 1.00s (0:00:01) ===\n", "passed in part", "1 passed, 2 skipped"),
        ("=== no tests ran in 0.01s ===\n", "none passed", "none passed: pytest printed no counts"),
        ("killed\n", "none passed", "none passed: pytest printed no counts"),
    ],
)
def test_the_last_line_of_pytest_is_counted(log, status, words):
    """Whatever else it counts."""
    found = pytest_log.read([ROW], log)
    assert (found["status"], pytest_log.words(found)) == (status, words)
    assert found["failed"] == (status == "none passed")


def test_a_run_without_its_tests_says_so():
    """A blocked one may not have come to them; that is no check that failed."""
    tests = pytest_log.read([], "")
    assert pytest_log.words(tests) == "not run"
    found = checks.checks(
        {"thresholds": {}, "experiment": {"shape": [1, 1], "roi": None}},
        {
            "pairs": {},
            "outside": {},
            "trace": None,
            "ablation": None,
            "tests": tests,
            "protected_assets": {"files": 1, "changed": []},
        },
    )
    assert [check.result for check in found] == [checks.INFO, checks.PASS]
