"""``nb-compare`` says what explains a difference, or that nothing does; with fake programs of any kind."""

import json

import numpy as np
import pytest

from nbparity import causes, explain, nb_compare, side_by_side
from nbparity.causes import Setting
from nbparity.compare import compare
from nbparity.errors import ParityError
from nbparity.nb_compare import Status

ARGS = ("-hkl", "data.txt", "-flux", "1e18", "-phi", "0")
OFFSET_DEG = 1e-9


@pytest.fixture
def compared(site, tmp_path, monkeypatch, capsys):
    """Run nb-compare with the fake programs; return the exit status, what it printed, and the summary."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "data.txt").write_text("1 0 0 5\n", encoding="utf-8")
    monkeypatch.chdir(home)
    folder = site.root / "programs"

    def run(*options, args=ARGS):
        bins = ["--c-bin", str(folder / "c"), "--py-bin", str(folder / "py")]
        status = nb_compare.main([*bins, *options, "--", *args])
        placed = max((home / "comparisons").iterdir(), key=lambda path: path.stat().st_mtime_ns)
        summary = json.loads((placed / side_by_side.SUMMARY).read_text(encoding="utf-8"))
        return status, capsys.readouterr().out, summary["explanation"]

    return run


def test_identical_images_need_no_explanation(site, compared):
    """Nothing is run again, and nothing is said."""
    site.program("c")
    status, said, explanation = compared()
    assert (status, explanation) == (Status.OK, None)
    assert "explained" not in said and "tried" not in said


def test_a_known_cause_is_found_by_its_experiment(compared):
    """The defect at phi = 0, on the user's command line; what was not tried has its reason."""
    status, said, explanation = compared()
    assert status == Status.OK  # an explanation changes no exit status
    assert "explained by C-PARITY-001: with the change the images are bit-identical\n" in said
    assert "tried C-PARITY-001 (both programs: scan moved off phi = 0): 0 of 48 pixels differ" in said
    assert explanation["explained_by"] == ["C-PARITY-001"]
    assert explanation["attempts"][0]["after"]["differing_pixels"] == 0
    assert explanation["not_tried"] == {
        "HIST-THREADS": "it needs several threads, and each program runs with one",
        "ARITHMETIC-FLOAT32": "ARGS have no -dtype, so it cannot act",
        "OTHER-LIBM": "docs/bugs/causes.toml has no experiment that takes it away",
    }


def test_ignored_flags_are_found_and_who_ignores_them(site, compared):
    """Exit status 3, since the scale is another one; the image of the one that ignores them stays."""
    site.program("c", ignores_flux=True)
    status, said, explanation = compared()
    assert status == Status.DISAGREE
    assert explanation["explained_by"] == ["FLUENCE-IGNORED"]
    assert "the image of c is the same with -flux -exposure -beamsize and without" in said


def test_two_causes_at_once_are_found_together(site, compared):
    """Neither explains the difference alone."""
    site.program("c", ignores_flux=True, historical=True)
    _, said, explanation = compared()
    assert explanation["explained_by"] == ["C-PARITY-001", "FLUENCE-IGNORED"]
    assert [attempt["explains"] for attempt in explanation["attempts"]] == [False, False, True]
    assert "explained by C-PARITY-001 and FLUENCE-IGNORED:" in said


def test_nothing_explains_a_fault(site, compared):
    """It says so, what was tried, and where to look."""
    site.program("c", pixel=(9, 30.0))
    status, said, explanation = compared()
    assert status == Status.OK
    assert "no known cause explains the difference\n" in said
    assert explanation["explained_by"] == [] and len(explanation["attempts"]) == 3
    assert "all differing pixels, 1, lie within slow 1 to 1, fast 1 to 1" in said
    assert explanation["observation"] in said


def test_a_scale_is_seen(site, compared):
    """A constant factor that no flag explains."""
    site.program("c", factor=0.5)
    _, said, _ = compared()
    assert "looks like a scale: py is 2 times c in every pixel; look at -fluence" in said


def test_a_cause_that_cannot_act_is_not_tried(site, compared):
    """Without the flags there is nothing to drop."""
    site.program("c", factor=0.5)
    _, said, explanation = compared(args=("-hkl", "data.txt"))
    assert "not tried FLUENCE-IGNORED: ARGS have no -flux and no -exposure and no -beamsize" in said
    assert [attempt["causes"] for attempt in explanation["attempts"]] == [["C-PARITY-001"]]


def test_an_experiment_that_a_program_refuses_is_said_not_to_have_been_tried(site, compared):
    """With the program's last words; the others go on."""
    site.program("c", historical=True, fails_off_zero=True)
    status, said, explanation = compared()
    assert status == Status.OK
    assert "not tried C-PARITY-001: with the change c ended with 9" in said
    assert [attempt["causes"] for attempt in explanation["attempts"]] == [["FLUENCE-IGNORED"]]


