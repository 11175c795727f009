import re
import shutil

import pytest

from nbparity import bundle, campaign, digest, layout, ledger, locks
from nbparity.__main__ import main
from nbparity.errors import ExitCode, NotIntactError, NotWrittenError, UsageError
from nbparity.hashing import sha256_of_file

NAMES = campaign.ledger()
PLAN = f"# Plan\n\nText.\n\n- {NAMES.decision}: [open] no run is entered yet\n- another row: [open]\n"


@pytest.fixture
def paper(site):
    """A checkout with its own programs, an empty ledger and a plan that waits for a decision."""
    site.build_here()
    for path, text in ((NAMES.entries, "# Ledger\n"), (NAMES.plan, PLAN)):
        (site.root / path).parent.mkdir(parents=True, exist_ok=True)
        (site.root / path).write_text(text, encoding="utf-8")
    return site


@pytest.fixture
def sealed(paper, made_once):
    """A finished bundle of this checkout, which ended well."""
    return paper.adopt(made_once(True))


def texts(site):
    return [(site.root / path).read_text(encoding="utf-8") for path in (NAMES.entries, NAMES.plan)]


def test_an_entry_has_everything_there_is_to_know(paper, sealed):
    """Attempt, stamp, commit, commands, tests, metrics, path and digest of the bundle, verdict."""
    assert ledger.enter(paper.root, sealed) == ledger.Entered(attempt=1, appended=True, stamped=True)
    entries, plan = texts(paper)
    identity = sha256_of_file(sealed / layout.HASHES)
    assert entries.startswith("# Ledger\n\n## Attempt 1: ")
    for said in (
        f"## Attempt 1: {sealed.name}, tiny, C-PARITY-001\n",
        f"- bundle: {sealed.relative_to(paper.root)}; SHA-256 of its hash list: {identity}\n",
        f"- stamp: {sealed.name}, experiment tiny\n",
        "- git commit: none",
        "- verdict: C-PARITY-001, exit status 0\n",
        "- tests: 2 passed\n",
        f"- bundle digest: {digest.read(sealed)}\n",
        "  | py vs c_spec | 0 | 0 | 1.0 | 1.0 | 0.0 | 0.0 |\n",
        "      ./golden_suite_generator/build/nanoBragg -hkl data.txt -flux 1e18",
        "      python -m pytest -p no:cacheprovider -v -rs tests/test_cli_scaling_phi0.py\n",
    ):
        assert said in entries
    assert str(paper.root) not in entries
    row = f"- {NAMES.decision}: [{NAMES.closed} {sealed.name}] verdict C-PARITY-001, "
    assert f"{row}py and c_spec are bit-identical: " in plan
    assert plan.endswith("\n- another row: [open]\n")


def test_the_file_in_the_bundle_is_the_entry(paper, sealed):
    """Only number, path and hash come later."""
    ledger.enter(paper.root, sealed)
    assert texts(paper)[0].endswith((sealed / layout.LEDGER).read_text(encoding="utf-8"))


def test_twice_changes_nothing(paper, sealed, tmp_path):
    """Neither from the same place nor from a copy, with other entries in between or not."""
    ledger.enter(paper.root, sealed)
    once = texts(paper)
    assert ledger.enter(paper.root, sealed) == ledger.Entered(attempt=1, appended=False, stamped=False)
    assert texts(paper) == once
    second = paper.run().folder
    assert ledger.enter(paper.root, second).attempt == 2
    copy = shutil.copytree(sealed, tmp_path / "elsewhere")
    before = texts(paper)
    assert ledger.enter(paper.root, copy) == ledger.Entered(attempt=1, appended=False, stamped=False)
    assert texts(paper) == before
    assert re.findall(r"^## Attempt (\d+)", before[0], flags=re.MULTILINE) == ["1", "2"]


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ({"pixel": (9, 12.5)}, "verdict UNEXPLAINED: py differs from c_spec in 1 of 12 pixels"),
        ({"ignores_flux": True}, "verdict SCALE: sum ratio py / c_spec is 125932"),
        ({"status": 9}, "verdict BLOCKED: exit status 9"),
    ],
)
def test_a_run_that_did_not_end_well_opens_the_decision(paper, sealed, monkeypatch, behaviour, said):
    """It is entered as well, and the earlier decision does not stand on."""
    ledger.enter(paper.root, sealed)
    monkeypatch.setattr(bundle, "stamp", lambda: "20990101T000000Z")
    paper.program("py", **behaviour)
    assert ledger.enter(paper.root, paper.run().folder).stamped
    assert f"- {NAMES.decision}: [open 20990101T000000Z] {said}" in texts(paper)[1]
    assert "N/A" not in texts(paper)[1]


@pytest.mark.parametrize(("name", "decides"), [("c", True), ("spec", False), ("py", False)])
def test_a_program_in_place_of_the_simulator_decides_nothing(paper, name, decides):
    """The decision is about our two against any historical program, the user's own included."""
    paper.replaced[name] = str(paper.program("own", historical=name == "c"))
    outcome = paper.run()
    assert outcome.exit_code == ExitCode.OK
    ledger.enter(paper.root, outcome.folder)
    row = f"[{NAMES.closed} " if decides else "with programs given by the user in place of "
    assert row in texts(paper)[1]


