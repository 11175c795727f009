"""The cases as data: read strictly, and complete."""

import itertools
import re
import shlex
import subprocess
import sys
import tomllib

import pytest

from nbparity import cases
from nbparity.errors import UsageError

GOOD = """[base]
small = "-N 5 -floatfile 'a b.bin'"

[[case]]
id = "one"
base = "small"
argv = "-phi 0 -osc 1"
inputs = ["x.hkl"]
cause = "C-PARITY-001"
without = "-phi 1e-9"
why = "to be read"
"""
# not an image, or not of the specification program
WITHOUT_IMAGE = {"-h", "--help", "--version", "-hkl_column"}


@pytest.fixture
def checkout(tmp_path):
    """Write a case file into an empty checkout and return its root."""

    def write(text):
        folder = tmp_path / cases.FOLDER
        (folder / cases.INPUTS).mkdir(parents=True)
        (folder / cases.INPUTS / "x.hkl").write_text("0 0 0 1\n")
        (folder / cases.FILE).write_text(text)
        return tmp_path

    return write


def test_a_case_is_its_base_and_its_arguments(checkout, tmp_path):
    """Split as a shell does; the float image is found by its option."""
    root = checkout(GOOD)
    (case,) = cases.load(root)
    assert case.args == ("-N", "5", "-floatfile", "a b.bin", "-phi", "0", "-osc", "1")
    assert (case.float_file, case.cause, case.without) == ("a b.bin", "C-PARITY-001", ("-phi", "1e-9"))
    case.copy_inputs(root, tmp_path)
    assert (tmp_path / "x.hkl").read_text() == "0 0 0 1\n"
    assert cases.load(root, ["one"]) == [case]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("why =", "because ="), "expected"),
        (('base = "small"', 'base = "big"'), "base 'big', expected one of small"),
        (('without = "-phi 1e-9"\n', ""), "expected both of cause and without"),
        (("", GOOD.partition("\n\n")[2]), "ids used twice: one"),
    ],
)
def test_a_wrong_case_is_named(checkout, change, said):
    """File, case and what was expected."""
    text = GOOD.replace(*change) if change[0] else GOOD + change[1]
    with pytest.raises(UsageError, match=re.escape(said)):
        cases.load(checkout(text))


def test_an_unknown_case_is_refused(checkout):
    """With the known ones."""
    with pytest.raises(UsageError, match=r"no case 'two' \(known: one\)"):
        cases.load(checkout(GOOD), ["two"])


def spellings(root):
    """Canonical option -> all spellings, from the usage text of the simulator."""
    done = subprocess.run(
        [sys.executable, "-m", "nanobrag_torch", "-h"], cwd=root, capture_output=True, text=True, check=True
    )
    rows = re.findall(r"^  ((?:--?[\w]+ ?)+)", done.stdout, flags=re.MULTILINE)
    return {row.split()[0]: row.split() for row in rows}


def test_every_option_is_in_a_case(root):
    """No option of the command line is without an image that it takes part in."""
    used = {word for case in cases.load(root) for word in case.args}
    missing = [
        name
        for name, names in spellings(root).items()
        if name not in WITHOUT_IMAGE and not used.intersection(names)
    ]
    assert not missing


def test_every_two_features_meet(root):
    """Each pair of pieces of physics is together in at least one case, unless the data say why not."""
    data = tomllib.loads((root / cases.FOLDER / cases.FILE).read_text(encoding="utf-8"))
    features = {name: shlex.split(text) for name, text in data["feature"].items()}
    present = [
        {name for name, words in features.items() if holds(case.args, words)} for case in cases.load(root)
    ]
    exclusive = [set(row["features"]) for row in data["exclusive"]]
    apart = [
        pair
        for pair in itertools.combinations(features, 2)
        if not any(set(pair) <= row for row in exclusive) and not any(set(pair) <= case for case in present)
    ]
    assert not apart


def holds(args, words):
    """Whether the words stand in the arguments, one after the other."""
    return any(args[start : start + len(words)] == tuple(words) for start in range(len(args)))


def test_ids_and_reasons_are_there(root):
    """At least 120 cases, each with a reason that is not another's name."""
    every = cases.load(root)
    assert len(every) >= 120 and all(case.why for case in every)
