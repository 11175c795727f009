import hashlib
import json
import os
import re
import shutil
import stat
import struct
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from nbparity import nb_compare, programs, side_by_side
from nbparity.__main__ import main as nbparity
from nbparity.nb_compare import Status

ARGS = ["-hkl", "data.txt", "-flux", "1e18", "-phi", "3"]
FILES = {
    *("c_stdout.txt", "c_stderr.txt", "py_stdout.txt", "py_stderr.txt", "c_float.bin", "py_float.bin"),
    *("c.png", "py.png", "summary.json"),
}
KEYS = {
    *("args", "binaries", "roi", "resample", "runtime_c_ms", "runtime_py_ms", "correlation", "mse", "rmse"),
    *("max_abs_diff", "sum_c", "sum_py", "sum_ratio", "bit_identical_fraction", "max_ulp"),
    *("peak_registration", "png_scaling", "explanation"),
}


class Site:
    """A working folder with an input file, and fake programs."""

    def __init__(self, site, home):
        self.site, self.home = site, home

    def __call__(self, *options, args=ARGS):
        folder = self.site.root / "programs"
        bins = ["--c-bin", str(folder / "c"), "--py-bin", str(folder / "py")]
        return nb_compare.main([*bins, *options, "--", *args])

    @property
    def folders(self):
        parent = self.home / "comparisons"
        return sorted(parent.iterdir()) if parent.is_dir() else []

    @property
    def folder(self):
        (only,) = self.folders
        return only

    @property
    def summary(self):
        return json.loads((self.folder / "summary.json").read_text(encoding="utf-8"))


