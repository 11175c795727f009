import json
import tomllib

import pytest

from nbparity import bench, environment, verify
from nbparity.__main__ import main
from nbparity.errors import ExitCode


@pytest.fixture
def command(site):
    """Run a command of the harness on the small checkout."""
    bins = []
    for flag, program in (("--c-bin", "c"), ("--spec-bin", "spec"), ("--py-bin", "py")):
        bins += [flag, str(site.root / "programs" / program)]

    def run(name, *arguments):
        return main([name, "--root", str(site.root), *bins, *arguments])

    return run


def test_n1_prints_the_verdict_and_where_the_bundle_is(command, site, capsys):
    """The tests of the simulator are not in the small checkout, so pytest fails and the status says so."""
    status = command("n1", "--experiment", "tiny", "--campaign", "a", "--phase", "b")
    text = capsys.readouterr().out
    folder = next((site.root / "reports" / "a" / "b" / "nb_compare").iterdir())
    assert "tiny: C-PARITY-001" in text
    assert f"bundle: {folder}" in text
    assert status == ExitCode.TESTS_FAILED
    assert main(["verify", str(folder)]) == ExitCode.OK
    (folder / "analysis.md").write_text("all is well\n", encoding="utf-8")
    assert main(["verify", str(folder)]) == ExitCode.NOT_INTACT
    assert "changed: analysis.md" in capsys.readouterr().out


def test_a_blocked_run_ends_with_its_own_status(command, stand_ins, site, capsys):
    """And with the reason on the screen."""
    site.program("py", version_status=1)
    assert command("n1", "--experiment", "tiny") == ExitCode.BLOCKED
    assert "program py: --version ended with 1" in capsys.readouterr().out


def test_reports_elsewhere(command, stand_ins, tmp_path):
    """The folder can be chosen."""
    command("n1", "--experiment", "tiny", "--reports", str(tmp_path / "mine"))
    assert list((tmp_path / "mine").glob("*/*/nb_compare/2*Z/analysis.md"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--experiment", "none"], "no experiment 'none'"),
        (["--experiment", "tiny", "--reports", "/dev/null"], "no bundle can be written below /dev/null"),
    ],
)
def test_an_error_is_one_line(command, stand_ins, capsys, arguments, message):
    """On standard error, without a traceback."""
    status = command("n1", *arguments)
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert status in {ExitCode.USAGE, ExitCode.NOT_WRITTEN}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--time-limit", "nan"], "argument --time-limit: found 'nan', expected seconds above 0"),
        (["--time-limit", "0"], "argument --time-limit: found '0', expected seconds above 0"),
        (["--py-threads", "0"], "argument --py-threads: found '0', expected a whole number from 1"),
        (["--py-threads", "two"], "argument --py-threads: found 'two', expected a whole number from 1"),
    ],
)
def test_a_number_that_means_nothing_is_refused(command, capsys, arguments, message):
    """Before anything runs."""
    with pytest.raises(SystemExit) as stopped:
        command("n1", "--experiment", "tiny", *arguments)
    assert stopped.value.code == ExitCode.USAGE
    assert message in capsys.readouterr().err


def test_bench_alternates_and_reports_medians(command, capsys):
    """Both programs print their own render time."""
    assert command("bench", "--experiment", "tiny", "--repeats", "2", "--threads", "1") == ExitCode.OK
    text = capsys.readouterr().out
    assert "0.250 0.250" in text
    assert "1 thread(s): py is 1.00 times as fast as c_spec, the whole process" in text


def test_the_file_of_figures_keeps_those_of_other_processors(tmp_path):
    """README.md quotes it: what is written can be read, and only this processor's rows are new."""
    path = tmp_path / "benchmark.toml"
    path.write_text(
        '["Another"]\ndate = "2020-01-01"\nrun = [\n  { program = "py", threads = 1, render_s = 2.5 },\n]\n'
    )
    before = tomllib.loads(path.read_text())
    timing = bench.Timing(
        program="py", threads=2, render_s=(1.0, 3.0, 1.25), wall_s=(4.0, 2.0, 3.5), peak_rss_bytes=5 << 20
    )
    bench.write(path, [timing], "cro")
    after = tomllib.loads(path.read_text())
    here = environment.machine()["processor"]
    assert after.keys() == {"Another", here} and after["Another"] == before["Another"]
    row = {"program": "py", "threads": 2, "render_s": 1.25, "process_s": 3.5, "peak_mib": 5}
    assert after[here]["run"] == [row] and after[here]["experiment"] == "cro"


def test_bench_stops_at_a_program_that_fails(command, site, capsys):
    """A time without an image is no time."""
    site.program("py", status=9)
    assert command("bench", "--experiment", "tiny") == ExitCode.BLOCKED
    assert "fake: it does not work" in capsys.readouterr().err


def test_no_command_is_a_usage_error(capsys):
    """As argparse does it."""
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == ExitCode.USAGE
    assert "COMMAND" in capsys.readouterr().err


def test_the_facts_of_a_run_name_the_programs(command, stand_ins, site):
    """With hashes, so that a bundle says what it is about."""
    command("n1", "--experiment", "tiny", "--campaign", "c")
    run = json.loads(next(site.root.glob("reports/c/*/*/*/inputs/run.json")).read_text(encoding="utf-8"))
    assert len(run["programs"]["c"]["sha256"]) == 64
    assert run["programs"]["c"]["replaced"] is True


COMMANDS = (
    *(["n1"], ["n2"], ["o1"], ["parity"], ["causes"], ["trace"], ["matrix"], ["golden"], ["historical"]),
    *(["bench"], ["artifact"], ["replay", "x"], ["ledger", "x"]),
)


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_without_a_checkout_it_says_what_it_needs(tmp_path, capsys, words):
    """As where the package alone is installed: one line, and nothing is written."""
    assert main([*words, "--root", str(tmp_path)]) == ExitCode.USAGE
    error = capsys.readouterr().err
    assert error.startswith(
        f"nbparity: {tmp_path}: no checkout of the repository (docs/bugs/causes.toml and "
    )
    assert error.count("\n") == 1 and "after make venv, or name it with --root" in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["verify"], ["verify", "x"], ["digest", "x"], ["sign", "x", "--key", "y"]])
def test_a_command_that_measures_by_its_own_checkout_needs_one(tmp_path, monkeypatch, capsys, words):
    """These have no --root, so none is offered."""
    monkeypatch.setattr(verify, "ROOT", tmp_path)
    assert main(words) == ExitCode.USAGE
    error = capsys.readouterr().err
    assert "no checkout of the repository" in error
    assert error.count("\n") == 1 and "--root" not in error
