import gzip
import hashlib
import json

import numpy as np
import pytest

from nbparity import historical, thresholds
from nbparity.__main__ import main
from nbparity.errors import BlockedError, ExitCode, UsageError


@pytest.fixture
def data(site, monkeypatch):
    """Golden data of two cases, made from what the fake programs write."""
    folder = site.root / "golden"
    monkeypatch.setenv("NB_GOLDEN_DIR", str(folder))
    (folder / "inputs").mkdir()
    (folder / "inputs" / "data.txt").write_text("1 0 0 5\n", encoding="utf-8")
    fixed = (1 + 10 * np.arange(6)[:, None] + np.arange(8)).astype(np.float32)
    hist = fixed * np.float32(1.125)
    hist[0, 0] = fixed[0, 0]
    rows = []
    for name, area, modes in (("from_zero", "phi", ("fixed", "hist")), ("off_zero", "cell", ("fixed",))):
        case = folder / "cases" / name
        case.mkdir(parents=True)
        outputs = {}
        for mode in modes:
            image = hist if mode == "hist" else fixed
            np.save(case / f"{mode}_float.npy", image)
            digest = hashlib.sha256(image.tobytes()).hexdigest()
            outputs[mode] = {"floatimage.bin": {"kind": "float", "sha256": digest, "stored": ""}}
            outputs[mode]["data.txt"] = {"kind": "dump", "sha256": hashlib.sha256(b"1 0 0 5\n").hexdigest()}
        args = ["-flux", "1e18", "-phi", "0" if "hist" in modes else "1"]
        about = {"name": name, "area": area, "args": args, "inputs": ["data.txt"], "shape": [6, 8]}
        (case / "case.json").write_text(json.dumps({**about, "outputs": outputs}), encoding="utf-8")
        rows.append({"name": name, "area": area})
    (folder / "index.json").write_text(json.dumps(rows), encoding="utf-8")
    return folder


def command(site, *arguments):
    programs = {name: str(site.root / "programs" / name) for name in ("c", "spec", "py")}
    bins = ("--c-bin", programs["c"], "--spec-bin", programs["spec"], "--py-bin", programs["py"])
    return main(["historical", "--root", str(site.root), *bins, *arguments])


def test_each_program_is_compared_with_its_own_image(site, data, capsys):
    """The historical one with hist where there is one, the others with fixed."""
    assert command(site) == ExitCode.OK
    text = capsys.readouterr().out
    for program in ("c", "c_spec", "py"):
        assert f"{program}: 2 of 2 cases at 100 %, 2 at >= 99.99 %" in text
    assert text.count("1/1") == 6


def test_a_program_that_differs_is_named(site, data, capsys):
    """With the case; the exit status is not 0."""
    site.program("py", historical=True)
    assert command(site) == ExitCode.UNEXPLAINED
    text = capsys.readouterr().out
    assert "outside the thresholds: from_zero (py)" in text
    assert "py: 1 of 2 cases at 100 %, 1 at >= 99.99 %" in text


def test_a_program_that_fails_is_named_with_its_last_words(site, data, capsys):
    """A case that was not rendered is no agreement."""
    site.program("spec", status=9)
    assert command(site, "--program", "c_spec", "--area", "cell") == ExitCode.UNEXPLAINED
    text = capsys.readouterr().out
    assert "off_zero: exit status 9: fake: it does not work" in text
    assert "from_zero" not in text


def test_a_short_image_is_named(site, data, capsys):
    """Nothing is compared with a part of an image."""
    site.program("py", bytes=10)
    assert command(site, "--program", "py", "--case", "off_zero") == ExitCode.UNEXPLAINED
    assert "floatimage.bin holds 10 bytes, expected 192" in capsys.readouterr().out


def test_no_data_is_blocked_with_the_way_out(site, monkeypatch, capsys):
    """The golden data are not part of the repository."""
    monkeypatch.setenv("NB_GOLDEN_DIR", str(site.root / "none"))
    assert command(site) == ExitCode.BLOCKED
    error = capsys.readouterr().err
    assert error.startswith("nbparity: blocked: no historical data: ")
    assert error.endswith("index.json does not exist (set NB_GOLDEN_DIR)\n")