@pytest.fixture
def compared(site, tmp_path, monkeypatch):
    """Run nb-compare in a folder of its own, with the fake C program, which has the defect, and simulator."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "data.txt").write_text("1 0 0 5\n", encoding="utf-8")
    monkeypatch.chdir(home)
    return Site(site, home)


def test_agreement_leaves_everything_and_says_so(compared, capsys):
    """One summary line, a small table, every file, every figure."""
    assert compared() == Status.OK
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(
        "nb-compare: agreement: correlation 1 (threshold 0.98), sum py / c 1, 0 of 48 "
    )
    assert 5 <= len(lines) <= 12
    assert {path.name for path in compared.folder.iterdir()} == FILES
    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{8}", compared.folder.name)
    summary = compared.summary
    assert set(summary) == KEYS
    assert summary["args"] == ARGS
    program = compared.site.root / "programs" / "py"
    assert summary["binaries"]["py"]["sha256"] == hashlib.sha256(program.read_bytes()).hexdigest()
    assert summary["sum_c"] == sum(1 + 10 * slow + fast for slow in range(6) for fast in range(8))
    assert (summary["bit_identical_fraction"], summary["max_ulp"], summary["mse"]) == (1.0, 0, 0.0)
    assert summary["runtime_c_ms"] > 0 and summary["runtime_py_ms"] > 0
    c, py = (compared.folder / f"{side}_float.bin" for side in ("c", "py"))
    assert c.stat().st_mtime_ns <= py.stat().st_mtime_ns
    with Image.open(compared.folder / "c.png") as picture:
        assert picture.size == (8, 6)
    assert [path.name for path in compared.home.iterdir()].count("data.txt") == 1
    assert {path.name for path in compared.home.iterdir()} == {"data.txt", "comparisons"}


def test_figures_are_those_of_the_images(compared):
    """One pixel of py is 3 too high: sum, difference and mean square follow."""
    compared.site.program("py", pixel=(9, 15.0))
    assert compared("--save-diff") == Status.OK
    summary = compared.summary
    assert summary["max_abs_diff"] == 3.0
    assert summary["mse"] == pytest.approx(9 / 48)
    assert summary["rmse"] == pytest.approx((9 / 48) ** 0.5)
    assert summary["sum_py"] == summary["sum_c"] + 3
    assert summary["sum_ratio"] == pytest.approx(summary["sum_py"] / summary["sum_c"])
    assert summary["bit_identical_fraction"] == 47 / 48
    x, r = (np.fromfile(compared.folder / f"{side}_float.bin", dtype="<f4") for side in ("py", "c"))
    assert summary["correlation"] == pytest.approx(np.corrcoef(x, r)[0, 1], rel=1e-6)
    with Image.open(compared.folder / "diff.png") as picture:
        assert picture.getpixel((1, 1)) == (255, 0, 0)
        assert picture.getpixel((2, 1)) == (255, 255, 255)


def test_the_region_restricts_figures_and_pictures_not_the_images(compared):
    """A difference outside of it does not count; the float images are whole."""
    compared.site.program("py", pixel=(47, 9e9))
    assert compared("--roi", "1", "4", "1", "3") == Status.OK
    assert compared.summary["roi"] == [1, 4, 1, 3]
    assert compared.summary["bit_identical_fraction"] == 1.0
    assert (compared.folder / "py_float.bin").stat().st_size == 4 * 48
    with Image.open(compared.folder / "py.png") as picture:
        assert picture.size == (4, 3)


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ({"pixel": (47, -9e4)}, "BELOW THRESHOLD"),
        ({"pixel": (9, "nan")}, "BELOW THRESHOLD: non-finite pixels: 1 in the first image"),
        ({"factor": 0}, "BELOW THRESHOLD"),
        ({"ignores_flux": True}, "OTHER SCALE: correlation 1 "),
    ],
)
def test_disagreement_is_3(compared, capsys, behaviour, words):
    """Everything is kept; a factor that correlation does not see is disagreement, too."""
    compared.site.program("py", **behaviour)
    assert compared() == Status.DISAGREE == 3
    assert words in capsys.readouterr().out
    assert {path.name for path in compared.folder.iterdir()} == FILES


def test_the_threshold_decides(compared):
    """The same images, on either side of it."""
    compared.site.program("py", pixel=(9, 30.0))
    assert compared("--threshold", "0.999") == Status.DISAGREE
    correlation = compared.summary["correlation"]
    assert 0.9 < correlation < 0.999
    assert compared("--threshold", repr(correlation)) == Status.OK


def test_constant_images_agree_with_the_same_bits_only(compared):
    """Correlation has no value for them."""
    compared.site.program("c", factor=0)
    compared.site.program("py", factor=0)
    assert compared() == Status.OK
    assert compared.summary["correlation"] is None


def test_other_shapes_are_4_and_comparable_when_resampled(compared, capsys):
    """Images and pictures are kept either way; resampled, the sum stays."""
    compared.site.program("py", shape=(6, 4))
    assert compared("--roi", "0", "7", "0", "5") == Status.SHAPES_DIFFER == 4
    assert "SHAPES DIFFER: c and py have 8 x 6 and 4 x 6 pixels" in capsys.readouterr().out
    summary = compared.summary
    assert (summary["correlation"], summary["peak_registration"]) == (None, None)
    assert summary["resample"]["shape_py"] == [6, 4]
    assert not summary["resample"]["applied"]
    shutil.rmtree(compared.folder)
    assert compared("--resample", "--threshold", "0.9") == Status.DISAGREE  # half the pixels, half the sum
    summary = compared.summary
    assert summary["resample"]["applied"] and "area" in summary["resample"]["method"]
    assert summary["sum_py"] == pytest.approx(sum(1 + 10 * s + f for s in range(6) for f in range(4)))
    assert summary["correlation"] > 0.9


@pytest.mark.parametrize(
    ("options", "args", "message"),
    [
        ([], [], "expected -- and after it the ARGS"),
        (["--roi", "4", "1", "0", "2"], ARGS, "--roi 4 1 0 2: expected 0 <= xmin <= xmax"),
        (["--roi", "-1", "1", "0", "2"], ARGS, "--roi -1 1 0 2: expected"),
        (["--roi", "1", "2"], ARGS, "argument --roi: expected 4 arguments"),
        (["--roi", "0", "8", "0", "5"], ARGS, "--roi 0 8 0 5: the image of c has 8 x 6 pixels"),
        (["--threshold", "2"], ARGS, "--threshold 2: expected a correlation"),
        (["--threshold", "nan"], ARGS, "--threshold nan: expected a correlation"),
        (["--png-scale", "0"], ARGS, "--png-scale 0: expected a percentile"),
        (["--time-limit", "0"], ARGS, "--time-limit 0: expected seconds"),
        (["--nonsense"], ARGS, "unrecognized arguments: --nonsense"),
        (["stray"], ARGS, "unrecognized arguments: stray"),
    ],
)
def test_usage_errors_are_1(compared, capsys, options, args, message):
    """One line on standard error, and no folder."""
    assert compared(*options, args=args) == Status.USAGE == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert compared.folders == []


def test_no_separator_is_a_usage_error(capsys):
    """An option of the programs is not one of nb-compare."""
    assert nb_compare.main(["-N", "5"]) == Status.USAGE
    assert nb_compare.main([]) == Status.USAGE
    assert capsys.readouterr().err.count("\n") == 2


def test_a_missing_package_is_named_before_anything_runs(compared, monkeypatch, capsys):
    """Pillow and SciPy are an extra of the package."""
    real = side_by_side.importlib.util.find_spec
    monkeypatch.setattr(
        side_by_side.importlib.util, "find_spec", lambda name: None if name == "PIL" else real(name)
    )
    assert compared() == Status.USAGE
    assert "pillow not installed: pip install pillow" in capsys.readouterr().err


def test_without_a_checkout_a_c_program_is_needed(tmp_path, monkeypatch, capsys):
    """As where the package alone is installed: there is no source to build one from."""
    monkeypatch.delenv("NB_C_BIN", raising=False)
    monkeypatch.setattr(nb_compare, "ROOT", tmp_path)
    assert nb_compare.main(["--outdir", str(tmp_path / "out"), "--", "-N", "5"]) == Status.USAGE
    said = "nb-compare: no C program: name one with --c-bin or NB_C_BIN; only a checkout builds its own\n"
    assert capsys.readouterr().err == said
    assert list(tmp_path.iterdir()) == []


def test_help_is_no_error(capsys):
    """And lists the exit statuses."""
    with pytest.raises(SystemExit) as stopped:
        nb_compare.main(["-h"])
    assert stopped.value.code == 0
    assert "4 shapes differ" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("side", ["c", "py"])
@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        ({"status": 9}, "ended with 9: fake: it does not work"),
        ({"sleep": 60}, "ended with -9: killed after the time limit of 1 s"),
        ({"writes_nothing": True}, "ended well and wrote no {side}_float.bin"),
        ({"bytes": 100}, "{side}_float.bin holds 100 bytes, expected 192 for 6 x 8 pixels"),
        ({"shape": (0, 8)}, "its output does not say"),
    ],
)
def test_a_runner_that_fails_is_2(compared, capsys, side, behaviour, message):
    """What it printed is kept, and a folder without a summary is no comparison."""
    compared.site.program(side, **behaviour)
    assert compared("--time-limit", "1") == Status.RUNNER_FAILED == 2
    error = capsys.readouterr().err
    assert error.startswith(f"nb-compare: {side}")
    assert message.format(side=side) in error
    assert f"(see comparisons/{compared.folder.name})" in error
    names = {path.name for path in compared.folder.iterdir()}
    assert {f"{side}_stdout.txt", f"{side}_stderr.txt"} <= names
    assert "summary.json" not in names
    assert ("py_stdout.txt" in names) == (side == "py")


def test_a_program_that_is_not_there_or_cannot_start_is_2(compared, capsys):
    """The kernel's reason is in the message."""
    (compared.site.root / "programs" / "c").write_text("no \0 program", encoding="utf-8")
    assert compared() == Status.RUNNER_FAILED
    assert "could not be started" in capsys.readouterr().err
    (compared.site.root / "programs" / "c").unlink()
    assert compared() == Status.RUNNER_FAILED
    assert "c: no program " in capsys.readouterr().err


