"""The parity matrix and the golden suite, with fake programs."""

import json

import numpy as np
import pytest

from nbparity import cases, golden, matrix, programs, thresholds
from nbparity.__main__ import main
from nbparity.errors import ExitCode

CASES = """[base]
small = "-flux 1e18"

[[case]]
id = "from-zero"
base = "small"
argv = "-phi 0"
inputs = ["data.txt"]
cause = "C-PARITY-001"
without = "-phi 1"
why = "the fake historical program differs"

[[case]]
id = "away"
base = "small"
argv = "-phi 3"
inputs = ["data.txt"]
why = "all agree"

[[case]]
id = "new"
base = "small"
argv = "-phi 0 -physics corrected"
inputs = ["data.txt"]
why = "the historical program is not asked"
"""


@pytest.fixture
def suite(site):
    """The small checkout with cases."""
    folder = site.root / cases.FOLDER
    (folder / cases.INPUTS).mkdir(parents=True)
    (folder / cases.INPUTS / "data.txt").write_text("1 0 0 5\n")
    (folder / cases.FILE).write_text(CASES)
    return site


@pytest.fixture
def command(suite):
    """Run a command of the harness on it."""

    def run(name, *arguments):
        bins = [f"{option}={suite.root / 'programs' / program}" for option, program in BINS.items()]
        return main([name, "--root", str(suite.root), *bins, *arguments])

    return run


BINS = {"--c-bin": "c", "--spec-bin": "spec", "--py-bin": "py"}


def results(suite, *ids):
    """Run the matrix; case -> result."""
    located = programs.locate(
        suite.root, **{f"{name}_bin": str(suite.root / "programs" / name) for name in ("c", "spec", "py")}
    )
    found = matrix.run_matrix(suite.root, cases.load(suite.root, list(ids)), located, thresholds.load(), 2)
    return {result.case.id: result for result in found}


def test_a_named_cause_explains_its_case(suite):
    """The images differ, and with the cause switched off they are the same bits."""
    found = results(suite)
    assert all(result.passed for result in found.values())
    assert found["from-zero"].c_vs_c_spec.differing_pixels > 0
    assert found["from-zero"].ablation.identical
    assert found["away"].c_vs_c_spec.identical and found["away"].ablation is None
    assert found["new"].c_vs_c_spec is None and "c" not in found["new"].wall_s


def test_a_difference_without_a_cause_fails(suite):
    """The historical program may differ only for a reason."""
    (suite.root / cases.FOLDER / cases.FILE).write_text(
        CASES.replace('cause = "C-PARITY-001"\nwithout = "-phi 1"\n', "")
    )
    assert results(suite, "from-zero")["from-zero"].problems == ["c differs from c_spec in 47 pixels"]


def test_a_cause_that_does_not_show_fails(suite):
    """A reason that explains nothing is stale."""
    suite.program("c")
    problems = results(suite, "from-zero")["from-zero"].problems
    assert problems == ["C-PARITY-001 is named and does not show: c and c_spec are the same"]


def test_a_cause_that_does_not_explain_fails(suite):
    """What stays with the cause switched off is something else."""
    suite.program("c", historical=True, factor=1.5)
    (problem,) = results(suite, "from-zero")["from-zero"].problems
    assert problem == "with C-PARITY-001 switched off (-phi 1) c and c_spec still differ: 48"


def test_one_pixel_of_the_simulator_fails_and_its_trace_is_named(suite):
    """The worst pixel is traced with both programs."""
    suite.program("spec", say="TRACE_C: hkl_frac 1 2 3")
    suite.program("py", pixel=[13, 7.25], say="TRACE_C: hkl_frac 1 2 3.5")
    suite.program("c")
    (problem,) = results(suite, "away")["away"].problems
    assert problem == (
        "py differs from c_spec in 1 of 48 pixels; pixel slow 1 fast 5: hkl_frac: 1 2 3.5 against 1 2 3"
    )


@pytest.mark.parametrize("program", ["c", "spec", "py"])
def test_a_program_that_fails_is_named(suite, program):
    """With its exit status and its last words."""
    suite.program(program, status=9)
    name = "c_spec" if program == "spec" else program
    assert f"{name} ended with 9: fake: it does not work" in results(suite, "away")["away"].problems


def test_the_command_leaves_a_table(command, suite, capsys):
    """One row per case, every figure beside it, the counts on the screen."""
    assert command("matrix") == ExitCode.OK
    (folder,) = (suite.root / "reports" / "parity_matrix").iterdir()
    assert "3 of 3 cases pass" in capsys.readouterr().out
    rows = (folder / "matrix.md").read_text().splitlines()
    assert sum(row.startswith(("| from-zero | pass", "| away | pass", "| new | pass")) for row in rows) == 3
    data = json.loads((folder / "matrix.json").read_text())
    assert [case["id"] for case in data["cases"]] == ["from-zero", "away", "new"]


def test_the_command_runs_one_case_and_says_what_is_wrong(command, suite, capsys):
    """Exit status 4, the case and the reason."""
    suite.program("py", factor=2)
    assert command("matrix", "--case", "away") == ExitCode.UNEXPLAINED
    out = capsys.readouterr().out
    assert "away: py differs from c_spec in 48 of 48 pixels" in out and "0 of 1 cases pass" in out


def test_the_suite_is_written_and_then_holds(command, suite, capsys):
    """Images and hashes of the specification program; both programs agree with them."""
    assert command("golden", "--write") == ExitCode.OK
    stored = np.load(golden.image_path(suite.root, "away"))
    assert stored.shape == (6, 8) and stored.dtype == np.float32
    assert set(golden.stored_outputs(suite.root)["away"]) == {"floatimage.bin"}
    assert command("golden") == ExitCode.OK
    assert "c_spec: 3 of 3 cases as stored\npy: 3 of 3 cases as stored" in capsys.readouterr().out


def test_writing_leaves_nothing_of_an_earlier_suite(command, suite):
    """An image without a case goes."""
    assert command("golden", "--write") == ExitCode.OK
    np.save(golden.image_path(suite.root, "gone"), np.zeros((1, 1), np.float32))
    assert command("golden", "--write") == ExitCode.OK
    assert not golden.image_path(suite.root, "gone").exists()


def test_a_changed_pixel_and_a_changed_file_are_named(command, suite, capsys):
    """By case and program, with exit status 4."""
    assert command("golden", "--write") == ExitCode.OK
    suite.program("py", pixel=[3, 1.5])
    assert command("golden", "--case", "away") == ExitCode.UNEXPLAINED
    out = capsys.readouterr().out
    assert "away (py): 1 of 48 pixels differ, up to" in out and "c_spec: 1 of 1 cases as stored" in out


def test_a_failing_program_writes_no_suite(command, suite, capsys):
    """The old one stays whole."""
    assert command("golden", "--write") == ExitCode.OK
    before = (suite.root / cases.FOLDER / golden.OUTPUTS).read_bytes()
    suite.program("spec", status=9)
    assert command("golden", "--write") == ExitCode.BLOCKED
    assert "away: c_spec ended with 9" in capsys.readouterr().err
    assert (suite.root / cases.FOLDER / golden.OUTPUTS).read_bytes() == before


def test_writing_a_part_is_refused(command):
    """A suite is made by one program in one go."""
    assert command("golden", "--write", "--case", "away") == ExitCode.USAGE
