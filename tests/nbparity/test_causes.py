import json

import numpy as np
import pytest

from nbparity import cause_runs, causes, environment, layout, thresholds, verify
from nbparity.__main__ import main
from nbparity.compare import compare
from nbparity.errors import ExitCode, UsageError

GOOD = """[[cause]]
id = "A"
title = "t"
changes = "c"
see = "s"

[[cause.experiment]]
switch = "off"
x = { program = "c" }
r = { program = "c_spec" }
change = { of = ["x", "r"], phi_offset = true }
before = "differs"
after = "identical"
"""


@pytest.fixture
def read(tmp_path):
    """Read a file of causes made from the one above by replacing a text."""

    def reader(old="", new=""):
        assert old in GOOD
        path = tmp_path / causes.FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(GOOD.replace(old, new) if old else GOOD + new, encoding="utf-8")
        return causes.load(tmp_path)

    return reader


def test_the_committed_causes_are_well_formed(root):
    """C-PARITY-001 comes first; every document to read on is there; ids are no words of a report."""
    known = causes.load(root)
    assert [cause.id for cause in known] == [
        *("C-PARITY-001", "FLUENCE-IGNORED", "HIST-THREADS", "ARITHMETIC-FLOAT32", "OTHER-LIBM"),
    ]
    assert all((root / cause.see).is_file() for cause in known)
    assert all(cause.id.isupper() and "-" in cause.id for cause in known)
    in_bundle = [(cause.id, trial.pair) for cause in known for trial in cause.trials if trial.in_bundle]
    assert in_bundle == [
        ("C-PARITY-001", "c_vs_c_spec"),
        ("FLUENCE-IGNORED", "py_vs_c_spec"),
        ("FLUENCE-IGNORED", "c_vs_c_spec"),
        ("ARITHMETIC-FLOAT32", "py_vs_c_spec"),
    ]


def test_the_experiment_on_c_parity_001_moves_the_scan_off_zero(root):
    """By the angle of the thresholds, whatever the arguments say of phi; a later flag wins."""
    (trial,) = causes.load(root)[0].trials
    offset = thresholds.load().ablation_offset_deg
    assert trial.setting.arguments(("-osc", "1"), offset) == ("-osc", "1", "-phi", "1e-09")
    moved = trial.setting.arguments(("-phi", "3", "-phi", "5"), 0.25)
    assert moved == ("-phi", "3", "-phi", "5", "-phi", "5.25")


def test_options_are_dropped_with_their_values():
    """Only those, wherever they stand and however often."""
    args = ("-flux", "1e18", "-spindle_axis", "-1", "0", "0", "-beamsize", "1", "-flux", "2")
    assert causes.without(args, {"-flux": 1}) == ("-spindle_axis", "-1", "0", "0", "-beamsize", "1")
    assert causes.without(args, {"-spindle_axis": 3, "-beamsize": 1}) == ("-flux", "1e18", "-flux", "2")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('switch = "off"', 'switch = "out"', "key 'switch': found 'out', expected one of on, off"),
        ('before = "differs"', 'before = "so-so"', "key 'before': found 'so-so'"),
        ('program = "c_spec"', 'program = "mine"', "key 'program': found 'mine', expected one of c, c_spec"),
        ('["x", "r"]', '["y"]', "key 'change.of': found ('y',), expected x, r or both"),
        ("phi_offset = true", "phi_shift = 1", "found phi_shift = 1, expected one of phi_offset"),
        ("phi_offset = true", "threads = 'two'", "found threads = 'two', expected one of"),
        (", phi_offset = true", "", "key 'change' changes nothing"),
        ('title = "t"', "", "found the keys ['changes', 'experiment', 'id', 'see'], expected"),
        ('after = "identical"', 'after = "identical"\nframe = "half"', "key 'frame': found 'half'"),
        ("[[cause]]", "[[cause", "not a TOML file"),
        ("", GOOD, "an id is used twice among A, A"),
    ],
)
def test_a_mistake_in_the_file_is_named(read, old, new, message):
    """With the file and what was expected."""
    with pytest.raises(UsageError) as raised:
        read(old, new)
    assert str(causes.FILE) in str(raised.value)
    assert message in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    """A checkout without causes explains nothing."""
    with pytest.raises(UsageError, match="no such file, expected the known causes"):
        causes.load(tmp_path)


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (1.0, {"identical", "rounding"}),
        (1.0 + 2.0**-23, {"differs"}),  # every pixel by one unit is more than rounding
        (1.5, {"differs", "scale"}),
        (float("nan"), set()),
    ],
)
def test_the_words_of_an_expectation(factor, words):
    """Each is met by the images that it means, and by no others."""
    image = np.full((10, 10), 3.0, dtype=np.float32)
    pair = compare((image * np.float32(factor)).astype(np.float32), image)
    limits = thresholds.load()
    assert {word for word in causes.EXPECTATIONS if causes.met(word, pair, limits)} == words


def test_one_unit_in_one_pixel_of_very_many_is_rounding():
    """The libraries of two machines may differ by that much."""
    image = np.full((200, 100), 3.0, dtype=np.float32)
    other = image.copy()
    other[5, 5] = np.nextafter(other[5, 5], np.float32(4))
    assert causes.met("rounding", compare(other, image), thresholds.load())


@pytest.fixture
def command(site):
    """Run the experiments with the fake programs."""
    bins = [f"--{name}-bin={site.root / 'programs' / name}" for name in ("c", "spec", "py")]
    reports = site.root / "reports" / "causes"

    def run(*arguments):
        status = main(["causes", "--root", str(site.root), *bins, "--experiment", "tiny", *arguments])
        newest = max(reports.iterdir()) if reports.is_dir() else None
        return status, json.loads((newest / "causes.json").read_text("utf-8"))["rows"] if newest else []

    return run


