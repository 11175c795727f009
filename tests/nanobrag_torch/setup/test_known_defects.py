"""What a run says of known-wrong physics is what the two physics differ by (C10.2, P8.3)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.physics import lattice
from nanobrag_torch.render.image import render
from nanobrag_torch.setup.build import experiment
from nanobrag_torch.setup.experiment import Experiment, scalar

Advice = Callable[[], str]
ONE_CELL = (
    "-default_F 1 -cell 100 -N 1 -lambda 1 -distance 100 -pixel 1 -detpixels_x 20 -detpixels_y 24 "
    "-roi 2 40 1 21 -oversample 2"
)
"""A crystal of one cell: every term of a pixel has the same size, whatever the pixel."""
FIVE = ((10, 11), (1, 2), (1, 19), (21, 2), (21, 19))
"""Slow and fast index of centre and corners of that region, cut to the image."""


def built(line: str) -> Experiment:
    """Experiment of a command line."""
    return experiment(parse(line.split())[0])


def image(line: str) -> Tensor:
    """Image in float64, shape (slow, fast)."""
    return render(built(line)).image.double()


def said(advice: Advice, *words: str) -> list[str]:
    """Lines of the advice that hold all the words."""
    return [line for line in advice().splitlines() if all(word in line for word in words)]


def ratio_in(line: str) -> float:
    """Ratio of wrong to right that a line states."""
    found = re.search(r"is (?:up to )?(\S+) (times|%) too (strong|weak)", line)
    assert found, line
    number, unit, direction = float(found[1]), found[2], found[3]
    if unit == "%":
        return 1 + number / 100 if direction == "strong" else 1 - number / 100
    return number if direction == "strong" else 1 / number


def furthest(ratios: list[float]) -> float:
    """The ratio that is furthest from 1."""
    return max(ratios, key=lambda ratio: abs(math.log(ratio)))


FACTORS = {
    "-oversample_omega": "HD-OVS-1",
    "-oversample_omega -point_pixel": "HD-OVS-1",
    "-oversample_polar": "HD-OVS-1",
    "-oversample_polar -oversample_omega -phisteps 3": "HD-OVS-1",
    "-oversample_polar -oversample 1 -dispersion 1 -dispsteps 4": "HD-OVS-1",
    "-oversample_polar -nopolar": "HD-OVS-1, HD-POL-2",
    "-oversample_polar -nopolar -oversample 1": "HD-POL-2",
    "-detector_thick 300 -detector_abs 200 -thicksteps 3": "HD-THK-1, HD-THK-2",
    "-detector_thick 300 -detector_abs 200 -thicksteps 1": "HD-THK-1, HD-THK-2",
    "-detector_thick 300 -detector_abs 200": "HD-THK-1",
    "-oversample_thick -detector_thick 100 -detector_abs 300 -thicksteps 10": "HD-OVS-1, HD-THK-2",
    "-oversample_thick -oversample_polar -detector_thick 50": "HD-OVS-1",
    "-oversample_omega -detector_thick 50 -thicksteps 4": "HD-OVS-1, HD-THK-1, HD-THK-2",
}


@pytest.mark.parametrize("options", FACTORS)
def test_the_size_of_wrong_factors_is_that_of_the_two_images(options: str, advice: Advice) -> None:
    """One line with the switches, the worst of five pixels, the defects, and what mends it (C10.2 item 1)."""
    line = f"{ONE_CELL} {options}"
    wrong = image(line)
    (text,) = said(advice, "the image is")
    right = image(f"{line} -physics corrected")
    expected = furthest([float(wrong[place] / right[place]) for place in FIVE])
    assert ratio_in(text) == pytest.approx(expected, rel=6e-3)
    named = text.partition(":")[0].split(", ")
    switches = [word for word in options.split() if word.startswith(("-oversample_", "-detector_thick"))]
    assert sorted(named) == sorted(switches)
    assert f"({FACTORS[options]}), use -physics corrected" in text
    assert len(said(advice, "the image is")) == 1  # none with corrected physics


def test_capture_without_a_sensor_leaves_nothing(advice: Advice) -> None:
    """The size is 0, and so is the image (HD-THK-3)."""
    assert not image(f"{ONE_CELL} -oversample_thick").any()
    expected = "-oversample_thick: the image is 0 in nanoBragg's physics (HD-OVS-1, HD-THK-3)"
    assert said(advice, expected, "use -physics corrected")


@pytest.mark.parametrize(
    "options",
    [
        "",
        "-oversample_omega -oversample 1",
        "-oversample_thick -detector_thick 0.01 -detector_abs 500 -oversample 1 -physics corrected",
        "-detector_thick 0.001 -detector_abs 1e5",
        "-distance 100000 -oversample_polar",
    ],
)
def test_what_is_below_a_thousandth_is_not_said(options: str, advice: Advice) -> None:
    """No switch, one term, corrected physics, a thin sensor, a pixel that sees no angle (C10.1)."""
    built(f"{ONE_CELL} {options}")
    assert not said(advice, "the image is")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("-hdivrange 1", ["-hdivrange without -hdivsteps: 2 directions"]),
        ("-dispersion 1", ["-dispersion without -dispsteps: 2 wavelengths"]),
        ("-hdivrange 1 -hdivsteps 3 -vdivrange 1 -vdivstep 0.5 -dispersion 1 -dispsteps 2", []),
    ],
)
def test_a_count_that_is_made_up_is_said(options: str, expected: list[str], advice: Advice) -> None:
    """As many as are rendered (C8.3, P4.1)."""
    assert built(f"-default_F 1 -cell 50 -detpixels 4 {options}").beam.sources >= 2
    assert said(advice, " without ") == expected


TWO_SOURCES = ("-10 0 0 1 1e-10\n", "-9.95 1 0 1 1e-10\n")


@pytest.mark.parametrize("options", ["", "-polar 0.9", "-oversample 1", "-physics corrected"])
def test_the_polarization_of_the_first_source_is_measured_against_each_alone(
    options: str, advice: Advice
) -> None:
    """HD-OVS-2: intensities of sources add, so that each alone gives what two should (C10.2 item 14).

    Without structure that depends on the direction: a crystal of one cell, far from its spots all alike.
    """
    line = f"-default_F 1 -cell 0.5 -distance 10 -pixel 1 -detpixels 21 -oversample 3 -point_pixel {options}"
    alone = []
    for number, source in enumerate(TWO_SOURCES):
        Path(f"{number}.txt").write_text(source)
        for polar in ("", " -nopolar"):
            alone.append(image(f"{line} -sourcefile {number}.txt{polar}"))
    Path("both.txt").write_text("".join(TWO_SOURCES))
    advice()
    both = image(f"{line} -sourcefile both.txt") / image(f"{line} -sourcefile both.txt -nopolar")
    right = (alone[0] / alone[1] + alone[2] / alone[3]) / 2
    places = ((10, 10), (0, 0), (0, 20), (20, 0), (20, 20))
    (text,) = said(advice, "first source")
    assert text.startswith("-sourcefile: each pixel has the polarization of the first source")
    expected = furthest([float(both[place] / right[place]) for place in places])
    assert ratio_in(text) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    "options",
    [
        "-dispersion 10 -dispsteps 5",
        "-divergence 0.1 -divsteps 3",
        "-divergence 50 -divsteps 3 -nopolar",
        "-divergence 50 -divsteps 3 -oversample_polar -physics corrected",
    ],
)
def test_sources_of_one_polarization_are_not_mentioned(options: str, advice: Advice) -> None:
    """Wavelengths, hardly a spread, no correction (C10.1, C10.2 item 14)."""
    built(f"{ONE_CELL} {options}")
    assert not said(advice, "first source")


WATER = "-default_F 1e-20 -water 50 -fluence 3e22"


@pytest.mark.parametrize(
    "options",
    [
        "",
        "-oversample 1 -phisteps 5",
        "-detector_thick 300 -detector_abs 200 -thicksteps 3",
        "-oversample_polar",
        "-fluence 1e30",
    ],
)
def test_the_size_of_the_background_is_that_of_the_two_images(options: str, advice: Advice) -> None:
    """Twice the scale and divided by the terms, against once (C10.2 item 2, HD-BKG-1, HD-BKG-2)."""
    line = f"{ONE_CELL} {WATER} {options}"
    wrong = image(line)
    (text,) = said(advice, "-water: the background is", "(HD-BKG-1, HD-BKG-2), use -physics corrected")
    right = image(f"{line} -physics corrected")
    expected = furthest([float(wrong[place] / right[place]) for place in FIVE])
    assert ratio_in(text) == pytest.approx(expected, rel=6e-3)
    assert len(said(advice, "-water:")) == 1


def test_the_default_fluence_with_one_term_is_right(advice: Advice) -> None:
    """1/re2 cancels re2, so that nothing is wrong with the background (HD-BKG-1)."""
    built(f"{ONE_CELL} -oversample 1 -water 50")
    assert not said(advice, "-water")


def test_background_beyond_the_cut_is_missed(advice: Advice) -> None:
    """0 in the corners and not in the middle, unless the physics is corrected (C10.2 item 3, HD-POL-3)."""
    line = f"{ONE_CELL} {WATER} -dmin 10"
    wrong = image(line)
    assert len(said(advice, "-dmin: beyond 10 Angstrom the background of -water is 0", "(HD-POL-3)")) == 1
    right = image(f"{line} -physics corrected")
    assert wrong[21, 19] == 0 < right[21, 19] and wrong[10, 11] > 0
    built(f"{ONE_CELL} {WATER} -dmin 2")
    assert len(said(advice, "(HD-POL-3)")) == 1


@pytest.mark.parametrize("options", ["", "-nopolar", "-detector_thick 300 -detector_abs 200"])
def test_factors_of_the_first_subpixel(options: str, advice: Advice) -> None:
    """The size is that of the image against the one whose only sub-pixel is in the middle (C10.2 item 4)."""
    line = f"{ONE_CELL} -pixel 3 {options}"
    several = image(line)
    (text,) = said(advice, "-oversample: each pixel has the factors of its first sub-pixel", "(HD-OVS-2)")
    middle = image(f"{line} -oversample 1")
    expected = furthest([float(several[place] / middle[place]) for place in FIVE])
    assert ratio_in(text) == pytest.approx(expected, rel=6e-3)


def integral(line: str, span: float) -> float:
    """Integral of the squared lattice factor around a node, over a cube of indices of edge ``span``."""
    crystal = built(line).crystal
    points = 40
    axis = ((torch.arange(points, dtype=torch.float64) + 0.5) / points - 0.5) * span
    hkl = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij")).reshape(3, -1)
    counts = torch.stack([crystal.Na, crystal.Nb, crystal.Nc])[:, None]
    reciprocal = (crystal.a_star_inv_A, crystal.b_star_inv_A, crystal.c_star_inv_A)
    rho = lattice.reciprocal_distance(hkl, torch.zeros_like(hkl), counts, reciprocal)
    if "-gauss_xtal" in line:
        values = lattice.gauss(rho, counts, crystal.fudge, torch.float64)
    elif "-tophat_spots" in line:
        values = lattice.tophat(rho, counts, crystal.fudge, torch.float64)
    else:
        values = lattice.square(hkl, torch.zeros_like(hkl), counts, (0, 1, 2), torch.float64)
    return float((values * values).mean()) * span**3


@pytest.mark.parametrize("shape", ["-gauss_xtal", "-tophat_spots"])
@pytest.mark.parametrize(
    ("cell", "count", "span"), [("50", 20, 0.03), ("40 50 60 75 85 95", 10, 0.2), ("50", 2, 1.0)]
)
def test_integrated_intensity_of_other_shapes(
    shape: str, cell: str, count: int, span: float, advice: Advice
) -> None:
    """Integrated over a reciprocal cell, relative to the parallelepiped (C10.2 item 5, HD-SHP-1)."""
    line = f"-default_F 1 -cell {cell} -N {count} -detpixels 4"
    square = integral(line, 1.0) if count < 15 else float(count**3)
    found = integral(f"{line} {shape}", span) / square
    (text,) = said(advice, f"{shape}: the integrated intensity of a spot is", "(HD-SHP-1)")
    assert ratio_in(text) == pytest.approx(found, rel=0.05)


@pytest.mark.parametrize("shape", ["-gauss_xtal", "-tophat_spots"])
def test_the_advised_fudge_gives_the_intensity_of_the_parallelepiped(shape: str, advice: Advice) -> None:
    """And silence; corrected physics changes nothing (C10.2 item 5)."""
    line = f"-default_F 1 -cell 40 50 60 -N 10 -detpixels 4 {shape}"
    built(f"{line} -physics corrected")
    (text,) = said(advice, "(HD-SHP-1)")
    fudge = text.rpartition(" ")[2]
    assert integral(f"{line} -fudge {fudge}", 0.3) == pytest.approx(1000, rel=0.03)
    assert len(said(advice, "(HD-SHP-1)")) == 1


def test_interpolation_chosen_for_a_crystal_that_is_large(advice: Advice) -> None:
    """A size in mm is turned into cells after the choice (C10.2 item 6, HD-INT-3)."""
    with open("list.hkl", "w") as out:
        out.writelines(f"{h} {k} {l} 5\n" for h in range(6) for k in range(6) for l in range(6))
    line = "-hkl list.hkl -cell 50 -detpixels 4 -samplesize 0.00005"
    assert built(line).crystal.structure_factors.interpolate
    assert said(advice, "not for 10 x 10 x 10 (HD-INT-3), use -nointerpolate")
    built(f"{line} -nointerpolate")
    built(f"{line} -interpolate")
    assert len(said(advice, "(HD-INT-3)")) == 1


def test_the_distance_after_a_swing_is_that_of_corrected_physics(advice: Advice) -> None:
    """Millimetres along the beam (C10.2 item 8, HD-DET-1)."""
    line = "-default_F 1 -cell 50 -detpixels 4 -distance 100 -twotheta 10"
    wrong = float(built(line).detector.distance_m)
    (text,) = said(advice, "-twotheta: the distance along the beam is", "(HD-DET-1)")
    right = float(built(f"{line} -physics corrected").detector.distance_m)
    stated = re.search(r"is (\S+) instead of (\S+) mm", text)
    assert stated and (float(stated[1]), float(stated[2])) == pytest.approx(
        (1e3 * wrong, 1e3 * right), rel=1e-5
    )
    built("-default_F 1 -cell 50 -detpixels 4 -distance 100 -twotheta 0.1")
    assert len(said(advice, "(HD-DET-1)")) == 1


def test_an_axis_that_is_no_unit_vector_distorts(advice: Advice) -> None:
    """By as much as the axes of the two physics differ (C10.2 item 9, HD-DET-4)."""
    line = "-default_F 1 -cell 50 -detpixels 4 -twotheta 10 -twotheta_axis 0 1.2 0.1"
    wrong, right = (built(f"{line} {physics}").detector for physics in ("", "-physics corrected"))
    moved = max(
        math.dist([float(x) for x in u], [float(x) for x in v])
        for u, v in ((wrong.fdet, right.fdet), (wrong.sdet, right.sdet), (wrong.odet, right.odet))
    )
    (text,) = said(advice, "-twotheta_axis: its length is 1.20416 instead of 1", "(HD-DET-4)")
    stated = re.search(r"axes by (\S+) %", text)
    assert stated and float(stated[1]) == pytest.approx(100 * moved, rel=6e-3)


@pytest.mark.parametrize(
    ("options", "defect"), [("", "HD-DET-7"), ("-xds", "HD-DET-6"), ("-beam_vector -1 0 0", "HD-DET-6")]
)
def test_the_curved_detector(options: str, defect: str, advice: Advice) -> None:
    """Reflected where the beam is along x, else nonsense (C10.2 item 10)."""
    built(f"-default_F 1 -cell 50 -detpixels 4 -curved_det {options}")
    assert [line for line in advice().splitlines() if line.startswith("-curved_det: ")] == said(
        advice, defect
    )
    assert len(said(advice, defect)) == 1


def test_angles_of_an_oblique_cell(advice: Advice) -> None:
    """Those of the vectors in force, by the cosine rule; one oblique angle alone is exact (HD-XTL-4)."""
    crystal = built("-default_F 1 -detpixels 4 -cell 50 60 70 60 70 80").crystal
    b, c = ([float(x) for x in v] for v in (crystal.b_A, crystal.c_A))
    opposite = math.dist(b, c)
    alpha = math.degrees(math.acos((60**2 + 70**2 - opposite**2) / (2 * 60 * 70)))
    (text,) = said(advice, "-cell: the angles in force are", "degrees instead of 60 70 80 (HD-XTL-4)")
    assert float(text.split()[6]) == pytest.approx(alpha, abs=1e-4)
    assert abs(alpha - 60) > 0.3
    for cell in ("50 60 70", "50 60 70 90 110 90", "50 50 70 90 90 120"):
        built(f"-default_F 1 -detpixels 4 -cell {cell}")
    assert len(said(advice, "(HD-XTL-4)")) == 1


@pytest.mark.parametrize(
    ("options", "plane"),
    [
        ("-hdivrange 1 -hdivstep 0.4", "h"),
        ("-vdivrange 1 -vdivstep 0.25", "v"),
        ("-vdivrange 2 -vdivsteps 5 -vdivstep 0.1", "v"),
    ],
)
def test_directions_that_are_not_centred(options: str, plane: str, advice: Advice) -> None:
    """The tilt is the angle between the beam and the mean of the incident directions (HD-SRC-3)."""
    beam = built(f"-default_F 1 -cell 50 -detpixels 4 {options}").beam
    mean = [float(component.mean()) for component in beam.incident]
    nominal = [float(component) for component in beam.direction]
    sine = math.dist(mean, nominal)
    (text,) = said(advice, f"-{plane}divrange: the {beam.sources} directions", "(HD-SRC-3)")
    stated = re.search(r"tilted by (\S+) mrad", text)
    assert stated and abs(float(stated[1])) == pytest.approx(1e3 * sine, rel=0.02)
    assert bool(said(advice, "range is 1000 mrad (HD-SRC-4)")) is (options == "-hdivsteps 3")


@pytest.mark.parametrize(
    "options", ["", "-hdivrange 1", "-divergence 1 -divsteps 4", "-hdivrange 1 -hdivsteps 3"]
)
def test_centred_directions_are_not_mentioned(options: str, advice: Advice) -> None:
    """No divergence, or a count and a range (P4.6)."""
    built(f"-default_F 1 -cell 50 -detpixels 4 {options}")
    assert not said(advice, "HD-SRC")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ("-osc 1 -phistep 0.3", "-phistep: 4 steps of 0.3 cover 1.2 degrees, but -osc says 1"),
        ("-osc 1 -phisteps 4 -phistep 0.1", "-phistep: 4 steps of 0.1 cover 0.4 degrees, but -osc says 1"),
        ("-osc 1 -phisteps 4", ""),
        ("-phistep 0.1", ""),
    ],
)
def test_steps_that_do_not_cover_the_oscillation(options: str, text: str, advice: Advice) -> None:
    """The examples of C4.13 (C10.2 item 13)."""
    built(f"-default_F 1 -cell 50 -detpixels 4 {options}")
    assert "\n".join(said(advice, "-osc says")) == text


def test_advice_leaves_gradients_alone(advice: Advice) -> None:
    """A request of tensors is looked at without a trace in their gradients (C10)."""
    from dataclasses import replace

    request = parse(f"{ONE_CELL} -oversample_polar -detector_thick 100 -gauss_xtal -N 3".split())[0]
    wavelength = scalar(1e-10).requires_grad_()
    total = render(experiment(replace(request, wavelength_m=wavelength))).image.sum()
    (slope,) = torch.autograd.grad(total, wavelength)
    assert said(advice, "HD-OVS-1") and said(advice, "HD-SHP-1") and torch.isfinite(slope)
