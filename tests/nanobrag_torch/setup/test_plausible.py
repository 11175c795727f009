"""Numbers that no experiment has (C10.4)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.errors import UsageError
from nanobrag_torch.setup.build import experiment

Advice = Callable[[], str]
USUAL = "-default_F 1 -cell 50 60 70 -N 5 -detpixels 16 -pixel 0.1 -distance 100 -lambda 1 -oversample 1"


def said(options: str, advice: Advice) -> list[str]:
    """What is said of a command line, without the advice on oversampling."""
    with suppress(UsageError):  # what is beyond every bound is an error as well
        experiment(parse(f"{USUAL} {options}".split())[0])
    return [line for line in advice().splitlines() if not line.startswith("-oversample 1: ")]


ALONG_Z = "-fdet_vector 1 0 0 -sdet_vector 0 1 0 -odet_vector 0 0 1 -beam_vector 0 0 1"
SLIPS = {
    "-lambda 1e-10": "-lambda/-energy: 1e-10 Angstrom is implausible, expected 0.1 to 10 Angstrom; "
    "looks like metres",
    "-lambda 0.09": "; looks like nanometres",
    "-lambda 12398": "; looks like an energy in eV",
    "-energy 12.4": "; looks like an energy in keV",
    "-lambda 20": "; looks like an energy in keV",
    "-distance 0.1": "-distance: 0.1 mm is implausible, expected 1 to 100000 mm; looks like metres",
    "-close_distance 250000": "-close_distance: 250000 mm is implausible, expected 1 to 100000 mm; "
    "looks like micrometres",
    "-pixel 0.000172": "-pixel: 0.000172 mm is implausible, expected 0.001 to 10 mm; looks like metres",
    "-pixel 172": "; looks like micrometres",
    "-cell 0.7 60 70": "-cell: 0.7 Angstrom is implausible, expected 2 to 10000 Angstrom; looks like "
    "nanometres",
    "-cell 7.8e-9": "; looks like metres",
    "-cell 50 60 70 1.5708 1.5708 1.5708": "-cell: 1.5708 degrees is implausible, "
    "expected 20 to 160 degrees; looks like radians",
    "-beamsize 0.00005": "-beamsize: 5e-05 mm is implausible, expected 0.0002 to 10 mm; looks like metres",
    "-beamsize 100": "; looks like micrometres",
    "-samplesize 100": "-samplesize: 100 mm is implausible, expected 0 to 10 mm; looks like micrometres",
    "-mosaic 30": "-mosaic: 30 degrees is implausible, expected 0 to 10 degrees",
    "-divergence 200": "-hdivrange: 200 mrad is implausible, expected 0 to 100 mrad; looks like microradians",
    "-dispersion 60": "-dispersion: 60 percent is implausible, expected 0 to 50 percent",
    "-osc 400": "-osc: 400 degrees is implausible, expected 0 to 360 degrees",
    "-twotheta 200": "-twotheta: 200 degrees is implausible, expected -180 to 180 degrees",
    "-detector_thick 0.45": "-detector_thick: 0.45 micrometre is implausible, "
    "expected 1 to 100000 micrometre; looks like millimetres",
    "-detector_thick 300 -detector_abs 0.2": "-detector_abs: 0.2 micrometre is implausible",
    "-water 0.1": "-water: 0.1 micrometre is implausible, expected 0.5 to 100000 micrometre; looks "
    "like millimetres",
    "-fluence 1e40": "-fluence: 1e+40 photons/m^2 is implausible, expected 0 to 1e+31 photons/m^2",
    "-dmin 0.3": "-dmin has no effect: a wavelength of 1 Angstrom reaches 0.5 Angstrom",
    "-fluence 1e12": "-fluence: 0.00105 photons hit the crystal, expected at least 1",
    "-flux 1e5 -beamsize 1": "-flux: 0.000105 photons hit the crystal, expected at least 1",
    "-sample_y 1e-6": "-samplesize: the crystal is smaller than its unit cell along b",
    "-distance -100": "-distance: its sign has no effect",
    "-close_distance -100": "-close_distance: the detector is behind the sample",
    "-Xbeam 8 -Ybeam 5": "-Xbeam/-Ybeam/-ORGX/-ORGY: the beam centre is 5.05 8.05 mm from the first corner, "
    "on a detector of 1.6 x 1.6 mm; looks like pixels",
    "-xds -ORGX 8000 -ORGY 8": "-Xbeam/-Ybeam/-ORGX/-ORGY: the beam centre is 799.95 0.75 mm",
    "-fdet_vector 0 1 0 -sdet_vector 0 0 -1": "-fdet_vector/-sdet_vector: fast x slow points against "
    "the normal",
    "-beam_vector -1 0 0": "-beam_vector/-odet_vector: the beam does not meet the front of the detector",
    "-detector_roty 180": "-beam_vector/-odet_vector: the beam does not meet the front of the detector",
    "-phistep 0.5 -phisteps 7": "-phisteps has no effect beside -phistep without -osc: 2 steps are "
    "taken (HD-PHI-4)",
    "-hdivstep 1 -hdivsteps 7": "-hdivsteps has no effect beside -hdivstep without -hdivrange: 2 directions",
    "-dispsteps 5": "-dispsteps has no effect without -dispersion",
    "-thicksteps 5": "-thicksteps has no effect without -detector_thick",
    "-flux 1e40": "-flux: 1e+48 photons/m^2 is implausible, expected 0 to 1e+31 photons/m^2",
    "-lambda 0.0251 -nopolar": "-lambda/-energy: 0.0251 Angstrom is a wavelength of electrons",
    "-energy 300000": "-energy is that of photons",
    "-lambda 0.07": "; looks like nanometres",
    "-fdet_vector 0 0 1 -sdet_vector 0 0 1": "-fdet_vector to -sdet_vector: 0 degrees is implausible, "
    "expected 89.9 to 90.1 degrees",
    "-sdet_vector 0 -1 0.5": "-fdet_vector to -sdet_vector: 63.4349 degrees is implausible",
    f"{ALONG_Z} -polar 0.9": "-polar_vector to -beam_vector: 0 degrees is implausible, "
    "expected 45 to 135 degrees",
    f"{ALONG_Z} -divergence 1 -divsteps 3": "-polar_vector to -beam_vector: 0 degrees is implausible",
    f"{ALONG_Z} -osc 1": "-spindle_axis to -beam_vector: 0 degrees is implausible, expected 5 to 175 degrees",
    f"{ALONG_Z} -phi 3": "-spindle_axis to -beam_vector: 0 degrees is implausible",
    "-round_xtal -fudge -1": "-fudge: -1 makes one spot of all reciprocal space, expected more than 0",
    "-gauss_xtal -fudge 0": "-fudge: 0 makes one spot of all reciprocal space",
    "-twotheta 170": "-twotheta: the detector is behind the sample",
    "-detpixels 1024 -Xbeam 0.05 -Ybeam 0.06": "the beam centre is 0.11 0.1 mm from the first corner, "
    "on a detector of 102.4 x 102.4 mm; looks like metres",
    "-detector_abs 300": "-detector_abs has no effect without -detector_thick",
}  # fmt: skip


@pytest.mark.parametrize("options", SLIPS)
def test_a_slip_is_named(options: str, advice: Advice) -> None:
    """The option, the number, what is expected, and what it looks like (C10.4, C10.2 item 13)."""
    lines = [str(piece) for piece in parse(f"{USUAL} {options}".split())[1]] + said(options, advice)
    assert any(SLIPS[options] in line for line in lines), lines


USUALS = [
    "",
    "-lambda 0.1",
    "-lambda 10",
    "-energy 12398.42",
    "-distance 1 -detpixels 1",
    "-distance 100000",
    "-pixel 0.001",
    "-cell 2 2000 10000 -N 1 -fluence 1e29 -distance 10000",
    "-cell 50 60 70 90 119 90",
    "-beamsize 0.001",
    "-samplesize 0.01 -nointerpolate",
    "-mosaic 1",
    "-divergence 10 -divsteps 3",
    "-dispersion 3",
    "-osc 1 -phisteps 10",
    "-osc 360 -phisteps 10",
    "-twotheta 0",
    "-flux 1e12 -beamsize 0.01 -exposure 0.1",
    "-dmin 1.5",
    "-water 5",
    "-Xbeam 0.8 -Ybeam 0.8",
    "-Xbeam -1 -Ybeam 3",
    "-Xbeam -150 -Ybeam 160",
    "-xds -ORGX 8 -ORGY 8",
    "-adxv",
    "-dials",
    "-denzo",
    ALONG_Z,
    f"{ALONG_Z} -polar_vector 1 0 0 -polar 0.99 -spindle_axis 1 0 0 -osc 1 -divergence 1 -divsteps 3",
    f"{ALONG_Z} -polar_vector 1 0 0.2 -polar 0.99 -spindle_axis 1 0 1 -phi 10",
    "-fdet_vector 0.001 0 1 -sdet_vector 0 -1 0.001",
    "-Xbeam 0 -Ybeam 0 -detpixels 1024",
    "-Xbeam 0.05 -Ybeam 50 -detpixels 1024",
    "-fudge 0",
]


@pytest.mark.parametrize("options", USUALS)
def test_the_usual_is_not_mentioned(options: str, advice: Advice) -> None:
    """Ends of the ranges, every convention, and runs as people make them (C10.4)."""
    found = said(options, advice)
    assert not [
        line for line in found if "implausible" in line or "has no effect" in line or "centre" in line
    ]
    assert not [line for line in found if "expected" in line or "mirrored" in line or "meet" in line], found


def test_a_matrix_is_checked_by_the_cell_it_gives(advice: Advice) -> None:
    """In reciprocal nanometres, say, the edges come out too short (C10.4)."""
    with open("a.mat", "w") as out:
        out.write("0.2 0 0\n0 0.2 0\n0 0 0.0001\n")
    experiment(parse("-default_F 1 -mat a.mat -detpixels 8 -lambda 0.1".split())[0])
    lines = [line for line in advice().splitlines() if line.startswith("-mat: ")]
    assert lines == ["-mat: 0.5 Angstrom is implausible, expected 2 to 10000 Angstrom; looks like nanometres"]
