import gzip
import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from nbparity import bundle, environment, layout, verify
from nbparity.errors import ExitCode, NotIntactError, NotWrittenError, UsageError
from nbparity.hashing import files_below


def text(outcome, name):
    return (outcome.folder / name).read_text(encoding="utf-8")


def test_a_defect_is_named_when_its_experiment_was_run(site, summary_of):
    """The simulator and c_spec agree, c does not, and switching the defect off removes the difference."""
    outcome = site.run()
    assert (outcome.verdict, outcome.exit_code) == ("C-PARITY-001", ExitCode.OK)
    summary = summary_of(outcome.folder)
    assert summary["pairs"]["py_vs_c_spec"]["differing_pixels"] == 0
    assert summary["pairs"]["py_vs_c"]["differing_pixels"] == 11  # 4 x 3 pixels without the first
    assert summary["pairs"]["c_vs_c_spec"]["sum_ratio"] > 1
    assert summary["ablation"]["differing_pixels"] == 0
    assert summary["timings"]["c"]["render_s"] == 0.25
    assert "docs/bugs/verified_c_bugs.md" in text(outcome, layout.ANALYSIS)


def test_equal_images_are_identical(site):
    """Without the defect there is nothing to explain, and no cause is named."""
    site.program("c")
    outcome = site.run()
    assert (outcome.verdict, outcome.exit_code) == ("IDENTICAL", ExitCode.OK)
    assert not (outcome.folder / "inputs" / "ablation").exists()
    assert "The difference between py and c is" not in text(outcome, layout.ANALYSIS)


def test_a_difference_in_one_bit_of_py_is_unexplained(site):
    """The defect of c explains nothing when py is not the specification's image."""
    site.program("py", pixel=(9, 12.000001))
    outcome = site.run()
    assert (outcome.verdict, outcome.exit_code) == ("UNEXPLAINED", ExitCode.UNEXPLAINED)
    assert "py differs from c_spec in 1 of 12 pixels, up to 1 ULP" in outcome.reasons
    assert "is not attributed to C-PARITY-001" in text(outcome, layout.ANALYSIS)


def test_a_difference_of_c_that_stays_is_unexplained(site):
    """A wrong c is no C-PARITY-001 if switching the defect off leaves a difference."""
    site.program("c", historical=True, factor=1.0625)
    outcome = site.run()
    assert outcome.verdict == "UNEXPLAINED"
    assert "switches C-PARITY-001 off left 12 of 12 pixels" in outcome.reasons[0]


@pytest.mark.parametrize("historical", [True, False])
def test_ignored_flux_is_never_the_defect(site, historical):
    """A simulator at 125,932 times the intensity has the verdict SCALE, at a correlation of 1."""
    site.program("py", ignores_flux=True, historical=historical)
    outcome = site.run()
    assert (outcome.verdict, outcome.exit_code) == ("SCALE", ExitCode.SCALE)
    assert "outside 0.99 to 1.01" in outcome.reasons[0]


def test_ignored_flux_in_the_users_own_program_is_unexplained(site, monkeypatch):
    """The same mistake in the program of NB_C_BIN is not taken for the defect either."""
    own = site.program("own", historical=True, ignores_flux=True)
    site.replaced["c"] = str(own)
    outcome = site.run()
    assert (outcome.verdict, outcome.exit_code) == ("UNEXPLAINED", ExitCode.UNEXPLAINED)


@pytest.mark.parametrize(("name", "other"), [("c", "spec"), ("spec", "c"), ("py", "spec")])
def test_one_of_our_programs_in_place_of_another_is_named(site, name, other):
    """The simulator was not compared where the specification program is in its place; the bundle says so."""
    site.build_here()
    assert "given by the user" not in text(site.run(), layout.ANALYSIS)
    site.replaced[name] = str(site.path(other))
    outcome = site.run()
    label = "c_spec" if name == "spec" else name
    run = json.loads(text(outcome, layout.RUN))
    assert [key for key, program in run["programs"].items() if program["replaced"]] == [label]
    analysis = text(outcome, layout.ANALYSIS)
    given = re.search(rf"\| {label} +\| given by the user with (.*): (.*?) +\|", analysis)
    assert given[2] == str(site.path(other))
    assert given[1].endswith(f"--{name}-bin")
    assert f"rogram given as {label}" in json.loads(text(outcome, layout.SUMMARY))["said"]
    assert (outcome.folder / layout.BUILD_LOG).is_file()


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ({"bytes": 100}, "py_float.bin holds 100 bytes, expected 192 for 6 x 8 pixels"),
        ({"pixel": (9, "nan")}, "non-finite pixels: 1 in the first image, 0 in the second"),
        ({"pixel": (9, "inf")}, "non-finite pixels: 1 in the first image, 0 in the second"),
        ({"writes_nothing": True}, "py_float.bin was not written"),
        ({"ignores_roi": True}, "py: 36 pixels outside the region of interest are not zero"),
    ],
)
def test_an_image_that_cannot_be_one_is_unexplained(site, behaviour, reason):
    """A program that ends well and writes nonsense is not believed."""
    site.program("py", **behaviour)
    outcome = site.run()
    assert outcome.exit_code == ExitCode.UNEXPLAINED
    assert any(reason in given for given in outcome.reasons)
    assert verify.verify(outcome.folder) == []


