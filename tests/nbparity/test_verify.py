import dataclasses
import gzip
import json
import shlex
import shutil

import numpy as np
import pytest

from nbparity import bundle, layout, n2_record, packed, thresholds, verify
from nbparity.__main__ import main
from nbparity.commands import bundles as commands_bundles
from nbparity.errors import ExitCode


def test_an_untouched_bundle_holds(sealed):
    """Also when it was copied to another place."""
    copy = shutil.copytree(sealed, sealed.parent / "copy")
    assert verify.verify(sealed) == verify.verify(copy) == []


def test_a_link_in_place_of_a_file_is_found(sealed):
    """What it points to may change later."""
    target = sealed / layout.image("py")
    target.unlink()
    target.symlink_to("c_spec_float.bin")
    assert f"changed: {layout.image('py')} is not a plain file" in verify.verify(sealed)


def test_a_line_dropped_from_the_hash_list_is_found(sealed):
    """The file it was for becomes an extra one."""
    path = sealed / layout.HASHES
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for dropped in range(len(lines)):
        path.write_text("".join(lines[:dropped] + lines[dropped + 1 :]), encoding="utf-8")
        assert verify.verify(sealed) == [f"extra: {lines[dropped].split()[1]}"]


def test_every_figure_of_the_summary_is_derived_again(sealed, rehash):
    """A summary that claims anything else is untrue, whatever the hash list says."""
    path = sealed / layout.SUMMARY
    original = path.read_text(encoding="utf-8")
    for pair, key in [("py_vs_c", "correlation"), ("py_vs_c_spec", "sum_x"), ("c_vs_c_spec", "rmse")]:
        data = json.loads(original)
        data["pairs"][pair][key] += 1e-9
        path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        rehash(sealed)
        assert any(complaint.startswith(f"untrue: {layout.SUMMARY}:") for complaint in verify.verify(sealed))


def test_an_edited_region_of_the_ablation_is_untrue(sealed, rehash):
    """The experiment behind a named cause is derived again, too."""
    path = sealed / layout.ablated_roi("c", "C-PARITY-001")
    pixels = np.load(path)
    pixels[0, 0] += 1
    np.save(path, pixels)
    rehash(sealed)
    assert any(complaint.startswith("untrue: ") for complaint in verify.verify(sealed))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2, "status": "complete"}'])
def test_nonsense_in_the_facts_is_a_complaint(sealed, text, rehash):
    """No traceback, whatever the file holds."""
    (sealed / layout.RUN).write_text(text, encoding="utf-8")
    rehash(sealed)
    assert any("cannot be derived" in complaint for complaint in verify.verify(sealed))


@pytest.fixture
def reseal():
    """Change the facts of a bundle, take files out, and derive the rest anew, as somebody does who lies."""

    def run(folder, *dropped, **facts):
        data = json.loads((folder / layout.RUN).read_text(encoding="utf-8"))
        for key, value in facts.items():
            data[key] = data[key] | value if isinstance(value, dict) else value
        (folder / layout.RUN).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        for name in dropped:
            (folder / name).unlink()
        bundle.seal(folder)
        return verify.verify(folder)

    return run


def test_a_status_of_ones_own_leaves_out_no_files(sealed, reseal):
    """What a bundle has to hold follows from its status, of which there are two."""
    complaints = reseal(sealed, layout.SBOM, layout.command_log("py"), status="partial")
    assert complaints == [f"untrue: {layout.RUN}: status 'partial', expected 'complete'"]


@pytest.mark.parametrize(
    "limit", [{"gpu_min_bit_identical": 0.5}, {"max_sum_ratio": 1e6}, {"min_bit_identical": float("nan")}]
)
def test_a_bundle_is_judged_by_the_limits_of_the_checkout(sealed, reseal, limit):
    """Whoever derives a verdict anew from looser limits has to say so to whoever verifies."""
    ((name, value),) = limit.items()
    expected = f"untrue: {layout.RUN}: judged by {name} = {value!r}, thresholds.toml has "
    assert reseal(sealed, thresholds=limit)[0].startswith(expected)