def test_experiments_show_the_distance_before_and_after(command, capsys):
    """The fake historical program has the defect, the fake simulator heeds the fluence."""
    status, rows = command("--cause", "C-PARITY-001", "--cause", "FLUENCE-IGNORED")
    assert status == ExitCode.OK
    assert [row["outcome"] for row in rows] == ["as expected", "not there", "not there", "as expected"]
    assert (rows[0]["before"]["differing_pixels"], rows[0]["after"]["differing_pixels"]) == (11, 0)
    assert rows[2]["note"] == "C-PARITY-001 explains the difference"
    assert rows[3]["after"]["sum_ratio"] == pytest.approx(125932)
    assert rows[3]["after"]["correlation"] == pytest.approx(1)
    text = capsys.readouterr().out
    assert "| C-PARITY-001 | off | c vs c_spec | both: scan moved off phi = 0 | before | 11 of 12 |" in text


def test_an_ignored_fluence_is_found_by_its_experiment(site, command):
    """Without the flags the simulator that ignores them and the one that does not have the same bits."""
    site.program("py", ignores_flux=True)
    status, rows = command("--cause", "FLUENCE-IGNORED")
    assert rows[0]["outcome"] == "as expected"
    assert rows[0]["before"]["sum_ratio"] == pytest.approx(125932)
    assert rows[0]["after"]["differing_pixels"] == 0
    assert (status, rows[2]["outcome"]) == (ExitCode.UNEXPLAINED, "UNEXPECTED")


def test_an_experiment_that_fails_to_show_its_cause_is_4(command):
    """The fake simulator knows no float32, so nothing differs."""
    status, rows = command("--cause", "ARITHMETIC-FLOAT32")
    assert (status, rows[0]["outcome"]) == (ExitCode.UNEXPLAINED, "UNEXPECTED")


def test_a_change_that_cannot_act_is_said_not_to(command, monkeypatch):
    """As on a processor without the instructions that are masked."""
    monkeypatch.setattr(cause_runs, "libm_probe", lambda changed, usual: (0, 10))
    status, rows = command("--cause", "OTHER-LIBM")
    assert status == ExitCode.OK
    assert {row["outcome"] for row in rows} == {"cannot act here"}


def test_a_program_that_fails_blocks(site, command, capsys):
    """And an unknown cause is refused with the known ones."""
    site.program("spec", status=9)
    assert command("--cause", "C-PARITY-001")[0] == ExitCode.BLOCKED
    assert "fake: it does not work" in capsys.readouterr().err
    assert command("--cause", "NONE")[0] == ExitCode.USAGE
    assert "no cause 'NONE' (known: C-PARITY-001, FLUENCE-IGNORED" in capsys.readouterr().err


def test_the_other_c_library_acts(root):
    """Without the mask sines change on a processor with FMA, and nothing changes with it."""
    usual = environment.child_environment(root)
    assert cause_runs.libm_probe(usual, usual)[0] == 0
    other = next(cause for cause in causes.load(root) if cause.id == "OTHER-LIBM")
    with open("/proc/cpuinfo", encoding="utf-8") as stream:
        flags = stream.read()
    if " fma " not in flags or " avx2 " not in flags:
        pytest.skip("this processor has no FMA and AVX2; runs where there are both")
    for trial in other.trials:
        differing, count = cause_runs.libm_probe({**usual, **trial.setting.environment}, usual)
        assert 0 < differing < count / 10


def test_a_report_shows_the_distances_of_the_causes_it_names(site):
    """Before and after, and what the cause is."""
    outcome = site.run()
    text = (outcome.folder / layout.ANALYSIS).read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith("| C-PARITY-001 "))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:5] == ["C-PARITY-001", "c vs c_spec", "both: scan moved off phi = 0", "11", "0"]
    assert float(cells[5]) > 1 and cells[6:] == ["1", "yes"]
    for other in ("FLUENCE-IGNORED", "HIST-THREADS", "ARITHMETIC-FLOAT32", "OTHER-LIBM"):
        assert other not in text


def test_no_cause_is_named_without_its_experiment(site, rehash):
    """Where nothing differs no experiment runs, and a text that names a cause is not believed."""
    site.program("c")
    folder = site.run().folder
    assert verify.verify(folder) == []
    for name in layout.TEXTS:
        path = folder / name
        original = path.read_bytes()
        for cause in ("C-PARITY-001", "FLUENCE-IGNORED", "OTHER-LIBM"):
            path.write_bytes(original + f"\nThis is {cause}.\n".encode())
            rehash(folder)
            wanted = f"unproved: {name} names {cause}, and no experiment that switches it off was run"
            assert wanted in verify.verify(folder)
        path.write_bytes(original)


def test_a_cause_whose_images_are_gone_is_unproved(site, rehash):
    """The experiment is the images, not the line that says it was run."""
    folder = site.run().folder
    (folder / layout.ablated_roi("c", "C-PARITY-001")).unlink()
    rehash(folder)
    complaints = verify.verify(folder)
    assert any(complaint.startswith("untrue: ") for complaint in complaints)
    assert any(complaint.startswith("unproved: analysis.md names C-PARITY-001") for complaint in complaints)


def test_a_blocked_experiment_may_be_named(site):
    """The bundle says which command failed."""
    site.program("c", historical=True, fails_off_zero=True)
    outcome = site.run()
    assert outcome.exit_code == ExitCode.BLOCKED
    assert "c without C-PARITY-001" in (outcome.folder / layout.ANALYSIS).read_text(encoding="utf-8")
    assert verify.verify(outcome.folder) == []