def test_a_program_killed_by_a_signal_is_2(compared, capsys):
    """With its number."""
    path = compared.site.root / "programs" / "py"
    path.write_text("#!/bin/sh\nkill -SEGV $$\n", encoding="utf-8")
    assert compared() == Status.RUNNER_FAILED
    assert "py ended with -11" in capsys.readouterr().err


@pytest.mark.parametrize("outdir", ["data.txt", "data.txt/below", "/dev/null"])
def test_a_folder_that_cannot_be_written_is_5(compared, capsys, outdir):
    """One line, and no program was run."""
    assert compared("--outdir", outdir) == Status.NOT_WRITTEN == 5
    assert capsys.readouterr().err.count("\n") == 1


def test_a_picture_that_cannot_be_written_is_5_and_leaves_nothing(compared, monkeypatch, capsys):
    """A full disk in the middle."""

    def full(path, *_):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(side_by_side.png, "write_grey", full)
    assert compared() == Status.NOT_WRITTEN
    assert "No space left on device" in capsys.readouterr().err
    assert compared.folders == []


def test_output_options_are_left_out_and_named(compared, capsys, tmp_path):
    """Neither a relative nor an absolute output file is written, and the hash does not depend on them."""
    precious = tmp_path / "precious.bin"
    precious.write_text("mine", encoding="utf-8")
    outputs = ["-floatfile", str(precious), "-intfile", "x.img", "-noisefile", "y.img", "-dumpfile", "z.bin"]
    assert compared(args=[*ARGS, *outputs]) == Status.OK
    error = capsys.readouterr().err
    for option in outputs[::2]:
        assert f"nb-compare: {option} of ARGS is left out" in error
    assert precious.read_text(encoding="utf-8") == "mine"
    assert {path.name for path in compared.home.iterdir()} == {"data.txt", "comparisons"}
    assert compared.summary["args"] == [*ARGS, *outputs]
    assert compared.folder.name.endswith(side_by_side.digest(ARGS))
    assert side_by_side.digest(ARGS) != side_by_side.digest([*ARGS, "-N", "5"])


