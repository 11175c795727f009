"""The command line as a user meets it: exit status, one line, and no file that looks complete (C5, C8)."""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from nanobrag_torch.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
CRYSTAL = "-cell 50 60 70 90 90 90 -default_F 100 -N 5"
SMALL = f"{CRYSTAL} -detpixels 16 -pixel 1 -distance 100 -lambda 1 -seed 1"
OUTPUTS = {"floatimage.bin", "intimage.img", "image.pgm", "noiseimage.img"}
IDENTITY = "0.02 0 0\n0 0.02 0\n0 0 0.02\n"

Run = Callable[[str], tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in an empty folder: exit status, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def in_folder(options: str) -> tuple[int, str, str]:
        status = main(options.split())
        return (status, *capsys.readouterr())

    return in_folder


def test_a_run_writes_its_four_images(run: Run, tmp_path: Path) -> None:
    """Float, integer, grey and noise image, in this order, and nothing else."""
    status, out, err = run(SMALL)
    assert (status, err.count("\n")) == (0, err.count("nanobrag_torch: "))
    assert {path.name for path in tmp_path.iterdir()} == OUTPUTS
    named = [line.split()[1] for line in out.splitlines() if line.startswith("writing ")]
    assert named == ["floatimage.bin", "intimage.img", "image.pgm", "noiseimage.img"]
    assert (tmp_path / "floatimage.bin").stat().st_size == 4 * 16 * 16


HISTORICAL_IMAGES = {
    "floatimage.bin": "ad6a0a8198a70a935492be86d8aff1193716d124ea12a17d4939253e75be588b",
    "intimage.img": "7ae0b4a2397e4c182f7a38b1489b26cb8159fc37f3a0e0c2c4175355ee282101",
    "image.pgm": "087eeeb210f1c2cd1bc9e6799015183bcb4a628cc0fe94d9125870bc225bc125",
    "noiseimage.img": "6fb3c536583063c18da1d5960656378a8a31924068cd3239dae8d7503da22713",
}


def test_a_run_gives_the_bytes_of_the_historical_program(run: Run, tmp_path: Path) -> None:
    """The four images of F13.1, hence also the noise image of R11.10, header to last pixel."""
    crystal = "-cell 100 100 100 90 90 90 -default_F 100 -N 5"
    status, out, _ = run(f"{crystal} -lambda 1 -distance 100 -detpixels 8 -oversample 1 -seed 1")
    got = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()}
    assert (status, got) == (0, HISTORICAL_IMAGES)
    for text in ("max_I = 104.364 ", "mean= 9.32441 rms= 26.7517 rmsd= 25.0465", "619 photons"):
        assert text in out


def test_outputs_can_be_named_and_left_out(run: Run, tmp_path: Path) -> None:
    """-nonoise and -nopgm leave a file out, -floatfile and -intfile name one (C3.103 to C3.108)."""
    status, _, _ = run(f"{SMALL} -floatfile a.bin -intfile b.img -nonoise -nopgm")
    assert status == 0 and {path.name for path in tmp_path.iterdir()} == {"a.bin", "b.img"}


def test_progress_lines_are_those_of_the_specification(run: Run) -> None:
    """``n% done`` on standard output unless -noprogress (C6.3)."""
    assert "100% done\n" in run(SMALL)[1]
    assert "% done" not in run(f"{SMALL} -noprogress")[1]


def test_render_time_is_printed(run: Run) -> None:
    """The line that the benchmark reads."""
    (line,) = (line for line in run(SMALL)[1].splitlines() if line.startswith("render time = "))
    assert float(line.split()[3]) > 0 and line.endswith(" s")


