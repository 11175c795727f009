"""One sentence and PASS or FAIL for every way in which a run may end."""

import pytest

from nbparity import outcome
from nbparity.errors import ExitCode
from nbparity.verdict import EXIT_CODES, Name


def facts(name, *, blocked=None, changed=(), tests_failed=False, replaced=()):
    """The summary and the facts of a run, as far as the outcome needs them."""
    tests = {"failed": tests_failed, "status": "passed", "counts": {"passed": 1}, "skips": []}
    summary = {
        "verdict": {"name": name.value, "reasons": []},
        "protected_assets": {"changed": list(changed)},
        "tests": tests,
    }
    programs = {program: {"replaced": program in replaced} for program in outcome.OURS}
    return summary, {"blocked": blocked, "programs": programs}


def ended(name, **how):
    """The outcome of such a run."""
    summary, run = facts(name, **how)
    return outcome.of(None, summary, run)


def test_every_verdict_has_its_sentence():
    """A whole one, another for each, and PASS where the exit status is 0 and only there."""
    found = {name: ended(name, blocked={"reason": "x"} if name is Name.BLOCKED else None) for name in Name}
    assert len({one.said for one in found.values()}) == len(Name)
    for name, one in found.items():
        assert one.said.endswith(".") and one.said[0].isupper() and "{" not in one.said
        assert len(one.said.split()) <= 20  # read in five seconds
        assert one.result == (outcome.PASS if EXIT_CODES[name] is ExitCode.OK else outcome.FAIL)


def test_the_sentences_say_who_agrees_with_whom():
    """C is our own program, and is not called the historical one."""
    assert ended(Name.C_PARITY_001).said == (
        "The simulator matches the specification bit for bit;"
        " our rebuild of the old nanoBragg differs by one known defect."
    )
    assert "so does our rebuild of the old nanoBragg" in ended(Name.IDENTICAL).said


@pytest.mark.parametrize(
    ("how", "code", "words"),
    [
        ({"changed": ["a"]}, ExitCode.NOT_INTACT, "changed during the run"),
        ({"tests_failed": True}, ExitCode.TESTS_FAILED, "not the tests of the simulator"),
    ],
)
def test_a_good_verdict_may_be_overruled(how, code, words):
    """Then the sentence is about what overrules it."""
    one = ended(Name.IDENTICAL, **how)
    assert (one.exit_code, one.result) == (code, outcome.FAIL)
    assert words in one.said


def test_a_program_of_the_user_is_called_so():
    """Nothing is said of ours then."""
    said = ended(Name.C_PARITY_001, replaced=["c", "py"]).said
    assert said.startswith("The program given as py matches the specification")
    assert "the program given as c differs by one known defect" in said