def test_failing_tests_decide_nothing(paper):
    """Images that agree are half of it."""
    paper.pytest_line, paper.pytest_status = "1 failed", 1
    ledger.enter(paper.root, paper.run().folder)
    assert "[open " in texts(paper)[1]


def test_an_earlier_run_does_not_overrule_a_later_one(paper, sealed, monkeypatch):
    """Whatever the order in which they are entered."""
    monkeypatch.setattr(bundle, "stamp", lambda: "20010101T000000Z")
    early = paper.run().folder
    assert ledger.enter(paper.root, sealed).note == ""
    entered = ledger.enter(paper.root, early)
    assert (entered.attempt, entered.appended, entered.stamped) == (2, True, False)
    assert entered.note == f"a run of {sealed.name} has decided, this one is of 20010101T000000Z"
    assert f"[{NAMES.closed} {sealed.name}]" in texts(paper)[1]


def test_a_stamp_of_the_future_is_said_when_it_is_entered_and_when_it_blocks(
    paper, sealed, monkeypatch, capsys
):
    """The clock of some machine was wrong, and every later run would count for nothing."""
    monkeypatch.setattr(bundle, "stamp", lambda: "20990101T000000Z")
    future = paper.run().folder
    said = "20990101T000000Z is in the future: no run before it decides until the row is put right by hand"
    assert main(["ledger", "--root", str(paper.root), str(future)]) == ExitCode.OK
    assert capsys.readouterr().out.splitlines()[1] == f"{NAMES.plan}: stamped: {said}"
    assert main(["ledger", "--root", str(paper.root), str(sealed)]) == ExitCode.OK
    blocked = f"a run of 20990101T000000Z has decided, this one is of {sealed.name}; {said}"
    assert capsys.readouterr().out.splitlines()[1] == f"{NAMES.plan}: left as it is: {blocked}"
    assert f"[{NAMES.closed} 20990101T000000Z]" in texts(paper)[1]
    assert ledger.enter(paper.root, future).note == ""


def test_a_bundle_that_does_not_verify_is_refused(paper, sealed):
    """One bit is enough, and neither file is touched."""
    path = sealed / layout.image("py")
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    before = texts(paper)
    with pytest.raises(
        NotIntactError, match="not entered, the bundle does not hold: changed: inputs/py_float.bin"
    ):
        ledger.enter(paper.root, sealed)
    assert texts(paper) == before


@pytest.mark.parametrize("rows", [0, 2])
def test_a_plan_without_its_row_is_named(paper, sealed, rows):
    """The entry is there by then; entering again after the plan was mended completes it."""
    line = f"- {NAMES.decision}: [open]\n"
    (paper.root / NAMES.plan).write_text("# Plan\n" + rows * line, encoding="utf-8")
    with pytest.raises(UsageError, match=f"found {rows} lines '- {NAMES.decision}: .*expected one"):
        ledger.enter(paper.root, sealed)
    (paper.root / NAMES.plan).write_text(line, encoding="utf-8")
    assert ledger.enter(paper.root, sealed) == ledger.Entered(attempt=1, appended=False, stamped=True)


def test_a_write_that_fails_leaves_the_ledger_as_it_was(paper, sealed, monkeypatch):
    """The new text takes its place in one step or not at all, and no file is left beside it."""
    before = texts(paper)

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(NotWrittenError, match="fix_plan.md: cannot be written: No space left on device"):
        ledger.enter(paper.root, sealed)
    assert texts(paper) == before
    assert sorted(path.name for path in (paper.root / "docs").iterdir()) == [
        "bugs",
        "fix_plan.md",
        "index.md",
    ]


def test_two_at_once_wait_for_each_other(paper):
    """The folder of the ledger is locked while one of them reads and writes."""
    folder = paper.root / "docs"
    assert not locks.is_held(folder)
    with locks.exclusive(folder):
        assert locks.is_held(folder)
    assert not locks.is_held(folder)


def test_the_command_line_says_what_it_did(paper, sealed, capsys):
    """The first time and the second."""
    assert main(["ledger", "--root", str(paper.root), str(sealed)]) == ExitCode.OK
    assert capsys.readouterr().out == (f"{NAMES.entries}: attempt 1 appended\n{NAMES.plan}: stamped\n")
    assert main(["ledger", "--root", str(paper.root), str(sealed)]) == ExitCode.OK
    assert "attempt 1 is there already\n" in capsys.readouterr().out


def test_the_plan_of_the_repository_has_its_row(root):
    """Exactly one, so that the command can stamp it."""
    rows = (root / NAMES.plan).read_text(encoding="utf-8").splitlines()
    assert sum(row.startswith(f"- {NAMES.decision}: [") for row in rows) == 1
    assert (root / NAMES.entries).read_text(encoding="utf-8").startswith("# Ledger")