def test_seeds_left_open_are_of_one_instant(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise and orientation start from the same second, however long the set-up takes (R2.1, R11.6)."""
    clock = itertools.count(12345)
    monkeypatch.setattr(time, "time", lambda: float(next(clock)))
    status, out, _ = run(f"{CRYSTAL} -detpixels 2 -misset random")
    assert status == 0 and "seed: -12345\n" in out
    assert "misset angles: 105.720755 -34.951318 -97.823571 deg\n" in out


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_names_every_kind_of_option(option: str, run: Run, tmp_path: Path) -> None:
    """Status 0, on standard output, nothing written (C8.5.1)."""
    status, out, err = run(f"{SMALL} {option}")
    assert (status, err) == (0, "") and "-spindle_axis x y z" in out and not list(tmp_path.iterdir())


def test_version_is_one_line(run: Run) -> None:
    """Name and version, status 0 (C8.5.2)."""
    status, out, err = run("--version")
    assert (status, err) == (0, "") and out.split()[0] == "nanobrag_torch" and len(out.splitlines()) == 1


@pytest.mark.parametrize("last", ["", "-xds"])
def test_an_origin_that_is_not_the_computed_one_is_shown(last: str, run: Run) -> None:
    """With both vectors in mm, whatever convention is in force (C8.5)."""
    status, _, err = run(f"{SMALL} -pix0_vector 1 2 3 {last}")
    assert status == 0
    origin = {"": "100 8 -8", "-xds": "-8 -8 100"}[last]
    assert f"-pix0_vector: 1000 2000 3000 mm is not used, the detector origin is {origin} mm" in err


def test_a_sensor_as_thick_as_the_limit_is_accepted(run: Run) -> None:
    """The thickness counts, not how far its layers reach (C8.9, HD-THK-2)."""
    assert run(f"{SMALL} -detector_thick 0.9e56 -thicksteps 2 -nonoise")[0] == 0
    status, _, err = run(f"{SMALL} -detector_thick 1.1e56 -thicksteps 2 -nonoise")
    assert status == 9 and "-detector_thick" in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            "-N 5",
            "structure factors (-hkl, -default_F or a cache file, see -dump) and a crystal cell",
        ),
        ("-cell 50 60 70", "structure factors"),
        ("-default_F 1", "a crystal cell (-mat or -cell)"),
    ],
)
def test_missing_input_is_one_line(options: str, said: str, run: Run, tmp_path: Path) -> None:
    """What is missing on standard error, status 9, no usage text (C4.17)."""
    status, out, err = run(options)
    assert (status, out, len(err.splitlines())) == (9, "", 1) and not list(tmp_path.iterdir())
    assert err.startswith("nanobrag_torch: ERROR: missing input: ") and said in err


def test_without_arguments_five_lines_say_how_to_begin(run: Run, tmp_path: Path) -> None:
    """Name, usages, an example that works, and where the rest is (C10.7)."""
    status, out, err = run("")
    assert (status, err, len(out.splitlines())) == (9, "", 5) and not list(tmp_path.iterdir())
    assert "usage: " in out and " -h " in out
    example = next(line for line in out.splitlines() if line.startswith("try: "))
    assert run(example.partition("nanobrag_torch ")[2] + " -detpixels 8")[0] == 0


BAD: dict[str, tuple[str, str]] = {
    "unknown option": ("-lamda 1", "unknown option '-lamda'; nearest options: -lambda"),
    "removed option": ("--phi-carryover-mode spec", "unknown option '--phi-carryover-mode'"),
    "missing value": ("-osc", "-osc: expected 1 value (degrees), found 0"),
    "no number": ("-phi abc", "-phi: value 1 of 1, 'abc', is not a number"),
    "no integer": ("-N 5.9", "-N: value 1 of 1, '5.9', is not an integer"),
    "out of range": ("-pixel 0", "-pixel: value '0' is out of range, expected > 0"),
    "zero-size detector": ("-detpixels 0", "-detpixels: value '0' is out of range, expected >= 1"),
    "region reversed": ("-roi 9 3 0 9", "-roi 9 3 0 9: expected xmin <= xmax and ymin <= ymax"),
    "region outside": ("-roi 16 17 0 9", "xmin below 16 and ymin below 16, the size of the detector"),
    "no CUDA": ("-device cuda", "-device cuda: no CUDA device is available here, expected -device cpu"),
    "missing matrix": ("-mat no.mat", "no.mat: cannot be read: No such file or directory"),
    "short matrix": ("-mat short.mat", "short.mat:2: expected 9 numbers, got 4"),
    "singular matrix": ("-mat flat.mat", "flat.mat: expected three vectors that span a cell, got"),
    "no list": ("-hkl no.hkl", "no.hkl: cannot be read: No such file or directory"),
    "folder as list": ("-hkl .", ".: cannot be read: Is a directory"),
    "malformed line": ("-hkl word.hkl", "word.hkl:2: expected a number for F, got 'abc'"),
    "short line": ("-hkl three.hkl", "three.hkl:2: expected 'h k l F', got 3 numbers: '1 0 0'"),
    "list that fails": ("-hkl /proc/self/mem", "/proc/self/mem: cannot be read: Input/output error"),
    "header that fails": ("-img /proc/self/mem", "/proc/self/mem: cannot be read: Input/output error"),
    "cache that fails": ("-dump /proc/self/mem", "/proc/self/mem: cannot be read: Input/output error"),
    "value not finite": ("-hkl nan.hkl", "nan.hkl:1: expected a number for F, got 'nan'"),
    "value too large": ("-hkl big.hkl", "big.hkl:1: expected a number for F that is finite, got '1e999'"),
    "index beyond 32 bits": ("-hkl wide.hkl", "wide.hkl:1: expected h within 32 bits, got '2147483648'"),
    "table beyond memory": ("-hkl far.hkl", "a table of at most 536870912 entries, got h 0 to 2000000"),
    "no folder for the output": ("-floatfile no/f.bin", "no/f.bin: cannot be written: No such file"),
    "folder as output": ("-intfile .", ".: cannot be written: is a folder"),
    "impossible cell": ("-cell 50 60 70 30 30 120", "-cell: no cell has the angles 30 30 120 degrees"),
    "two streams": ("-floatfile - -intfile /dev/stdout", "-intfile: standard output is taken by -floatfile"),
    "no name": ("-hkl -", "-hkl: value '-' begins with a minus sign"),
    "huge cell": ("-cell 1e200", "cell edge a of nan m at a wavelength of 1e-10 m, expected Miller"),
    "detector beyond the world": ("-pixel 1e200", "-pixel/-detsize_f: detector width of"),
    "no source": ("-divsteps 1", "no source is left after the corners are dropped"),
    "negative wavelength": ("-dispersion 300", "a wavelength of -5e-11 m, expected all of them above 0"),
    "too many steps": ("-osc 1e9 -phistep 1e-9", "-phistep: 1e+18 steps over the range"),
    "too many terms": ("-oversample 60000", "3600000000 terms per pixel"),
}  # fmt: skip
FILES = {
    "short.mat": "1 0 0\n0\n",
    "flat.mat": "1 2 3 4 5 6 7 8 9\n",
    "word.hkl": "1 0 0 5\n0 1 0 abc\n",
    "three.hkl": "1 0 0 5\n1 0 0\n",
    "nan.hkl": "1 0 0 nan\n",
    "big.hkl": "1 0 0 1e999\n",
    "wide.hkl": "2147483648 0 0 5\n",
    "far.hkl": "0 0 0 5\n2000000 2000 2000 5\n",
}


@pytest.mark.parametrize("fault", BAD)
def test_bad_input_is_one_clear_line(fault: str, run: Run, tmp_path: Path) -> None:
    """Status 9, one line that names place, value and expectation, and no file (C5, C8.4)."""
    options, said = BAD[fault]
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    status, _, err = run(f"{SMALL} {options}")
    lines = [line for line in err.splitlines() if "ERROR: " in line]
    assert status == 9 and len(lines) == 1 and lines[0].startswith("nanobrag_torch: ERROR: ")
    assert said in lines[0]
    assert {path.name for path in tmp_path.iterdir()} == set(FILES)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere; runs for every other user")
def test_a_folder_without_permission_is_refused(run: Run, tmp_path: Path) -> None:
    """Found out before rendering (C5)."""
    (tmp_path / "locked").mkdir(mode=0o500)
    status, out, err = run(f"{SMALL} -floatfile locked/f.bin")
    assert status == 9 and "locked/f.bin: cannot be written: Permission denied" in err and "render" not in out


@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
def test_an_image_on_standard_output_has_it_for_itself(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """The bytes of the file and no others; the report is on standard error (C10.5)."""
    monkeypatch.chdir(tmp_path)
    assert main([*SMALL.split(), "-nonoise", "-nopgm"]) == 0
    report = capsysbinary.readouterr().out
    assert main([*SMALL.split(), "-nonoise", "-nopgm", "-floatfile", name]) == 0
    out, err = capsysbinary.readouterr()
    assert out == (tmp_path / "floatimage.bin").read_bytes()
    assert b"100% done" in report and b"100% done" in err and b"max_I = " in err


def test_a_standard_output_that_is_a_file_keeps_its_name(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image goes to the open file, which is not replaced by another (C10.5)."""
    with open(tmp_path / "x.bin", "w") as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        assert run(f"{SMALL} -nonoise -nopgm -floatfile /dev/stdout")[0] == 0
        assert os.fstat(stream.fileno()).st_nlink == 1 and (tmp_path / "x.bin").stat().st_size == 4 * 16 * 16
    assert {path.name for path in tmp_path.iterdir()} == {"x.bin", "intimage.img"}


def test_a_reader_of_an_image_that_leaves_is_no_news(tmp_path: Path) -> None:
    """The first bytes are those of the image, and no line is about the pipe (C10.5)."""
    line = (
        f"{sys.executable} -m nanobrag_torch {SMALL} -detpixels 300 -oversample 1 -nonoise -nopgm -noprogress"
    )
    done = subprocess.run(
        ["bash", "-c", f"{line} -floatfile - | head -c 8"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        timeout=120,
    )
    assert len(done.stdout) == 8 and b"ERROR" not in done.stderr and b"Traceback" not in done.stderr


@pytest.mark.parametrize("option", ["-hkl", "-mat", "-sourcefile", "-stol", "-img", "-mask"])
def test_a_missing_file_is_reported_before_torch_is_loaded(
    option: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So is a folder that is not there, or an input that is missing (C10.6)."""
    monkeypatch.setitem(sys.modules, "nanobrag_torch.simulate", None)  # importing it fails
    status, _, err = run(f"{SMALL} {option} no.file")
    said = "nanobrag_torch: ERROR: no.file: cannot be read: No such file or directory"
    assert (status, err.splitlines()[-1]) == (9, said)
    assert "no/f.bin: cannot be written" in run(f"{SMALL} -floatfile no/f.bin")[2]
    assert "missing input" in run("-cell 50")[2]


def test_nothing_before_the_files_loads_torch() -> None:
    """The modules that look at the command line and at the files do without it (C10.6)."""
    code = "import sys, nanobrag_torch.__main__; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, timeout=60).returncode == 0


def test_infinite_pixels_are_said_whatever_is_written(run: Run) -> None:
    """How many, and what may have caused them; the noise image cannot be made (C10.8, R5.7)."""
    status, _, err = run(f"{SMALL} -fluence 1e300 -nonoise -nopgm")
    assert status == 0 and "WARNING: the image has 256 infinite and 0 undefined pixels" in err
    status, _, err = run(f"{SMALL} -fluence 1e300 -nopgm")
    assert status == 9 and err.splitlines()[-1] == (
        "nanobrag_torch: ERROR: noise image: the float image has 256 infinite and 0 undefined pixels, "
        "expected finite ones"
    )


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("-fluence 0", " (fluence 0)"),
        ("-dmin 500 -roi 0 3 0 3", " (-dmin: the whole region is beyond it)"),
        ("-oversample_thick", " (-oversample_thick without a sensor)"),
        ("-hkl zero.hkl -default_F 0", " (-default_F and -hkl: every structure factor is 0)"),
        ("-tophat_spots -fudge 1e9 -roi 0 3 0 3", ""),
    ],
)
def test_an_image_of_zeros_is_said(options: str, reason: str, run: Run, tmp_path: Path) -> None:
    """With the reason where it is known (C10.8); an image with a photon has no such line."""
    (tmp_path / "zero.hkl").write_text("0 0 0 0\n1 1 1 0\n")
    err = run(f"{SMALL} -nonoise -nopgm {options}")[2]
    assert f"nanobrag_torch: WARNING: the image is 0 everywhere{reason}\n" in err
    assert not np.fromfile(tmp_path / "floatimage.bin", np.float32).any()
    (tmp_path / "Fdump.bin").unlink(missing_ok=True)
    assert "0 everywhere" not in run(f"{SMALL} -nonoise -nopgm")[2]


@pytest.mark.parametrize(
    ("options", "level"),
    [("-scale 1000", "WARNING"), ("-scale 48.59", "NOTE"), ("-adc 65535", "WARNING"), ("", "")],
)
def test_counts_that_an_image_cannot_hold_are_said(
    options: str, level: str, run: Run, tmp_path: Path
) -> None:
    """As many as the file shows; from 1 % on it is no detector's image (C10.8 item 4)."""
    err = run(f"{SMALL} -nonoise -nopgm {options}")[2]
    counts = np.fromfile(tmp_path / "intimage.img", np.uint16)[256:]
    cut = int((counts == 65535).sum())
    assert (level == "") == (cut == 0) and (level == "WARNING") == (cut > 2.56)
    said = f"nanobrag_torch: {level}: -scale: {cut} of 256 pixels of the integer image are cut at 65535\n"
    assert (said in err) if cut else "cut at" not in err


def test_overloads_of_the_noise_image_are_said(run: Run) -> None:
    """The number of the report (R10, C10.8 item 4)."""
    _, out, err = run(f"{SMALL} -fluence 1e31 -nopgm")
    overloads = re.search(r"\((\d+) overloads\)", out)
    assert overloads and int(overloads[1]) > 3
    assert f"WARNING: -fluence/-flux: {overloads[1]} of 256 pixels of the noise image are cut at" in err


def test_a_scale_that_leaves_nothing_is_said(run: Run) -> None:
    """An integer image of the offset alone (C10.8 item 5)."""
    out, err = run(f"{SMALL} -nonoise -nopgm -scale 1e-9")[1:]
    brightest = float(out.partition("max_I = ")[2].split()[0]) * 1e-9
    line = (
        f"WARNING: -scale: the brightest pixel of the integer image is {brightest:.3g} counts, expected at "
    )
    assert line in err


def test_an_image_cannot_go_to_a_closed_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would be lost; other images are written all the same (C10.5)."""
    monkeypatch.chdir(tmp_path)
    for options, status in ((f"{SMALL} -floatfile -", 9), (f"{SMALL} -nonoise -nopgm", 0)):
        monkeypatch.setattr(sys, "stdout", None)
        assert main(options.split()) == status
        sys.stdout.close()
    monkeypatch.undo()
    assert "ERROR: -: cannot be written: standard output is closed\n" in capsys.readouterr().err


def test_a_warning_is_said_once(run: Run) -> None:
    """An option that is repeated, in a run that has not said it before (C5, C8.3)."""
    err = run(f"{SMALL} -tophat_spots -coherent -coherent -nonoise -nopgm")[2]
    assert err.count("NOTE: -coherent has no effect") == 1 and err.count("WARNING: -tophat_spots: ") == 1


@pytest.mark.parametrize(
    ("switch", "error"),
    [("ignore", "no.mat: cannot be read: No such file or directory"), ("error", "-coherent has no effect")],
)
def test_warnings_follow_pythons_own_switches(switch: str, error: str, tmp_path: Path) -> None:
    """-W ignore silences them, -W error makes the first an error, status 9 and one line (C8.3)."""
    done = subprocess.run(
        [sys.executable, "-W", switch, *command(f"{SMALL} -coherent -mat no.mat")[1:]],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (9, f"nanobrag_torch: ERROR: {error}\n")


def test_a_full_device_is_reported(run: Run) -> None:
    """No space left: status 9 and the name."""
    status, _, err = run(f"{SMALL} -floatfile /dev/full")
    assert status == 9 and err.endswith(
        "nanobrag_torch: ERROR: /dev/full: cannot be written: No space left on device\n"
    )


@contextmanager
def limited(what: int, limit: int) -> Iterator[None]:
    """A limit of the operating system on this process, lifted at the end."""
    before = resource.getrlimit(what)
    resource.setrlimit(what, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(what, before)


def test_a_full_disk_leaves_no_partial_file(run: Run, tmp_path: Path) -> None:
    """A file that cannot be finished does not appear, those before it are complete (C5)."""
    with limited(resource.RLIMIT_FSIZE, 30000):
        status, _, err = run(f"{SMALL} -detpixels 100 -oversample 1")
    assert status == 9 and not list(tmp_path.iterdir())
    assert err.splitlines()[-1] == "nanobrag_torch: ERROR: floatimage.bin: cannot be written: File too large"


def test_a_cache_that_cannot_be_written_is_a_warning(run: Run, tmp_path: Path) -> None:
    """The run goes on without it (F3.2, C5)."""
    (tmp_path / "list.hkl").write_text("0 0 0 5\n1 1 1 7\n")
    status, _, err = run(f"{SMALL} -hkl list.hkl -dump no/cache.bin")
    assert status == 0 and "nanobrag_torch: WARNING: no/cache.bin: cannot be written" in err


def test_the_cache_gives_the_image_of_the_list(run: Run, tmp_path: Path) -> None:
    """A second run without -hkl reads what the first one wrote (C4.17)."""
    span = range(-3, 4)
    (tmp_path / "list.hkl").write_text("".join(f"{h} {k} 0 {9 + h - k}\n" for h in span for k in span))
    options = "-cell 50 60 70 90 90 90 -N 5 -detpixels 16 -pixel 1 -nonoise -nopgm"
    assert run(f"{options} -hkl list.hkl -floatfile first.bin")[0] == 0
    assert run(f"{options} -floatfile second.bin")[0] == 0
    first = (tmp_path / "first.bin").read_bytes()
    assert any(first) and (tmp_path / "second.bin").read_bytes() == first


def test_a_failed_setup_leaves_no_cache(run: Run, tmp_path: Path) -> None:
    """An error before any output file is opened (C5)."""
    (tmp_path / "list.hkl").write_text("0 0 0 5\n1 1 1 7\n")
    assert run(f"{SMALL} -hkl list.hkl -divsteps 1")[0] == 9
    assert [path.name for path in tmp_path.iterdir()] == ["list.hkl"]


def test_warnings_go_to_standard_error(run: Run) -> None:
    """One line each, from the parser and from the set-up; the image is made all the same (C8.3)."""
    status, out, err = run(f"{SMALL} -mosaic_dom 3 -coherent")
    assert status == 0 and "WARNING" not in out
    assert "nanobrag_torch: NOTE: -coherent has no effect\n" in err
    assert "nanobrag_torch: WARNING: -mosaic_domains has no effect without a mosaic spread\n" in err


def test_the_fluence_flags_set_the_scale(run: Run, tmp_path: Path) -> None:
    """A program that ignored them would be 125,932 times too bright at the same correlation (P1.4)."""
    assert run(f"{SMALL} -nonoise -floatfile default.bin")[0] == 0
    assert run(f"{SMALL} -nonoise -flux 1e18 -exposure 1 -beamsize 1.0 -floatfile flux.bin")[0] == 0
    default, flux = (
        np.fromfile(tmp_path / name, np.float32).astype(float) for name in ("default.bin", "flux.bin")
    )
    assert default.sum() / flux.sum() == pytest.approx(125932.0153, rel=1e-6)


@pytest.mark.parametrize("factors", ["", "-hkl cube.hkl -interpolate", "-round_xtal", "-tophat_spots"])
def test_a_detector_curved_to_a_point_has_no_image(factors: str, run: Run, tmp_path: Path) -> None:
    """A beam along the detector never meets it: distance 0, and 0/0 as angles (P2.8, P6.4, R5.7).

    The pixels are not numbers, float and integer files are written, and the noise image is the error.
    """
    cube = (f"{h} {k} {l} 100\n" for h in range(6) for k in range(6) for l in range(6))
    (tmp_path / "cube.hkl").write_text("".join(cube))
    status, out, err = run(f"{SMALL} -curved_det -beam_vector 0 1 0 -nopgm {factors}")
    assert "distance=0 " in out
    assert (
        status == 9 and "Traceback" not in err and err.splitlines()[-1].startswith("nanobrag_torch: ERROR: ")
    )
    image = np.fromfile(tmp_path / "floatimage.bin", np.float32)
    assert image.shape == (16 * 16,) and np.isnan(image).all()
    assert not (tmp_path / "noiseimage.img").exists()


def command(options: str) -> list[str]:
    """The program in a process of its own."""
    return [sys.executable, "-m", "nanobrag_torch", *options.split()]


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


@pytest.mark.parametrize("options", ["--help", "--version"])
def test_a_full_standard_output_is_reported(options: str, tmp_path: Path) -> None:
    """One line instead of a traceback, found out before the interpreter ends (C5)."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command(options),
            cwd=tmp_path,
            env=ENVIRONMENT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    said = "standard output: No space left on device, expected a stream that can be written"
    assert (done.returncode, done.stderr) == (9, f"nanobrag_torch: ERROR: {said}\n")


def test_closed_streams_do_not_stop_a_run(tmp_path: Path) -> None:
    """A scheduler may start programs without them; the images are written all the same."""
    line = " ".join([*command(SMALL), ">&-", "2>&-"])
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, env=ENVIRONMENT, timeout=120)
    assert done.returncode == 0 and {path.name for path in tmp_path.iterdir()} == OUTPUTS


def test_too_little_memory_is_one_line(run: Run, tmp_path: Path) -> None:
    """Torch says it with a RuntimeError of many lines, which is not what a user should read (C5)."""
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    with limited(resource.RLIMIT_AS, taken + (4 << 30)):
        status, _, err = run(f"{SMALL} -detpixels 46000 -oversample 1")
    lines = [line for line in err.splitlines() if "ERROR: " in line]
    assert status == 9 and not list(tmp_path.iterdir())
    assert lines == [
        "nanobrag_torch: ERROR: not enough memory for this run, expected a smaller detector or table"
    ]


def test_an_interrupted_run_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a render: status 130, one line, no file."""
    with subprocess.Popen(
        command(f"{SMALL} -detpixels 3000 -oversample 1 -osc 1 -phisteps 100 -nonoise"),
        cwd=tmp_path,
        env=ENVIRONMENT,
        # a shell starts what it puts into the background with the signal ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert any("% done" in line for line in process.stdout)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and not list(tmp_path.iterdir())
    assert err.splitlines()[-1] == "nanobrag_torch: ERROR: interrupted, no file was left unfinished"
    assert "Traceback" not in err


def test_a_name_cannot_break_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Control characters of a file name are shown as question marks, in errors and in warnings."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.hkl").write_text("0 0 0 5\n")
    status = main([*SMALL.split(), "-hkl", "list.hkl", "-dump", "no\n/x", "-mat", "a\nb\x1b[31m"])
    assert status == 9
    assert (
        capsys.readouterr().err
        == "nanobrag_torch: ERROR: a?b?[31m: cannot be read: No such file or directory\n"
    )
    assert main([*SMALL.split(), "-hkl", "list.hkl", "-dump", "no\n/x"]) == 0
    assert (
        "nanobrag_torch: WARNING: no?/x: cannot be written: No such file or directory\n"
        in capsys.readouterr().err
    )


def test_a_name_need_not_be_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that are not UTF-8 are passed on as they are, whatever the locale makes of them."""
    monkeypatch.chdir(tmp_path)
    name = os.fsdecode(b"\xff.mat")
    (tmp_path / name).write_text(IDENTITY)
    held = io.BytesIO()
    with io.TextIOWrapper(held, encoding="utf-8", errors="strict") as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        assert main([*SMALL.split(), "-mat", name, "-nonoise", "-nopgm"]) == 0
        assert b"reading \xff.mat\n" in held.getvalue()


def test_a_reader_that_leaves_is_no_news(tmp_path: Path) -> None:
    """A closed pipe gives no traceback."""
    pipe = f"{sys.executable} -m nanobrag_torch -h | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", pipe],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in done.stderr and done.stdout.startswith("usage: ")
