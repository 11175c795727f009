"""Parsing: conversions, order, errors and warnings (C4, C8, C9)."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from nanobrag_torch.command_line.parse import StopEarly, parse
from nanobrag_torch.command_line.request import Convention, CrystalShape, Pivot, Request
from nanobrag_torch.command_line.required_input import MissingInputError, require_inputs, with_default_cache
from nanobrag_torch.errors import InputFileError, UsageError

# binary64 nearest to 180 / pi as P1.1 gives it
DEGREES = float.fromhex("0x1.ca5dc1a63c1f8p+5")

ROUND_TRIP_HEADER = (
    b"{\nHEADER_BYTES=512;\nDIM=2;\nBYTE_ORDER=little_endian;\nTYPE=unsigned_short;\nSIZE1=8;\nSIZE2=6;\n"
    b"PIXEL_SIZE=0.2;\nDISTANCE=90;\nWAVELENGTH=1.2;\nBEAM_CENTER_X=0.5;\nBEAM_CENTER_Y=0.3;\n"
    b"XDS_ORGX=3;\nXDS_ORGY=2;\nCLOSE_DISTANCE=85;\nPHI=3;\nOSC_START=3;\nOSC_RANGE=2;\nTWOTHETA=7;\n}\f"
)


def request(line: str) -> Request:
    """Request of a command line."""
    return parse(line.split())[0]


def warnings(line: str) -> list[str]:
    """Warnings of a command line."""
    return [str(said) for said in parse(line.split())[1]]


@pytest.fixture
def image(tmp_path: Path) -> str:
    """Name of an image with the header of F13.6 (with another close distance)."""
    path = tmp_path / "header.img"
    path.write_bytes(ROUND_TRIP_HEADER.ljust(512) + b"\1\0" * 48)
    return str(path)


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("-phi 3", "phi_rad", 3 / DEGREES),
        ("-hdivrange 7", "hdiv_range_rad", 7 / 1000.0),
        ("-distance 231.27466", "distance_m", 231.27466 / 1000.0),
        ("-lambda 0.9768", "wavelength_m", 0.9768 / 1.0e10),
        ("-energy 11500", "wavelength_m", (12398.42 / 11500) / 1.0e10),
        ("-lambda 2 -energy 12398.42", "wavelength_m", 1e-10),
        ("-dispersion 3", "dispersion", 3 / 100.0),
        ("-dmin 1.7", "dmin_m", 1.7 * 1e-10),
        ("-detector_thick 450", "sensor_thick_m", 450 * 1e-6),
        ("-detector_abs 300", "sensor_mu_inv_m", 1.0 / (300 * 1e-6)),
        ("-water 3", "water_m", 3 / 1e6),
        ("-pix0_vector_mm -216.3 215.2 -230.2", "pix0_vector_m", None),
        ("-fdet_vector 1 0 0 -pix0_vector_mm 3 0 -7", "pix0_vector_m", (0.003, 0.0, -0.007)),
        ("-fdet_vector 1 0 0 -pix0_vector 3 0 -7", "pix0_vector_m", (3.0, 0.0, -7.0)),
        ("-cell 70 80", "cell", (70.0, 80.0, 0.0, 0.0, 0.0, 0.0)),
        ("-cell 70 80 90 75 85 95", "cell", (70.0, 80.0, 90.0, 75 / DEGREES, 85 / DEGREES, 95 / DEGREES)),
        ("-N 5.00 -Nb 7", "Nb", 7),
        ("-N 5.00 -Nb 7", "Nc", 5),
        (f"-roi {'0' * 40}3 +4. -{'0' * 40} 9.{'0' * 40}", "roi", (3, 4, 0, 9)),
        ("-seed 42", "noise_seed", -42),
        ("-mosaic_seed 0", "mosaic_seed", 0),
        ("-roi -1 5 2 -7", "roi", (-1, 5, 2, -7)),
        ("-oversample 0", "oversample", None),
        ("-tophat_spots", "shape", CrystalShape.TOPHAT),
        ("-trace_pixel 3 5", "trace_pixel", (3, 5)),
        ("-misset random -misset_seed 12345 -N 5 -lambda 1", "misset_random", True),
        ("-misset random -misset 1 2 3", "misset_random", False),
        ("-misset 1 2 3 -misset random", "misset_rad", None),
        ("-misset 1 -2 3", "misset_rad", (1 / DEGREES, -2 / DEGREES, 3 / DEGREES)),
        ("-twotheta 5 -twotheta_axis 0 0 -1", "twotheta_rad", 5 / DEGREES),
        ("-curved_det", "curved_detector", True),
        ("-nonoise -noisefile x", "write_noise", True),
        ("-noisefile x -nonoise", "write_noise", False),
        ("-nopgm -pgmscale 2", "write_pgm", True),
        ("-pgmscale 2 -nopgm", "write_pgm", False),
        ("-nopolar -polar 0.5", "polarization", True),
        ("-interpolate -nointerpolate", "interpolate", False),
    ],
)
def test_values_are_stored_in_si_units(line: str, field: str, value: object) -> None:
    """The operation of P1.2, the last option winning (C2.8)."""
    if value is None and field == "pix0_vector_m":
        value = (-216.3 / 1000.0, 215.2 / 1000.0, -230.2 / 1000.0)
    assert getattr(request(line), field) == value


@pytest.mark.parametrize("text", ["2", "+2", "2.", "2.000", "0" * 40 + "2", "0" * 5000 + "2.0"])
def test_an_integer_is_an_integer_however_it_is_written(text: str) -> None:
    """Digits, and a point and zeros (C8.4); a count that is no int is refused by what counts with it."""
    assert repr(request(f"-oversample {text}").oversample) == "2"


@pytest.mark.parametrize(
    ("line", "same"),
    [
        ("-N 4 -Na 2", "-Nc 4 -Na 2 -Nb 4"),
        ("-Na 2 -N 4", "-N 4"),
        ("-divergence 2 -hdivrange 1", "-vdivrange 2 -hdivrange 1"),
        ("-hdivsteps 5 -divsteps 2", "-vdivsteps 2 -hdivsteps 2"),
        ("-samplesize 1 -width 4", "-heigh 1 -sample_y 4 -xtal_thick 1"),
        (
            "-detsize 5 -detpixels 4 -detsize_s 3 -detpixels_y 2",
            "-detsize_f 5 -detsize_s 3 -detpixels_x 4 -detpixels_s 2",
        ),
        ("-cell 50 60 70 80 -cell 50", "-cell 50"),
        ("-misset 1 2 3 -misset random -misset 4 5 6", "-misset 4 5 6"),
        ("-round_div -square_div", "-square_div"),
        ("-gauss_xtal -binary_spots", "-tophat_spots"),
        ("-stol a -Q b -4stol c", "-4stol c"),
        ("-spindle_axis 0 0 1 -twotheta 9 -twotheta 0", "-pivot sample -spindle_axis 0 0 1"),
    ],
)
def test_the_last_one_counts(line: str, same: str) -> None:
    """Repetitions, and options that set one quantity together, against what they amount to (C8.8, C2.8)."""
    assert request(line) == request(same) != Request()


def test_no_arguments_give_the_defaults() -> None:
    """An empty command line is a request, but not one that can be run (C9.9)."""
    empty, lines = parse([])
    assert empty == Request()
    assert lines == []


@pytest.mark.parametrize("line", ["", "-cell 100", "-default_F 100 -dump none.bin", "-default_F 0 -cell 9"])
def test_missing_inputs_are_named(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Structure factors and a cell are both needed (C4.17, C9.9)."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingInputError, match="missing input: .*(-hkl|-mat)"):
        require_inputs(request(line))


@pytest.mark.parametrize("line", ["-default_F 1 -cell 9", "-hkl a -mat b", "-cell 9"])
def test_a_cache_file_stands_in_for_structure_factors(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache is looked for by name only (C4.17)."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Fdump.bin").write_bytes(b"")
    require_inputs(with_default_cache(request(line)))


@pytest.mark.parametrize(
    ("line", "convention", "pivot"),
    [
        ("", Convention.MOSFLM, Pivot.BEAM),
        ("-mosflm -pivot sample", Convention.MOSFLM, Pivot.BEAM),
        ("-xds -pivot beam", Convention.XDS, Pivot.SAMPLE),
        ("-dials", Convention.DIALS, Pivot.SAMPLE),
        ("-twotheta 3 -adxv", Convention.ADXV, Pivot.BEAM),
        ("-beam_vector 0 0 1", Convention.CUSTOM, Pivot.BEAM),
        ("-xds -beam_vector 0 0 1", Convention.CUSTOM, Pivot.SAMPLE),
        ("-twotheta 0 -beam_vector 0 0 1", Convention.CUSTOM, Pivot.SAMPLE),
        ("-beam_vector 0 0 1 -ORGX 3 -distance 5", Convention.CUSTOM, Pivot.BEAM),
        ("-distance 5 -beam_vector 0 0 1 -pivot sample", Convention.CUSTOM, Pivot.SAMPLE),
        ("-dials -beam_vector 0 0 1", Convention.CUSTOM, Pivot.BEAM),
        ("-twotheta_axis 5 0 0", Convention.CUSTOM, Pivot.BEAM),
        ("-beam_vector 0 0 1 -denzo", Convention.DENZO, Pivot.BEAM),
        ("-pix0_vector 0 0 0", Convention.CUSTOM, Pivot.BEAM),
    ],
)
def test_convention_and_pivot(line: str, convention: Convention, pivot: Pivot) -> None:
    """The last selection wins; a named convention forces its pivot (P2.4, C4.7)."""
    got = request(line)
    assert (got.convention, got.pivot_in_force) == (convention, pivot)


@pytest.mark.parametrize(
    ("line", "mu_inv_m", "thick_m"),
    [
        ("-detector_abs inf -detector_thick 100", 0.0, 0.0),
        ("-detector_thick 100 -detector_abs 0", 0.0, 0.0),
        ("-detector_thick 100 -detector_abs inf -detector_abs 50", 1.0 / (50 * 1e-6), 100 * 1e-6),
        ("-detector_thick 100", None, 100 * 1e-6),
    ],
)
def test_last_attenuation_depth_decides(line: str, mu_inv_m: float | None, thick_m: float) -> None:
    """Infinite or 0 as the last depth means no sensor (HD-THK-4)."""
    got = request(line)
    assert (got.sensor_mu_inv_m, got.sensor_thick_m) == (mu_inv_m, thick_m)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--phi-carryover-mode", "spec"], "unknown option '--phi-carryover-mode'"),
        (["--lambda", "2"], "unknown option '--lambda'; nearest options: .*-lambda"),
        (["-lambdas", "2"], "unknown option '-lambdas'.*-lambda"),
        (["-lamda", "2"], "unknown option '-lamda'.*-lambda"),
        (["-matfile", "x"], "unknown option '-matfile'.*-mat"),
        (["-lambda=2"], "unknown option '-lambda=2'.*-lambda"),
        (["-LAMBDA", "2"], "unknown option '-LAMBDA'"),
        (["hello"], "stray argument 'hello' at the start"),
        (["-N", "5", "hello"], "stray argument 'hello' after -N"),
        (["-N", "5", "-7"], "stray argument '-7' after -N"),
        (["-cell", "1", "2", "3", "90", "90", "90", "9"], "stray argument '9' after -cell"),
        (["-cell", "100", "b"], "stray argument 'b' after -cell"),
        (["-N", "1e3"], "-N: value 1 of 1, '1e3', is not an integer"),
        (["-N", "5.9"], "is not an integer"),
        (["-N", "99999999999"], "out of range"),
        (["-N", "9" * 5000], "out of range"),
        (["-lambda", "1e999"], "out of range, expected a finite number"),
        (["-lambda", "inf"], "is not a number"),
        (["-lambda", "nan"], "is not a number"),
        (["-lambda", "0x10"], "is not a number"),
        (["-lambda", "1_0"], "is not a number"),
        (["-lambda", "٣"], "is not a number"),
        (["-lambda", " 1"], "is not a number"),
        (["-lambda", ""], "is not a number"),
        (["-lambda", "1,5"], "is not a number"),
        (["-lambda", "0"], "-lambda: value '0' is out of range, expected > 0"),
        (["-lambda", "1e-320"], "out of range"),
        (["-energy", "1e-320"], "out of range"),
        (["-pixel", "0"], "expected > 0"),
        (["-distance", "0"], "expected not 0"),
        (["-polar", "1.5"], "expected -1 to 1"),
        (["-adc", "-1"], "expected 0 to 65535"),
        (["-seed", "-5"], "expected 0 to 2147483646"),
        (["-seed", "2147483647"], "expected 0 to 2147483646"),
        (["-cell", "0"], "edges > 0"),
        (["-cell", "10", "10", "10", "180"], "angles 0 < x < 180"),
        (["-fdet_vector", "0", "0", "0"], "expected not 0 0 0"),
        (["-detector_abs", "-1"], "inf or >= 0"),
        (["-detector_abs", "1e-320"], "out of range"),
        (["-detector_abs", "-inf"], "is not a number"),
        (["-misset", "fixed", "1", "2"], "is not a number .three angles or the word random"),
        (["-misset", "1", "2"], "-misset: expected 3 values .degrees., found 2"),
        (["-misset", "upside"], "-misset: .*'upside'.* .three angles or the word random"),
        (["-misset", "-rand"], "-misset: .*'-rand'.* minus sign"),
        (["-pivot", "detector"], "expected sample or beam"),
        (["-device", "tpu"], "expected cpu or cuda"),
        (["-dtype", "float16"], "expected float32 or float64"),
        (["-physics", "historical"], "expected nanobragg or corrected"),
        (["-hkl", ""], "is empty"),
        (["-hkl", "-cell"], "begins with a minus sign; a file can be named './-x'"),
        (["-hdiv", "abc"], "-hdiv: value 1 of 1, 'abc', is not a number"),
        (["-flux", "1e9", "-beamsize", "0"], "-flux and -beamsize clash"),
        (["-flux", "1e9", "-exposure", "0", "-beamsize", "0"], "-flux and -beamsize clash"),
        (["-zzzzzzzz"], "unknown option '-zzzzzzzz'$"),
    ],
)
def test_errors_name_the_argument(argv: list[str], message: str) -> None:
    """One line, status 9 (C8.4)."""
    with pytest.raises(UsageError, match=message) as caught:
        parse(argv)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 9


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("-hdiv 1 -dispstep 2", ["-hdiv .*-hdivrange", "-dispstep .*-dispsteps"]),
        ("-xdet_vector 1 0 0 -detsize_y 3", ["-xdet_vector .*-fdet_vector", "-detsize_y .*-detsize_s"]),
        ("-coherent -MW 3 -stolout x", ["-coherent", "-MW", "-stolout"]),
        ("-stol table", ["-stol"]),
        ("-mosflm -pivot sample", ["-pivot"]),
        ("-xds -pivot sample", ["-pivot"]),
        ("-twotheta 4", ["-twotheta"]),
        ("-Xclose 4 -distance 3", ["-Xclose"]),
        ("-xds -Xbeam 4 -ORGX 3", ["-Xbeam"]),
        ("-beam_vector 1 0 0 -Xbeam 3 -ORGX 3 -ORGY 2", ["-ORGX"]),
        ("-beam_vector 1 0 0 -pix0_vector 0 0 1", ["-pix0_vector"]),
        ("-fdet_vector 1 0 0 -mosflm", ["-fdet_vector"]),
        ("-xds -fdet_vector 1 0 0", ["-xds"]),
        ("-distance 200 -close_distance 80 -beam_vector 1 0 0", ["-distance"]),
        ("-detsize 5 -detpixels_x 5", []),
        ("-misset_seed 3", ["-misset_seed has no effect without -misset random"]),
        ("-misset random -misset_seed 3", []),
        ("-N 3 -sample_x 1e-4", []),
        ("-N 3 -samplesize 1e-4", ["-N: the number of cells follows"]),
        ("-Na 3 -Nb 3 -sample_x 1e-4", ["-Na: the number of cells follows"]),
        ("-detsize 5 -detpixels 5", ["-detsize"]),
        ("-detsize_s 5 -detpixels_y 5", ["-detsize_s"]),
        ("-fluence 5 -flux 5", ["-fluence"]),
        ("-sourcefile s -divergence 5 -dispsteps 3", ["-divergence", "-dispsteps"]),
        ("-noisefile x -nonoise -pgmscale 2 -nopgm -polar 1 -nopolar", ["-noisefile", "-pgmscale", "-polar"]),
        ("-nonoise -noisefile x -nopgm -pgmfile y -nopolar -polar 1", []),
        ("-printout_pixel 3 4", ["-printout_pixel .*-trace_pixel"]),
        ("-detector_abs inf -detector_thick 3", ["-detector_thick"]),
        ("-floatfile x -intfile x -noisefile x", ["-floatfile .*-intfile", "-intfile .*-noisefile"]),
        ("-pgmfile intimage.img -nopgm -noisefile /dev/null -floatfile /dev/null", ["-pgmfile .*-nopgm"]),
        ("-floatfile /dev/null -intfile /dev/null", []),
        ("-N 5 -lambda 1 -distance 80 -Xbeam 3", []),
    ],
)
def test_options_without_effect_draw_a_warning(line: str, options: list[str]) -> None:
    """The warning names the option (C8.3)."""
    got = warnings(line)
    for option in options:
        assert [text for text in got if re.search(f"{option}( |$|,)", text)], (option, got)
    assert bool(got) == bool(options)


@pytest.mark.parametrize(
    ("option", "ybeam_m"), [("-img", 0.3 / 1000.0), ("-mask", 0.2 / 1000.0 * 6 - 0.3 / 1000.0)]
)
def test_header_sets_the_geometry(option: str, ybeam_m: float, image: str) -> None:
    """A mask counts the beam centre from the far side (P2.1, F13.6)."""
    got = request(f"{option} {image}")
    assert (got.fast_pixels, got.slow_pixels, got.pixel_m) == (8, 6, 0.2 / 1000.0)
    assert (got.distance_m, got.close_distance_m) == (90 / 1000.0, 85 / 1000.0)
    assert (got.Xbeam_m, got.Ybeam_m) == (0.5 / 1000.0, ybeam_m)
    assert (got.ORGX_pixels, got.ORGY_pixels, got.wavelength_m) == (3.0, 2.0, 1.2 / 1e10)
    assert (got.phi_rad, got.osc_rad, got.twotheta_rad) == (3 / DEGREES, 2 / DEGREES, 0.0)
    assert (got.convention, got.pivot_in_force) == (Convention.MOSFLM, Pivot.BEAM)


def test_options_beat_headers_in_either_order(image: str) -> None:
    """Headers are ingested first although they may be named last (C1, C8.1)."""
    for line in (f"-img {image} -lambda 3 -detpixels 5", f"-lambda 3 -detpixels 5 -img {image}"):
        got = request(line)
        assert (got.wavelength_m, got.fast_pixels, got.slow_pixels) == (3 / 1e10, 5, 5)


def test_image_header_beats_mask_header(image: str, tmp_path: Path) -> None:
    """The image is read second (F12.6)."""
    mask = tmp_path / "mask.img"
    mask.write_bytes(ROUND_TRIP_HEADER.replace(b"WAVELENGTH=1.2", b"WAVELENGTH=7").ljust(512))
    assert request(f"-img {image} -mask {mask}").wavelength_m == 1.2 / 1e10


HEADER_ZEROS = [
    # key and value of the image header, option that replaces it, field, its value
    (b"WAVELENGTH=0", "-lambda 1.1", "wavelength_m", 1.1 / 1e10),
    (b"WAVELENGTH=-1", "-energy 12398.42", "wavelength_m", 1e-10),
    (b"DISTANCE=0", "-distance 80", "distance_m", 80 / 1000.0),
    (b"DISTANCE=0", "-close_distance 70", "close_distance_m", 70 / 1000.0),
    (b"CLOSE_DISTANCE=0", "-close_distance 70", "close_distance_m", 70 / 1000.0),
]


def image_with(tmp_path: Path, entry: bytes, name: str = "zero.img") -> str:
    """Name of an image without a close distance whose header has ``entry``."""
    header = ROUND_TRIP_HEADER.replace(b"CLOSE_DISTANCE=85;\n", b"").replace(b"\n}", b"\n" + entry + b";\n}")
    path = tmp_path / name
    path.write_bytes(header.ljust(512) + b"\1\0" * 48)
    return str(path)


@pytest.mark.parametrize(("entry", "option", "field", "value"), HEADER_ZEROS)
def test_an_option_replaces_an_unusable_number_of_a_header(
    entry: bytes, option: str, field: str, value: float, tmp_path: Path
) -> None:
    """The command line beats the header (C1, C4.1), whose number then does not count (F12.7)."""
    image = image_with(tmp_path, entry)
    for line in (f"-img {image} {option}", f"{option} -mask {image}"):
        assert getattr(request(line), field) == value
    key = entry.partition(b"=")[0].decode()
    with pytest.raises(InputFileError, match=f"{image}: header key {key}: expected a number .* 0, got "):
        request(f"-img {image}")


@pytest.mark.parametrize("option", ["-img", "-mask"])
def test_only_the_last_image_is_read(option: str, image: str) -> None:
    """An earlier argument of the same option is not even looked for (F12.6)."""
    assert request(f"{option} missing {option} {image}").fast_pixels == 8


def test_an_image_replaces_an_unusable_number_of_a_mask(image: str, tmp_path: Path) -> None:
    """The image wins for every key that both have (F12.6); the file at fault is named."""
    mask = image_with(tmp_path, b"WAVELENGTH=0", "mask.img")
    assert request(f"-mask {mask} -img {image}").wavelength_m == 1.2 / 1e10
    silent = image_with(tmp_path, b"XWAVELENGTH=3", "silent.img")
    Path(silent).write_bytes(Path(silent).read_bytes().replace(b"WAVELENGTH=1.2;", b"#WAVELENGTH   ;"))
    with pytest.raises(InputFileError, match=f"{mask}: header key WAVELENGTH"):
        request(f"-mask {mask} -img {silent}")


def test_distance_beside_the_close_distance_of_a_header(image: str) -> None:
    """Only -close_distance can undo the close distance of a header (C4.2)."""
    assert any(text.startswith("-distance has no effect") for text in warnings(f"-img {image} -distance 300"))


@pytest.mark.parametrize("argv", [["-h"], ["--help"], ["-lambda", "1", "--help", "-nonsense"]])
def test_help_acts_as_soon_as_it_is_met(argv: list[str]) -> None:
    """What follows is not looked at (C8.5)."""
    with pytest.raises(StopEarly) as caught:
        parse(argv)
    assert caught.value.option == "-h"


def test_help_reads_no_file() -> None:
    """Headers are read after the scan (C8.5.1)."""
    with pytest.raises(StopEarly):
        parse(["-img", "no such file", "--version"])


def test_an_error_before_help_wins() -> None:
    """The scan is serial (C8.5)."""
    with pytest.raises(UsageError):
        parse(["-nonsense", "-h"])


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (b"PIXEL_SIZE=-1", "PIXEL_SIZE: expected a number > 0, got -1"),
        (b"WAVELENGTH=0", "WAVELENGTH: expected a number > 0, got 0"),
        (b"DISTANCE=1e-323", "DISTANCE: expected a number not 0, got 9.88131e-324"),
        (b"CLOSE_DISTANCE=0", "CLOSE_DISTANCE: expected a number not 0, got 0"),
    ],
)
def test_a_header_is_held_to_the_ranges_of_the_options(entry: bytes, said: str, image: str) -> None:
    """The message names file, key, range and value (F12.7); a close distance beats the distance (C4.5)."""
    data = Path(image).read_bytes()
    if entry.startswith(b"DISTANCE"):
        data = data.replace(b"CLOSE_DISTANCE", b"NO_DISTANCE", 1)
    Path(image).write_bytes(data.replace(b"}\f", entry + b";\n}\f", 1))
    with pytest.raises(InputFileError, match=re.escape(f"{image}: header key {said}")):
        request(f"-img {image}")


def test_missing_header_file_is_an_input_error() -> None:
    """Not silence as historically (C5)."""
    with pytest.raises(InputFileError, match="no such file: cannot be read: No such file"):
        parse(["-mask", "no such file"])


def test_parsing_imports_neither_torch_nor_numpy() -> None:
    """Help and errors appear at once."""
    code = (
        "import sys; from nanobrag_torch.command_line.parse import parse; parse(['-N', '5']);"
        "sys.exit(bool({'torch', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