def test_a_scan_that_is_no_number_cannot_be_moved(site, compared):
    """A program of the user may read what we do not."""
    site.program("py", factor=2)
    path = site.root / "programs"
    for name in ("c", "py"):
        text = (path / name).read_text(encoding="utf-8")
        (path / name).write_text(text.replace('float(last("-phi", 1, ["0"])[0])', "0.0"), encoding="utf-8")
    _, said, _ = compared(args=("-hkl", "data.txt", "-phi", "zero"))
    assert (
        "not tried C-PARITY-001: the scan cannot be moved: could not convert string to float: 'zero'" in said
    )


def test_other_shapes_are_never_explained(site, compared):
    """No change could make them the same bits; nothing is run again."""
    site.program("py", shape=(6, 4))
    status, said, explanation = compared()
    assert status == Status.SHAPES_DIFFER
    assert "not tried any cause: images of different shapes never have the same bits" in said
    assert explanation["attempts"] == []


def test_the_region_counts_for_the_explanation_too(site, compared):
    """A difference outside of it does not keep a cause from explaining what is inside."""
    site.program("c", historical=True, pixel=(47, 9.0))
    _, _, explanation = compared("--roi", "1", "4", "1", "3")
    assert explanation["explained_by"] == ["C-PARITY-001"]


def test_it_can_be_left_out(compared):
    """Then the programs run once."""
    status, said, explanation = compared("--no-explain")
    assert (status, explanation) == (Status.OK, None)
    assert "tried" not in said


def test_a_checkout_without_causes_says_so(site, compared, monkeypatch, tmp_path):
    """The comparison itself needs none."""
    monkeypatch.setattr(nb_compare, "ROOT", tmp_path)
    monkeypatch.setattr(side_by_side.environment, "child_environment", lambda root, threads=1: {})
    status, said, _ = compared()
    assert status == Status.OK
    assert f"not tried any cause: {tmp_path / causes.FILE}: no such file" in said


IMAGE = np.arange(1, 13, dtype=np.float32).reshape(3, 4)
SAME, OTHER = compare(IMAGE, IMAGE), compare(IMAGE + 1, IMAGE)


def test_options_that_neither_program_ignores_explain_nothing(root):
    """Where the bits are the same without them, programs may differ in what they make of them."""
    known = causes.load(root)
    attempts, _ = explain.explain(
        known, ARGS, OFFSET_DEG, lambda setting: (SAME if setting.drop else OTHER, ())
    )
    assert not any(attempt.explains for attempt in attempts)
    said = explain.observed(attempts)
    assert said.startswith(
        "the images are bit-identical with this change: without -flux -exposure -beamsize;"
    )
    found, _ = explain.explain(
        known, ARGS, OFFSET_DEG, lambda setting: (SAME if setting.drop else OTHER, ("c",))
    )
    assert [attempt.explains for attempt in found] == [False, True]
    assert explain.observed(found) == ""


def test_images_that_are_zero_explain_nothing(root):
    """They agree whatever was changed."""
    nothing = np.zeros((3, 4), dtype=np.float32)
    empty = compare(nothing, nothing)
    assert empty.identical and not causes.explains(empty) and causes.explains(SAME)
    attempts, not_tried = explain.explain(
        causes.load(root), ARGS, OFFSET_DEG, lambda setting: (empty, ("c",))
    )
    explanation = explain.Explanation(attempts=attempts, not_tried=not_tried, observation="")
    assert explanation.found is None
    assert "both images are zero then, which shows nothing" in explain.words(explanation)


def test_a_cause_that_failed_alone_is_not_tried_with_others(root):
    """It would fail there as well."""
    runs = []

    def run(setting):
        runs.append(setting)
        if setting.phi_offset:
            raise ParityError("c ended with 9: no")
        return OTHER, ()

    _, not_tried = explain.explain(causes.load(root), ARGS, OFFSET_DEG, run)
    assert len(runs) == 2
    assert not_tried["C-PARITY-001"] == "with the change c ended with 9: no"


def test_changes_are_made_together():
    """Arguments, variables and threads of both."""
    one = Setting(phi_offset=True, drop={"-a": 1}, environment={"X": "1"})
    other = Setting(drop={"-b": 2}, append=("-c",), threads=2)
    both = causes.together([one, other])
    assert both.arguments(("-a", "1", "-b", "1", "2", "-d"), 0.5) == ("-d", "-phi", "0.5", "-c")
    assert (both.threads, both.environment) == (2, {"X": "1"})
    assert both.acts_on((), 0.5) and not Setting(drop={"-a": 1}).acts_on(("-b",), 0.5)