@pytest.mark.parametrize("missing", ["gpu_min_bit_identical", "trace_max_relative", "max_log_bytes"])
def test_a_bundle_without_a_limit_of_today_is_judged_by_it(sealed, reseal, summary_of, missing):
    """It was made before there was one; those it states have to be those of today in any case."""
    path = sealed / layout.RUN
    before = summary_of(sealed)
    edit_json(path, lambda data: data["thresholds"].pop(missing))
    assert reseal(sealed) == []
    assert summary_of(sealed) == before


def test_a_limit_that_is_none_any_more_is_named(sealed, reseal):
    """In one line; the rest is derived without it."""
    expected = f"untrue: {layout.RUN}: judged by min_beauty = 0.5, thresholds.toml has None"
    assert reseal(sealed, thresholds={"min_beauty": 0.5}) == [expected]


@pytest.mark.parametrize("stated", [1, 3, True, 2.0, "2", None])
def test_a_bundle_of_another_format_is_one_line(sealed, record, stated):
    """What follows from what is in it only the version that made it knows; of a record of N2, too."""
    for folder, name, expected, check in (
        (sealed, layout.RUN, layout.FORMAT, verify.verify),
        (record, n2_record.CHECKS, n2_record.FORMAT, verify.verify_record),
    ):
        edit_json(folder / name, lambda data: data.update(format=stated))
        other = f"format {stated!r}, expected {expected}"
        said = f"{name}: {other}: the version of nbparity that made it can verify it"
        assert check(folder) == [said]
        edit_json(folder / name, lambda data: data.pop("format"))
        assert check(folder) == [said.replace(f"format {stated!r}", "format None")]


def test_no_limit_makes_up_for_a_bit(site, reseal):
    """A verdict that names the defect says that py and c_spec have the same bits."""
    site.program("py", pixel=(9, 12.000001))
    folder = site.run().folder
    reseal(folder, thresholds={"min_bit_identical": 0.5})
    verdict = json.loads((folder / layout.SUMMARY).read_text(encoding="utf-8"))["verdict"]
    assert verdict["name"] == "UNEXPLAINED"
    assert verdict["reasons"] == ["py differs from c_spec in 1 of 12 pixels, up to 1 ULP"]


def test_a_part_of_the_region_explains_nothing(sealed, reseal):
    """Two equal corners say nothing of the pixels between them."""
    for name in ("c", "c_spec"):
        path = sealed / layout.ablated_roi(name, "C-PARITY-001")
        np.save(path, np.load(path)[:1, :1])
    reseal(sealed)
    verdict = json.loads((sealed / layout.SUMMARY).read_text(encoding="utf-8"))["verdict"]
    assert verdict["name"] == "UNEXPLAINED"
    assert "off covers 1 pixels instead of the 12 of the region" in verdict["reasons"][0]


@pytest.fixture
def edit_commands(reseal):
    """Change commands.txt and derive the rest anew, hash list included."""

    def run(folder, change, **facts):
        path = folder / layout.COMMANDS
        rows = [row for row in map(change, layout.read_commands(folder)) if row is not None]
        path.write_text("".join(row.text for row in rows), encoding="utf-8")
        return reseal(folder, **facts)

    return run


def replaced(label, old, new):
    """A change of one word of one command."""

    def change(row):
        words = shlex.split(row.command)
        if row.label == label:
            assert old in words
            words = [new if word == old else word for word in words]
        return dataclasses.replace(row, command=shlex.join(words))

    return change


@pytest.mark.parametrize(
    ("label", "old", "new"),
    [
        ("c without C-PARITY-001", "1e-09", "0"),
        ("c_spec without C-PARITY-001", "-phi", "-osc"),
        ("c", "data.txt", "other.txt"),
        ("c_spec", "1e18", "2e18"),
        ("py", "-roi", "-Roi"),
        ("c", "-floatfile", "-intfile"),
        ("trace py", "-trace_pixel", "-Trace"),
        ("version c", "--version", "--help"),
        ("pytest", "tests/test_cli_scaling_phi0.py", "tests/test_readme.py"),
        ("sbom", "environment", "requirements"),
    ],
)
def test_a_command_that_the_experiment_does_not_give_is_untrue(sealed, edit_commands, label, old, new):
    """The experiment, the programs and the table of causes leave no choice in what ran."""
    (complaint,) = edit_commands(sealed, replaced(label, old, new))
    assert complaint.startswith(f"untrue: {layout.COMMANDS}: {label!r} has word ")
    assert complaint.endswith(f" {new!r}, expected {old!r}")