def test_a_cache_is_an_input_without_a_list_and_an_output_with_one():
    """C3.6: it is read where -hkl is not given; an option without a value is left to the programs."""
    assert side_by_side.canonical(["-dump", "a", "-N", "5"]) == ("-dump", "a", "-N", "5")
    assert side_by_side.canonical(["-dump", "a", "-hkl", "b"]) == ("-hkl", "b")
    assert side_by_side.canonical(["-N", "5", "-floatfile"]) == ("-N", "5", "-floatfile")
    assert side_by_side.left_out(["-dump", "a", "-hkl", "-dump"]) == ["-dump"]


def test_the_default_cache_is_found(compared):
    """A Fdump.bin beside the user is read when no list is given; the user's file is not touched."""
    for name in ("c", "py"):
        compared.site.program(name)
        path = compared.site.root / "programs" / name
        text = path.read_text(encoding="utf-8").replace("data.txt", "Fdump.bin")
        path.write_text(text, encoding="utf-8")
    (compared.home / "data.txt").rename(compared.home / "Fdump.bin")
    assert compared(args=["-flux", "1e18"]) == Status.OK


def test_two_comparisons_in_one_second_get_two_folders(compared, monkeypatch):
    """The first is not touched."""
    monkeypatch.setattr(nb_compare, "STAMP", "20260101-000000")
    assert compared() == compared() == Status.OK
    first, second = compared.folders
    assert second.name == f"{first.name}-2"


