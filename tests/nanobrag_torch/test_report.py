"""The printed text against that of the historical program (C6, P8.3)."""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nanobrag_torch import report
from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.formats import smv
from nanobrag_torch.formats.smv_header import header_bytes
from nanobrag_torch.image_header import smv_fields
from nanobrag_torch.images import statistics
from nanobrag_torch.setup.build import experiment as build

# not misset_seed_clobber, where the seed option no longer overwrites the angles (HD-CLI-2)
CASES = (
    "cell_partial",
    "cell_plus_mat",
    "cell_tric_nomisset",
    "close_distance_rot",
    "combo_everything",
    "combo_lyso_phi",
    "combo_lyso_still",
    "conv_adxv_beam",
    "conv_custom_vectors",
    "conv_denzo_beam",
    "conv_dials_center",
    "conv_mosflm_beam",
    "conv_xds_org",
    "curved_det",
    "defaultF_only",
    "detector_abs",
    "disp_div_mosaic",
    "dump_read",
    "hvdiv_steps_round",
    "img_header",
    "mask",
    "mask_header",
    "mat_lyso_misset",
    "misset_random",
    "n2_auto_interp",
    "noise_medium",
    "nopolar",
    "oversample_thick",
    "pgm_scale_roi",
    "phi_through_zero",
    "pivot_custom_sample",
    "point_pixel",
    "sample_xyz_clipped",
    "sourcefile2_short",
    "sourcefile3",
    "twotheta_axis_custom",
    "water",
    "xclose_custom",
    "xtalsize",
)
LABELS = (
    "XDS incident beam:",
    "misset angles:",
    "Unit Cell:",
    "Recp Cell:",
    "volume =",
    "X:",
    "Y:",
    "Z:",
    "crystal is",
    "MW =",
    "divergence deviation:",
    "xtal:",
    "wave=",
    "Kahn polarization factor:",
    "fluence:",
    "distance=",
    "mu=",
    "Xbeam=",
    "Fbeam=",
    "Xclose=",
    "Fclose=",
    "DIRECTION_OF_DETECTOR_X-AXIS=",
    "DIRECTION_OF_DETECTOR_Y-AXIS=",
    "DIRECTION_OF_DETECTOR_Z-AXIS=",
    "INCIDENT_BEAM_DIRECTION=",
    "ROTATION_AXIS=",
    "POLARIZATION_PLANE_NORMAL=",
    "dials origin=",
    "roi:",
    "hdivrange=",
    "vdivrange=",
    "seed:",
    "max_I =",
    "mean=",
)
PATTERNS = (r"^thick\d+ =", r"^phi\d+ =", r"^lambda\d+ =")
BEFORE = (
    r"-fold\b",
    r"initialized hkls",
    r"divergence steps",
    r"sources$",
    r"mosaic domains over",
    r"phi steps",
    r"x\d+ pixel oversample",
)
NUMBER = re.compile(r"(?<![\w.])-?\d+\.?\d*(?:e[+-]?\d+)?")


def labelled(text: str) -> list[tuple[str, list[str]]]:
    """Labels of the text in order, each with the numbers of its line that belong to it."""
    found = []
    for line in text.splitlines():
        for label in LABELS:
            if label in line and not (label in ("X:", "Y:", "Z:") and not line.startswith(label)):
                rest = line[line.index(label) + len(label) :]
                found.append((label, NUMBER.findall(rest.replace("x", " "))))
        for pattern in PATTERNS:
            if re.search(pattern, line):
                found.append((line.split(" =")[0], NUMBER.findall(line.split("=")[1])))
        for pattern in BEFORE:
            if re.search(pattern, line):
                found.append((pattern, NUMBER.findall(line.replace("x", " "))))
    return found