def test_another_program_in_a_command_is_untrue(sealed, site, edit_commands):
    """The run names the program of each side, and its hash."""
    own, other = str(site.path("c")), str(site.path("spec"))
    for label in ("c", "c without C-PARITY-001", "trace c"):
        program = shlex.split(next(r.command for r in layout.read_commands(sealed) if r.label == label))[0]
        assert program.endswith("/programs/c")
    (complaint,) = edit_commands(sealed, replaced("c", program, other))
    assert complaint == f"untrue: {layout.COMMANDS}: 'c' has word 1 {other!r}, expected {program!r}"
    assert own != other


def relabelled(label, name):
    return lambda row: dataclasses.replace(row, label=name) if row.label == label else row


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda row: None if row.label == "version py" else row, "'version py' did not run"),
        (
            lambda row: None if row.label == "c without C-PARITY-001" else row,
            "'c without C-PARITY-001' did not run, and its region is there",
        ),
        (relabelled("sbom", "build"), "'build' is no command of this run"),
        (relabelled("version c", "c"), "'c' ran 2 times"),
        (
            lambda row: dataclasses.replace(row, status=1) if row.label == "py" else row,
            "'py' ended with 1, and the run is stated to be complete",
        ),
    ],
)
def test_commands_missing_added_or_failed_are_untrue(sealed, edit_commands, change, complaint):
    """A complete run has each once, and none that failed."""
    assert f"untrue: {layout.COMMANDS}: {complaint}" in edit_commands(sealed, change)


def test_the_region_of_an_experiment_is_that_of_its_commands(sealed, reseal):
    """Facts that were changed contradict the commands that were not."""
    run = json.loads((sealed / layout.RUN).read_text(encoding="utf-8"))
    complaints = reseal(sealed, experiment=run["experiment"] | {"roi": [1, 4, 1, 4]})
    assert f"untrue: {layout.COMMANDS}: 'c' has word 16 '3', expected '4'" in complaints


@pytest.mark.parametrize(
    ("facts", "complaint"),
    [
        ({"threads_py": 2}, "threads_py is 2, expected 1"),
        ({"threads_py": True}, "threads_py is True, expected 1"),
        ({"trace": {"pixel": [1, 1]}}, "trace.pixel is [1, 1], expected [3, 4]"),
        ({"trace": {"pixel": None}}, "trace.pixel is None, expected [3, 4]"),
        ({"gpu": {"command": "true"}}, "gpu.command is 'true', expected '/"),
        ({"experiment": {"shape": [8, 6]}}, "experiment.shape is [8, 6], expected [6, 8]"),
    ],
)
def test_a_statement_that_the_files_contradict_is_untrue(sealed, reseal, facts, complaint):
    """Each that follows from a file of the bundle is derived again."""
    found = reseal(sealed, **facts)
    assert any(text.startswith(f"untrue: {layout.RUN}: {complaint}") for text in found)


@pytest.mark.parametrize("name", ["c", "c_spec", "py"])
def test_a_program_of_the_users_own_cannot_be_passed_off_as_ours(sealed, reseal, name):
    """Where it lies says that it stands in for ours."""
    programs = json.loads((sealed / layout.RUN).read_text(encoding="utf-8"))["programs"]
    programs[name]["replaced"] = False
    complaint = f"untrue: {layout.RUN}: programs.{name}.replaced is False, expected True"
    assert reseal(sealed, programs=programs) == [complaint]


def test_a_cause_is_the_one_of_the_table(sealed, reseal):
    """Not another experiment under its name; one that is not known proves nothing at all."""
    known = json.loads((sealed / layout.RUN).read_text(encoding="utf-8"))["causes"]
    known[0]["title"] = "nothing of interest"
    assert reseal(sealed, causes=known)[0].startswith(f"untrue: {layout.RUN}: cause C-PARITY-001 is {{")
    (sealed / layout.SUMMARY).unlink()
    unknown = [{"id": "MADE-UP", "title": "x", "see": "y", "experiments": []}]
    assert reseal(sealed, causes=unknown)[0].startswith(f"untrue: {layout.RUN}: cause MADE-UP is {{")