def test_it_is_also_a_command_of_the_harness(compared, capsys):
    """With the same exit statuses."""
    folder = compared.site.root / "programs"
    bins = ["--c-bin", str(folder / "c"), "--py-bin", str(folder / "py")]
    assert nbparity(["compare", *bins, "--", *ARGS]) == Status.OK
    assert nbparity(["compare", *bins]) == Status.USAGE
    assert "nb-compare: expected --" in capsys.readouterr().err


def test_a_reference_that_cannot_be_built_is_2(compared, monkeypatch, tmp_path, capsys):
    """The last line of make says why; a program that the user names is never built."""
    generator = tmp_path / "other" / "golden_suite_generator"
    generator.mkdir(parents=True)
    (generator / "Makefile").write_text("all:\n\t@echo no compiler here >&2; exit 1\n", encoding="utf-8")
    monkeypatch.setattr(nb_compare, "ROOT", tmp_path / "other")
    py = str(compared.site.root / "programs" / "py")
    assert nb_compare.main(["--py-bin", py, "--", *ARGS]) == Status.RUNNER_FAILED
    assert "c cannot be built: make ended with 2: " in capsys.readouterr().err
    assert compared() == Status.OK


def test_a_package_is_identified_by_all_its_files(root, tmp_path):
    """A changed line anywhere changes the digest; the checkout comes before what is installed."""
    simulator = programs.locate(root).py
    package = tmp_path / "nanobrag_torch"
    (package / "physics").mkdir(parents=True)
    for name in ("__init__.py", "physics/lattice.py"):
        (package / name).write_text("pass\n", encoding="utf-8")
    first = side_by_side.identity(simulator, tmp_path)
    assert first["path"] == str(package)
    (package / "physics" / "lattice.py").write_text("pass  # otherwise\n", encoding="utf-8")
    assert side_by_side.identity(simulator, tmp_path)["sha256"] != first["sha256"]
    assert side_by_side.identity(simulator, tmp_path / "none")["path"] == str(root / "nanobrag_torch")


CRYSTAL = [
    *("-cell", "50", "60", "70", "90", "90", "90", "-N", "5", "-default_F", "100", "-lambda", "1"),
    *("-distance", "100", "-pixel", "1", "-detpixels", "48", "-flux", "1e24", "-nonoise"),
]


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Run the installed command with the real programs, which it builds if they are not there."""
    if shutil.which("make") is None or shutil.which(os.environ.get("CC", "gcc")) is None:
        pytest.skip("no make or no C compiler: the C reference cannot be built")
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        command = [sys.executable, "-m", "nbparity.nb_compare", *arguments]
        env = {**os.environ, "PYTHONPATH": str(nb_compare.ROOT)}
        return subprocess.run(command, capture_output=True, text=True, timeout=300, env=env, check=False)

    return run


def test_the_real_programs_agree(script, tmp_path):
    """On a still every program has the same bits, and the three sources of the figures are named."""
    done = script("--save-diff", "--", *CRYSTAL, "-phi", "7")
    assert done.returncode == Status.OK, done.stdout + done.stderr
    (folder,) = (tmp_path / "comparisons").iterdir()
    assert {path.name for path in folder.iterdir()} == FILES | {"diff.png"}
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["bit_identical_fraction"] == 1.0
    assert summary["peak_registration"]["matched_c"] == summary["peak_registration"]["peaks_c"] > 0
    assert len(summary["binaries"]["py"]["sha256"]) == len(summary["binaries"]["c"]["sha256"]) == 64
    assert struct.unpack("<f", (folder / "c_float.bin").read_bytes()[:4])[0] >= 0
    assert not stat.S_IMODE(folder.stat().st_mode) & 0o022


def test_the_real_programs_refuse_what_they_refuse(script):
    """An option that does not exist, and a list that is not there."""
    assert script("--", *CRYSTAL, "-hkl", "none.hkl").returncode == Status.RUNNER_FAILED
    done = script("--roi", "0", "48", "0", "5", "--", *CRYSTAL)
    assert done.returncode == Status.USAGE
    assert done.stderr.endswith("the image of c has 48 x 48 pixels, fast x slow\n")
