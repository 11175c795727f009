import json

import pytest

from nbparity import __main__ as command_line
from nbparity import campaign, experiment, layout, n2
from nbparity.errors import BlockedError, ExitCode, NotIntactError
from nbparity.hashing import files_below

FOLDERS = campaign.reports()


@pytest.fixture
def command(site, stand_ins):
    """Run a command of the harness on the small checkout, with a fake pytest that passes."""
    bins = [f"--{name}-bin={site.root / 'programs' / name}" for name in ("c", "spec", "py")]

    def run(name, *arguments):
        return command_line.main([name, "--root", str(site.root), *bins, "--campaign", "a", *arguments])

    return run


def folders(site, phase):
    parent = site.root / "reports" / "a" / phase / FOLDERS.last
    return sorted(parent.iterdir()) if parent.is_dir() else []


def checks(folder):
    data = json.loads((folder / "n2.json").read_text(encoding="utf-8"))
    return {check["name"]: check["passed"] for check in data["checks"]}


def test_a_good_bundle_is_confirmed(site, command, capsys):
    """No check fails, and the record holds what nb-compare makes of both C programs."""
    assert command("n1", "--experiment", "tiny") == ExitCode.OK
    assert command("n2") == ExitCode.OK
    (record,) = folders(site, FOLDERS.n2)
    found = checks(record)
    assert [name for name, passed in found.items() if passed is None] == [
        *("py vs c_spec, peaks matched", "py vs c_spec, ratio of sums"),  # follow from the bits
    ]
    assert sum(passed is True for passed in found.values()) == 6
    names = set(files_below(record))
    for reference in ("c", "c_spec"):
        assert {f"{reference}/{name}" for name in ("summary.json", "c.png", "diff.png")} <= names
    summary = json.loads((record / "c" / "summary.json").read_text(encoding="utf-8"))
    assert summary["roi"] == [1, 4, 1, 3]
    assert summary["bit_identical_fraction"] == 1 / 12
    text = (record / "n2.md").read_text(encoding="utf-8")
    assert "| py vs c_spec, bit-identical | 1 | >= 1 | pass |" in text
    assert "py vs c, correlation" in capsys.readouterr().out


def test_the_newest_complete_bundle_is_taken(site, command, capsys):
    """A blocked one after it is none."""
    command("n1", "--experiment", "tiny")
    command("n1", "--experiment", "tiny")
    site.program("py", status=9)
    assert command("n1", "--experiment", "tiny") == ExitCode.BLOCKED
    blocked = max(folders(site, FOLDERS.n1), key=lambda path: n2.facts(path)["ended"])
    site.program("py")
    assert command("n2") == ExitCode.OK
    complete = [path for path in folders(site, FOLDERS.n1) if path != blocked]
    assert f"comparing anew over {complete[-1]}" in capsys.readouterr().out
    assert command("n2", str(blocked)) == ExitCode.BLOCKED
    assert "expected a complete bundle" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("behaviour", "status", "failed"),
    [
        ({"pixel": (9, 12.000001)}, ExitCode.UNEXPLAINED, "py vs c_spec, bit-identical"),
        ({"ignores_flux": True}, ExitCode.SCALE, "py vs c_spec, ratio of sums"),
        ({"ignores_flux": True}, ExitCode.SCALE, "py vs c, ratio of sums"),
        ({"pixel": (9, -900.0)}, ExitCode.SCALE, "py vs c, correlation"),
    ],
)
def test_a_simulator_that_changed_is_not_confirmed(site, command, behaviour, status, failed):
    """The bundle was right when it was made; now another image comes out, and the record says which."""
    assert command("n1", "--experiment", "tiny") == ExitCode.OK
    site.program("py", **behaviour)
    assert command("n2") == status
    (record,) = folders(site, FOLDERS.n2)
    found = checks(record)
    assert not found[failed] and not found["py, bytes of the bundle"]
    assert found["c, bytes of the bundle"] and found["c_spec, bytes of the bundle"]
    assert not json.loads((record / "n2.json").read_text(encoding="utf-8"))["passed"]