def test_a_bundle_without_its_images_is_incomplete(sealed, rehash):
    """Files removed together with their lines are missed as parts of a complete bundle."""
    (sealed / layout.command_log("py")).unlink()
    (sealed / layout.VERSION).unlink()
    rehash(sealed)
    complaints = verify.verify(sealed)
    assert f"incomplete: {layout.VERSION} is not there" in complaints
    assert f"incomplete: {layout.command_log('py')} is not there" in complaints


def test_no_folder_is_a_complaint(tmp_path):
    """A name mistyped on the command line."""
    assert verify.verify(tmp_path / "none") == [f"{tmp_path / 'none'}: not a folder"]


def edit_json(path, change):
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


@pytest.fixture
def seal_record():
    """Derive a record anew from raw files that were changed, as somebody does who lies."""

    def run(folder):
        raw = n2_record.raw_hashes(folder)
        limits = thresholds.load_nb_compare()
        measures = n2_record.Measures(thresholds=thresholds.load(), limits=limits)
        checks = n2_record.checks(folder, raw, n2_record.results(folder, limits), measures)
        for name, text in n2_record.texts(folder, raw, "name", checks).items():
            (folder / name).write_text(text, encoding="utf-8")
        bundle.write_hashes(folder, n2_record.HASHES)
        return verify.verify_record(folder)

    return run


def test_a_record_is_about_the_facts_and_arguments_of_its_bundle(record, seal_record):
    """The hash list of the bundle says which facts are its own, they say what was to be compared."""
    assert seal_record(record) == []
    edit_json(record / "c" / "summary.json", lambda data: data["args"].append("-nopgm"))
    (complaint,) = seal_record(record)
    assert complaint.startswith("untrue: c/summary.json: args [")
    edit_json(record / n2_record.BUNDLE_RUN, lambda data: data.update(stamp="20000101T000000Z"))
    expected = "untrue: bundle_run.json is not the inputs/run.json that bundle_sha256.txt lists"
    assert seal_record(record) == [expected]


def test_a_record_tells_other_images_than_those_of_the_bundle(record, seal_record):
    """Whoever derives it anew from them cannot have it pass."""
    path = record / n2_record.IMAGES["py"]
    packed.write(path, gzip.decompress(path.read_bytes())[:-4] + b"\x00\x00\x80\x3f")
    assert seal_record(record) == []
    data = json.loads((record / n2_record.CHECKS).read_text(encoding="utf-8"))
    failed = [check["name"] for check in data["checks"] if not check["passed"]]
    assert "py, bytes of the bundle" in failed and not data["passed"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2, "bundle": []}'])
def test_nonsense_in_a_record_is_a_complaint(record, text):
    """No traceback, whatever a file of it holds."""
    for name in (n2_record.CHECKS, n2_record.BUNDLE_RUN, n2_record.BUNDLE_HASHES, "c/summary.json"):
        path = record / name
        original = path.read_bytes()
        path.write_text(text, encoding="utf-8")
        assert f"changed: {name}" in verify.verify_record(record)
        path.write_bytes(original)


def test_the_command_checks_records_beside_bundles(record, sealed, tmp_path, keys, monkeypatch, capsys):
    """By name, and all below reports/; nobody signs a record, so a key is for bundles."""
    monkeypatch.setattr(commands_bundles, "ROOT", tmp_path)
    reports = tmp_path / "reports"
    shutil.copytree(record, reports / "a" / "n2")
    shutil.copytree(sealed, reports / "a" / "n1")
    assert main(["verify"]) == ExitCode.OK
    told = "complete, unchanged, every claim follows from its files"
    assert capsys.readouterr().out.count(told) == 2
    (reports / "a" / "n2" / "n2.md").write_text("all is well\n", encoding="utf-8")
    assert main(["verify"]) == main(["verify", str(reports / "a" / "n2")]) == ExitCode.NOT_INTACT
    assert f"{reports / 'a' / 'n2'}: changed: n2.md" in capsys.readouterr().out
    key = ["--key", str(keys["own.public"])]
    assert main(["verify", str(record), *key]) == ExitCode.USAGE
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["verify", *key]) == ExitCode.NOT_INTACT
    assert "n2" not in capsys.readouterr().out