def blocked(site, reason, output=""):
    outcome = site.run()
    assert (outcome.verdict, outcome.exit_code) == ("BLOCKED", ExitCode.BLOCKED)
    assert reason in outcome.reasons[-1]
    run = json.loads(text(outcome, layout.RUN))
    assert run["status"] == "blocked"
    assert output in run["blocked"]["output"]
    assert run["blocked"]["time"].endswith("Z")
    assert run["blocked"]["time"] in text(outcome, layout.ANALYSIS)
    assert text(outcome, layout.COLLECT_LOG) == "collected\n"
    for name in (layout.ENV, layout.GIT, layout.MACHINE):
        assert text(outcome, name)
    assert verify.verify(outcome.folder) == []
    return outcome


def test_a_failing_version_blocks(site):
    """No image is made with a program that cannot say what it is; what it printed is kept."""
    site.program("spec", version_status=1, version_text="no such version")
    outcome = blocked(site, "program c_spec: --version ended with 1", "no such version")
    assert text(outcome, layout.VERSION) == "c: fake 1.0\nc_spec: no such version\n"
    assert not (outcome.folder / layout.image("c")).exists()


def test_a_program_that_is_not_executable_blocks(site):
    """NB_C_BIN may name a file that is no program."""
    site.program("c").chmod(0o644)
    blocked(site, "is not executable")


def test_a_missing_program_blocks(site):
    """NB_C_BIN may name nothing at all."""
    site.replaced["c"] = str(site.root / "nowhere")
    blocked(site, "program c: no file")


def test_a_file_that_is_no_program_blocks(site):
    """The kernel refuses to start it, and the bundle says so."""
    site.program("c").write_text("no interpreter line, \0 no program", encoding="utf-8")
    blocked(site, "program c: --version ended with 127", "could not be started")


def test_a_missing_input_blocks(site):
    """The message names input and place."""
    data = site.root / "golden_suite_generator/experiments/tiny/data.txt"
    data.unlink()
    blocked(site, "input data.txt of experiment tiny is missing")


def test_another_input_blocks(site):
    """A file of the right name with other bytes is not the experiment."""
    data = site.root / "golden_suite_generator/experiments/tiny/data.txt"
    data.write_text("1 0 0 6\n", encoding="utf-8")
    blocked(site, "is not the pinned file")


def test_a_failing_program_blocks_and_leaves_what_was_made(site):
    """The images of the programs before it stay in the bundle and are listed."""
    site.program("py", status=9)
    outcome = blocked(site, "exit status 9", "fake: it does not work")
    assert len(gzip.decompress((outcome.folder / layout.image("c")).read_bytes())) == 192
    assert re.search(r"\| inputs/c_float.bin.gz +\|", text(outcome, layout.ANALYSIS))
    assert "fake: it does not work" in text(outcome, layout.command_log("py"))


def test_a_missing_compiler_blocks(site):
    """Without a compiler our own C programs cannot be built, and make says why."""
    generator = site.root / "golden_suite_generator"
    (generator / "Makefile").write_text("all:\n\t@echo no compiler here; exit 1\n", encoding="utf-8")
    site.replaced["spec"] = str(generator / "build" / "nanoBragg-spec")
    outcome = blocked(site, "exit status 2: make -C", "no compiler here")
    assert "no compiler here" in text(outcome, layout.BUILD_LOG)


def test_a_hanging_program_is_killed_and_blocks(site):
    """The time limit ends it."""
    site.program("py", sleep=60)
    site.time_limit_s = 0.5
    blocked(site, "exit status -9", "killed after the time limit of 0.5 s")