def test_a_program_that_fails_now_blocks(site, command, capsys):
    """With its last words, and no record is left."""
    command("n1", "--experiment", "tiny")
    site.program("spec", status=9)
    assert command("n2") == ExitCode.BLOCKED
    assert "py beside c_spec: c ended with 9: fake: it does not work" in capsys.readouterr().err
    assert folders(site, FOLDERS.n2) == []


def test_a_bundle_that_was_touched_is_refused(site, command, capsys):
    """Nothing is compared over it."""
    command("n1", "--experiment", "tiny")
    (bundle,) = folders(site, FOLDERS.n1)
    (bundle / layout.ANALYSIS).write_text("all is well\n", encoding="utf-8")
    assert command("n2", str(bundle)) == ExitCode.NOT_INTACT
    assert "changed: analysis.md" in capsys.readouterr().err
    with pytest.raises(NotIntactError, match="not a bundle: "):
        n2.facts(site.root)


def test_no_bundle_is_blocked_with_the_way_out(site, command, capsys):
    """The command that makes one is named."""
    assert command("n2") == ExitCode.BLOCKED
    assert "no complete bundle in" in capsys.readouterr().err
    with pytest.raises(BlockedError, match="nox -s parity_n1"):
        n2.newest(site.root)


@pytest.fixture
def supervisor(site):
    """The tiny experiment under the names that the full frame looks for."""
    folder = site.root / experiment.FOLDER
    text = (folder / "tiny.toml").read_text(encoding="utf-8")
    for name in ("supervisor", "cro"):
        own = text.replace('id = "tiny"', f'id = "{name}"')
        (folder / f"{name}.toml").write_text(own, encoding="utf-8")
    return folder


def test_the_full_frame_is_every_pixel(site, command, supervisor, summary_of):
    """A bundle without a region, and N2 over it."""
    assert command("o1") == ExitCode.OK
    (bundle,), (record,) = folders(site, FOLDERS.o1), folders(site, FOLDERS.n2)
    summary = summary_of(bundle)
    assert summary["experiment"] == "supervisor"
    assert {pair["pixels"] for pair in summary["pairs"].values()} == {48}
    assert summary["verdict"]["name"] == "C-PARITY-001"
    assert json.loads((record / "c" / "summary.json").read_text(encoding="utf-8"))["roi"] is None


def test_the_full_frame_falls_back_to_cro(site, command, supervisor, summary_of, capsys):
    """With a line that says so."""
    path = supervisor / "supervisor.toml"
    path.write_text(path.read_text("utf-8").replace('inputs_dir = "tiny"', 'inputs_dir = "none"'), "utf-8")
    assert command("o1") == ExitCode.OK
    assert (
        "supervisor: cro is run instead, the data of this experiment are no part of"
        in capsys.readouterr().out
    )
    (bundle,) = folders(site, FOLDERS.o1)
    assert summary_of(bundle)["experiment"] == "cro"


def test_parity_runs_the_stages_in_order(site, command, supervisor, capsys):
    """N1 over both experiments, N2 over both bundles, O1."""
    assert command("parity") == ExitCode.OK
    text = capsys.readouterr().out
    assert text.index("== N1") < text.index("== N2") < text.index("== O1")
    assert [line.split(" in ")[0] for line in text.splitlines()[-3:]] == [
        "N1 passed",
        "N2 passed",
        "O1 passed",
    ]
    assert [len(folders(site, phase)) for phase in (FOLDERS.n1, FOLDERS.n2, FOLDERS.o1)] == [2, 3, 1]


def test_parity_stops_at_the_first_stage_that_fails(site, command, supervisor, capsys):
    """With its exit status; later stages are not begun."""
    site.program("py", ignores_flux=True)
    assert command("parity") == ExitCode.SCALE
    text = capsys.readouterr().out
    assert text.splitlines()[-1].startswith("N1 FAILED with exit status 5 in ")
    assert "== N2" not in text
    assert folders(site, FOLDERS.n2) == folders(site, FOLDERS.o1) == []