@pytest.fixture
def run(
    golden_case: Callable[[str], Any], golden_inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Set up a golden case in an empty folder: its recipe, request and experiment."""

    def start(name: str) -> tuple[Any, ...]:
        golden = golden_case(name)
        for file in golden.recipe["inputs"]:
            shutil.copy(golden_inputs / file, tmp_path)
        monkeypatch.chdir(tmp_path)
        request, _ = parse(golden.args)
        return golden, request, build(request)

    return start


@pytest.mark.parametrize("name", CASES)
def test_numbers_after_each_label(name: str, run: Any) -> None:
    """Every label of C6.1 and C6.2 with the numbers of the historical program, in its order."""
    golden, request, experiment = run(name)
    roi = experiment.detector.roi
    mask = None if experiment.detector.mask is None else experiment.detector.mask.numpy()
    got = statistics(golden.image, (roi.xmin, roi.xmax, roi.ymin, roi.ymax), mask)
    text = "\n".join(
        [
            report.before_rendering(request, experiment),
            report.summary(request, experiment, request.noise_seed or 0),
            report.intensities(got, experiment),
        ]
    )
    expected = labelled(golden.stdout)
    if mask is not None:  # the deviation is that of the rendered pixels (HD-STAT-2)
        expected = [(label, values[:2] if label == "mean=" else values) for label, values in expected]
        text = re.sub(r"rmsd= .*", "", text)
    assert labelled(text) == expected


def test_cell_vectors_are_columns_after_a_blank(run: Any) -> None:
    """``line.split()`` of a script finds the numbers, however wide they are (C6.1)."""
    golden, request, experiment = run("cell_partial")
    rows = [line for line in golden.stdout.splitlines() if re.match("[XYZ]: ", line)]
    text = report.before_rendering(request, experiment)
    assert [line for line in text.splitlines() if re.match("[XYZ]:", line)] == rows
    assert len(rows) == 6


@pytest.mark.parametrize(
    ("cells", "factors", "choice"),
    [
        ("-N 1", "-default_F 10", "no"),
        ("-N 2", "-hkl list.hkl", "tricubic"),
        ("-N 3", "-hkl list.hkl", "no"),
        ("-N 3 -Nb 2", "-hkl list.hkl", "tricubic"),
    ],
)
def test_the_choice_of_interpolation(
    cells: str, factors: str, choice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in force: without a table of structure factors there is nothing to interpolate (C4.10)."""
    monkeypatch.chdir(tmp_path)
    Path("list.hkl").write_text("0 0 1 5\n")
    request, _ = parse(f"-cell 40 {cells} {factors} -detpixels 4".split())
    text = report.before_rendering(request, build(request))
    assert f"\nauto-selected {choice} interpolation" in text


def test_divergence_and_dispersion_beside_a_source_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The summary shows what the options resolve to, though the file gives the sources (P0.6, C6.2)."""
    monkeypatch.chdir(tmp_path)
    Path("sources").write_text("-10 0 0 1 1e-10\n-10 0.1 0\n")
    options = "-hdivrange 2 -hdivstep 0.5 -vdivsteps 4 -dispersion 3"
    request, _ = parse(f"-cell 40 -default_F 10 -detpixels 4 -sourcefile sources {options}".split())
    experiment = build(request)
    text = report.summary(request, experiment, -1)
    assert "wave=1e-10 meters +/- 3% in 2 steps" in text
    assert "  hdivrange=0.002 hdivstep=0.0005  radians\n" in text
    assert "  vdivrange=1 vdivstep=0.25  radians\n" in text
    assert "  -1 divergence steps\n  2 sources\n" in text
    assert "lambda0" not in report.before_rendering(request, experiment)


@pytest.mark.parametrize("name", ["conv_xds_org", "misset_random", "pivot_custom_sample"])
def test_words(name: str, run: Any) -> None:
    """Convention at the start of its line, and what the detector pivots about."""
    golden, request, experiment = run(name)
    text = report.before_rendering(request, experiment)
    convention = re.search(r"^(\w+) convention", golden.stdout, re.MULTILINE)
    assert convention
    assert re.search(f"^{convention[1]} convention", text, re.MULTILINE)
    pivot = "sample" if re.search("pivoting .*sample", golden.stdout) else "beam"
    assert re.search(f"pivoting .*{pivot}", text)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("file_names", "i.img"),
        ("int_autoscale_xds", "intimage.img"),
        ("int_scale_adc", "intimage.img"),
        ("noise_medium", "noiseimage.img"),
        ("pgm_scale_roi", "intimage.img"),
    ],
)
def test_header_of_the_image(name: str, file: str, run: Any) -> None:
    """Byte for byte the header of the historical image (F7, P2.9)."""
    golden, _, experiment = run(name)
    content = gzip.decompress((golden.folder / f"fixed_{file}.gz").read_bytes())
    assert header_bytes(smv_fields(experiment)) == content[:512]


def test_mask_is_named(run: Any) -> None:
    """The files that are read and the mask in force."""
    _, request, experiment = run("mask")
    assert report.input_files(request) == "reading mask96x80.img"
    assert "mask96x80.img" in report.summary(request, experiment, -1)
    assert smv.read_pixels("mask96x80.img").shape == tuple(experiment.detector.mask.shape)


def test_last_lines() -> None:
    """Labels of C6.3."""
    assert report.solid_angle(4 * np.pi).endswith("= 12.5664 steradian ( 100% sphere)")
    assert report.integer_scale(527.003) == "intfile_scale = 527.003"
    assert report.grey_scale(1.99629) == "pgm_scale = 1.99629"
    assert report.writing_floats("a.bin", 64) == "writing a.bin as 64 4-byte floats"