def test_failing_tests_are_stated_and_the_run_goes_on(site, summary_of):
    """The verdict stands, the exit status does not."""
    site.pytest_line, site.pytest_status = "1 failed, 1 passed", 1
    outcome = site.run()
    assert (outcome.verdict, outcome.exit_code) == ("C-PARITY-001", ExitCode.TESTS_FAILED)
    summary = summary_of(outcome.folder)
    assert summary["tests"]["counts"] == {"failed": 1, "passed": 1}
    assert (summary["result"], summary["said"]) == ("FAIL", outcome.said)
    assert "failed with exit status 1: 1 failed, 1 passed." in text(outcome, layout.ANALYSIS)
    assert text(outcome, layout.COLLECT_LOG) == "collected\n"


def test_the_surroundings_are_recorded_before_any_program_runs(site, monkeypatch):
    """Whatever happens later, what the run started from is known."""
    seen = []
    real = environment.child_environment

    def spy(*arguments):
        seen.extend(path.name for path in site.bundles()[0].glob("inputs/*.txt"))
        monkeypatch.setattr(environment, "child_environment", real)
        return real(*arguments)

    real_env_text = environment.env_text

    def env_text(*arguments):
        written = real_env_text(*arguments)
        monkeypatch.setattr(environment, "child_environment", spy)
        return written

    monkeypatch.setattr(environment, "env_text", env_text)
    site.run()
    assert {"env.txt", "git_sha.txt", "machine.txt"} <= set(seen)


def test_env_is_the_same_file_every_time(site):
    """Nothing of the moment or the machine is in it."""
    first, second = site.run(), site.run()
    assert text(first, layout.ENV) == text(second, layout.ENV)
    assert "OMP_NUM_THREADS: 1\n" in text(first, layout.ENV)


def test_commands_are_recorded_verbatim(site):
    """One row per command: name, start, end, exit status, command."""
    outcome = site.run()
    rows = layout.parse_commands(text(outcome, layout.COMMANDS))
    row = next(row for row in rows if row.label == "py")
    expected = (
        "-hkl data.txt -flux 1e18 -phi 0 -detpixels_x 8 -detpixels_y 6 -roi 1 4 1 3 -floatfile py_float.bin"
    )
    assert row.command == f"{site.root}/programs/py {expected}"
    assert (row.status, row.started < row.ended) == (0, True)
    assert [row.label for row in rows[:5]] == ["sbom", "version c", "version c_spec", "version py", "pytest"]


@pytest.mark.parametrize("name", ["my programs", "Prüfung", "tab\there"])
def test_paths_may_hold_what_they_like(site, name):
    """Spaces, letters of any language, even tabs; the row is read back as it was written."""
    program = site.path("c")
    (site.root / name).mkdir()
    site.replaced["c"] = str(program.rename(site.root / name / "c"))
    outcome = site.run()
    row = next(row for row in layout.parse_commands(text(outcome, layout.COMMANDS)) if row.label == "c")
    assert shlex.split(row.command)[0] == site.replaced["c"]
    assert verify.verify(outcome.folder) == []


@pytest.mark.parametrize("name", ["two\nlines", "page\x0cfeed", "line\u2028end", os.fsdecode(b"\xff")])
def test_paths_that_are_no_line_of_text_are_refused(site, monkeypatch, name):
    """They could not be read back from the record of the commands; nothing is left of the run."""
    (site.root / name).mkdir()
    site.replaced["c"] = str(site.path("c").rename(site.root / name / "c"))
    monkeypatch.setenv("NB_C_BIN", site.replaced["c"])
    with pytest.raises(UsageError, match="expected paths on one line, in UTF-8") as raised:
        site.run()
    assert str(raised.value).isascii() and str(raised.value).isprintable()
    assert site.bundles() == []


@pytest.mark.parametrize("blocked", [False, True])
def test_the_hash_lists_are_ones_for_sha256sum(site, blocked):
    """Of the bundle, of its inputs, and of the images once they are unpacked; with tools everybody has."""
    if blocked:
        site.program("py", status=9)
    folder = site.run().folder
    inputs = folder / "inputs"
    check = ["sha256sum", "-c", "--strict", "--quiet"]
    subprocess.run([*check, "sha256.txt"], cwd=folder, check=True)
    subprocess.run([*check, "sha256.txt"], cwd=inputs, check=True)
    listed = [line.split("  ")[1] for line in (inputs / "sha256.txt").read_text("utf-8").splitlines()]
    assert {*listed, "sha256.txt"} == set(files_below(inputs))
    subprocess.run(["gunzip", *(path.name for path in inputs.glob("*.gz"))], cwd=inputs, check=True)
    subprocess.run([*check, "images_sha256.txt"], cwd=inputs, check=True)
    images = (inputs / "images_sha256.txt").read_text("utf-8")
    assert images.count("_float.bin\n") == images.count("\n") == (2 if blocked else 3)