@pytest.mark.parametrize("option", ["--area", "--case"])
def test_a_mistyped_choice_is_refused_with_the_known_ones(site, data, capsys, option):
    """Rather than run nothing and say that all is well."""
    assert command(site, option, "nothing") == ExitCode.USAGE
    assert "'nothing' (known: " in capsys.readouterr().err


def test_the_seed_of_the_clobber_case_is_written_out():
    """P8.3: the angles that the historical parser made of it, in place of the request and the seed."""
    args = ("-hkl", "x", "-misset", "random", "-misset_seed", "27", "-lambda", "1.03")
    case = historical.Case(
        name="misset_seed_clobber", area="", folder=None, args=args, inputs=(), shape=(1, 1), outputs={}
    )
    assert historical.arguments(case) == ("-hkl", "x", "-misset", "27", "0", "1.03", "-lambda", "1.03")


def test_other_arguments_of_that_case_are_an_error():
    """The substitution never passes unnoticed."""
    case = historical.Case(
        name="misset_seed_clobber",
        area="",
        folder=None,
        args=("-N", "5"),
        inputs=(),
        shape=(1, 1),
        outputs={},
    )
    with pytest.raises(UsageError, match="its arguments do not hold"):
        historical.arguments(case)


def test_the_real_data_cover_every_area(root):
    """The cases that the repository's figures are about; only where the golden data are."""
    try:
        folder = historical.data_folder(root)
    except BlockedError as error:
        pytest.skip(str(error))
    cases = historical.load_cases(folder, [], [])
    assert len(cases) == 89
    assert all((folder / "inputs" / name).is_file() for case in cases for name in case.inputs)
    assert thresholds.load().golden_min_bit_identical == 0.9999
    stored = next(folder.glob("cases/noise_low/*.gz"))
    assert gzip.decompress(stored.read_bytes())


@pytest.fixture
def supervisor_data(data):
    """Stored region and samples of the fake programs' full frame."""
    folder = data / "supervisor"
    folder.mkdir()
    fixed = (1 + 10 * np.arange(6)[:, None] + np.arange(8)).astype(np.float32)
    for mode, factor in (("fixed", 1.0), ("hist", 1.125)):
        full, roi = fixed * np.float32(factor), fixed[1:4, 1:5] * np.float32(factor)
        full[0, 0] = fixed[0, 0]
        roi[0, 0] = fixed[1, 1]
        np.save(folder / f"{mode}_roi_float.npy", roi)
        np.save(folder / f"{mode}_sample.npy", full.ravel()[[0, 9, 20]])
        np.save(folder / f"{mode}_brightest.npy", full.ravel()[[47, 46]])
    np.save(folder / "sample_index.npy", np.array([0, 9, 20]))
    np.save(folder / "brightest_index.npy", np.array([47, 46]))
    about = {
        "shape": [6, 8],
        "inputs": ["data.txt"],
        "args_full": ["-flux", "1e18", "-phi", "0"],
        "args_roi": ["-flux", "1e18", "-phi", "0", "-roi", "1", "4", "1", "3"],
        "roi": {"float_offset_slow_fast": [1, 1], "shape": [3, 4]},
    }
    (folder / "supervisor.json").write_text(json.dumps(about), encoding="utf-8")


def test_the_real_experiment_is_compared_at_its_stored_pixels(site, supervisor_data, capsys):
    """Region, random sample and brightest pixels; the historical program with its own values."""
    assert command(site, "--supervisor") == ExitCode.OK
    assert "py: 5 of 5 cases at 100 %" in capsys.readouterr().out
    site.program("py", pixel=(9, 12.000001))
    assert command(site, "--supervisor", "--program", "py") == ExitCode.UNEXPLAINED
    assert "supervisor full sample (py)" in capsys.readouterr().out


def test_a_program_that_fails_on_the_real_experiment_is_named(site, supervisor_data, capsys):
    """With its last words."""
    site.program("py", status=9)
    assert command(site, "--supervisor", "--program", "py") == ExitCode.UNEXPLAINED
    assert "supervisor full: exit status 9: fake: it does not work" in capsys.readouterr().out