def test_two_runs_in_one_second_get_two_folders(site, monkeypatch):
    """The second does not touch the first."""
    monkeypatch.setattr(bundle, "stamp", lambda: "20251008T120000Z")
    first = site.run()
    before = {path: path.stat().st_mtime_ns for path in first.folder.rglob("*")}
    second = site.run()
    assert [path.name for path in site.bundles()] == ["20251008T120000Z", "20251008T120000Z-2"]
    assert second.folder.name == "20251008T120000Z-2"
    assert {path: path.stat().st_mtime_ns for path in first.folder.rglob("*")} == before
    assert verify.verify(first.folder) == verify.verify(second.folder) == []


def test_a_run_that_breaks_leaves_no_folder(site, monkeypatch):
    """Nothing that looks like a bundle appears before it is complete."""

    def broken(folder: Path) -> None:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(bundle, "seal", broken)
    with pytest.raises(RuntimeError, match="the disk is gone"):
        site.run()
    assert site.bundles() == []


def test_a_hash_list_that_does_not_hold_is_never_put_into_place(site, monkeypatch):
    """What was written is read back before the folder gets its name."""
    real = bundle.sha256_list
    monkeypatch.setattr(bundle, "sha256_list", lambda folder, names: real(folder, names).replace("a", "b", 1))
    with pytest.raises(NotIntactError, match="the bundle does not hold what was written"):
        site.run()
    assert site.bundles() == []


def test_reports_that_cannot_be_written_are_an_error(site):
    """One line, its own exit status, and no program was run."""
    (site.root / "reports").write_text("a file where a folder should be", encoding="utf-8")
    with pytest.raises(NotWrittenError, match="no bundle can be written below"):
        site.run()
    assert NotWrittenError.exit_code == ExitCode.NOT_WRITTEN


def test_the_gpu_leg_says_why_it_was_not_run(site):
    """The command to run it is there to copy."""
    analysis = text(site.run(), layout.ANALYSIS)
    assert "not run: no CUDA device. Command:" in analysis
    assert "-device cuda -floatfile py_cuda_float.bin" in analysis


def test_the_gpu_leg_is_run_and_judged(site, summary_of, monkeypatch):
    """A GPU image is one more comparison with c_spec."""
    monkeypatch.setattr(environment, "cuda_devices", lambda python, root: (1, ""))
    outcome = site.run()
    assert summary_of(outcome.folder)["pairs"]["py_cuda_vs_c_spec"]["differing_pixels"] == 0
    assert "GPU leg\n\nRun; see" in text(outcome, layout.ANALYSIS)
    assert outcome.exit_code == ExitCode.OK
    assert verify.verify(outcome.folder) == []


def test_a_program_that_changes_while_it_is_run_overrules_the_verdict(site, monkeypatch):
    """Somebody builds, or saves a source: the images before and after are not of one program."""
    site.build_here()
    index = site.root / "docs" / "index.md"
    text_of_index = index.read_text(encoding="utf-8")
    index.write_text(
        text_of_index.replace("- `req", "- `nanobrag_torch/**/*.py`: x\n- `req"), encoding="utf-8"
    )

    def devices(python, root):
        for name in ("py", "spec"):
            with site.path(name).open("a", encoding="utf-8") as stream:
                stream.write("# edited\n")
        return 0, "no CUDA device"

    monkeypatch.setattr(environment, "cuda_devices", devices)
    outcome = site.run()
    assert outcome.exit_code == ExitCode.NOT_INTACT
    assert outcome.reasons[-1] == "protected assets changed: nanobrag_torch/__main__.py, program c_spec"
    assert verify.verify(outcome.folder) == []


def test_a_changed_protected_asset_overrules_the_verdict(site, monkeypatch):
    """A run that changed what it may not change proves nothing."""
    lock = site.root / "requirements" / "cpu.txt"

    def devices(python, root):
        lock.write_text("another lock\n", encoding="utf-8")
        return 0, "no CUDA device"

    monkeypatch.setattr(environment, "cuda_devices", devices)
    outcome = site.run()
    assert outcome.exit_code == ExitCode.NOT_INTACT
    assert outcome.reasons[-1] == "protected assets changed: requirements/cpu.txt"
    assert "CHANGED during the run" in text(outcome, layout.ANALYSIS)
