"""The whole set-up: required input, order, and numbers without a value (P0.6, P10.2, C4.17, C5)."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest

from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.command_line.request import Convention, CrystalShape, Pivot
from nanobrag_torch.command_line.required_input import MissingInputError
from nanobrag_torch.errors import InputFileError, UsageError
from nanobrag_torch.physics.vectors import Vec3
from nanobrag_torch.setup.build import check_finite, experiment
from nanobrag_torch.setup.experiment import Experiment, scalar

CHECK = (
    "-cell 70 80 90 75 85 95 -misset 10 20 30 -default_F 10 -N 5 -distance 100 -detpixels 8 -pixel 1"
    " -lambda 1.1 -fluence 1e24 -oversample 1"
)
"""The common options of P10.1."""
MINIMAL = "-cell 100 -default_F 1"


def built(line: str) -> Experiment:
    """Experiment of a command line."""
    return experiment(parse(line.split())[0])


def hexadecimal(v: Vec3) -> list[str]:
    """Components in hexadecimal, the first along a trailing dimension if there is one."""
    return [float(x.reshape(-1)[0]).hex() for x in v]


def test_check_values() -> None:
    """Origin and cell vectors of P10.2 come out of the whole set-up bit for bit."""
    got = built(CHECK)
    assert hexadecimal(got.detector.pix0_m) == [
        "0x1.999999999999ap-4",
        "0x1.47ae147ae147cp-8",
        "-0x1.47ae147ae147cp-8",
    ]
    assert hexadecimal(got.crystal.a_star_inv_A) == [
        "0x1.80fc600f53e85p-7",
        "0x1.bc8b197baafb5p-8",
        "-0x1.4399e1b0aaab8p-8",
    ]
    turned = got.orientations
    assert [hexadecimal(v) for v in (turned.a_m, turned.b_m, turned.c_m)] == [
        ["0x1.ab5cbc0e559b6p-28", "0x1.60711411f4055p-29", "-0x1.0a1c3fd419760p-29"],
        ["-0x1.68f8d592670b0p-29", "0x1.d74e6ab61aa37p-28", "0x1.b40311c35c482p-29"],
        ["0x1.d436a085c4a07p-29", "0x1.64cd552e3a956p-33", "0x1.1e2c73e8cc4afp-27"],
    ]
    assert got.beam.source_wavelengths_m.tolist() == [1.1 / 1.0e10]
    assert float(got.beam.fluence_ph_m2) == 1e24
    assert got.sampling.steps == 1


def test_defaults() -> None:
    """A run with nothing but cell and amplitude has the values of P1.3."""
    got = built(MINIMAL)
    detector = got.detector
    assert (detector.fast_pixels, detector.slow_pixels) == (1024, 1024)
    assert (detector.convention, detector.pivot) == (Convention.MOSFLM, Pivot.BEAM)
    assert not detector.curved and not detector.point_pixel
    assert float(detector.distance_m) == 0.1
    assert float(got.beam.wavelength_m) == 1e-10
    assert float(got.beam.kahn_factor) == 0.0
    assert got.beam.polarization
    assert got.crystal.shape is CrystalShape.SQUARE
    assert float(got.crystal.fudge) == 1.0


def test_options_without_a_derivation_reach_the_experiment() -> None:
    """Switches and factors are passed on to the part that they belong to (C3)."""
    got = built(f"{MINIMAL} -curved_det -point_pixel -polar 0.9 -gauss_xtal -fudge 1.5 -twotheta 3")
    assert got.detector.curved and got.detector.point_pixel
    assert float(got.beam.kahn_factor) == 0.9
    assert got.crystal.shape is CrystalShape.GAUSS
    assert float(got.crystal.fudge) == 1.5
    assert float(got.detector.twotheta_rad) == pytest.approx(math.radians(3), rel=1e-15)
    assert not built(f"{MINIMAL} -nopolar").beam.polarization


@pytest.mark.parametrize(
    ("options", "corrected"), [("", False), ("-physics nanobragg", False), ("-physics corrected", True)]
)
def test_the_kind_of_physics_is_passed_on(options: str, corrected: bool) -> None:
    """The historical image physics unless the corrected one is asked for (C8.5.7, P8.4)."""
    assert built(f"{MINIMAL} {options}").corrected is corrected


def test_the_parts_share_the_vectors_of_the_convention() -> None:
    """Beam, polarization and spindle of a custom set-up are normalised and in their places (P2.4, P2.5)."""
    got = built(f"{MINIMAL} -beam_vector 0 3 4 -polar_vector 2 0 0 -spindle_axis 0 4 -3")
    assert [float(x) for x in got.beam.direction] == [0.0, 0.6, 0.8]
    assert [float(x) for x in got.beam.polarization_axis] == [1.0, 0.0, 0.0]
    assert [float(x) for x in got.orientations.spindle_axis] == [0.0, 0.8, -0.6]
    assert [x.tolist() for x in got.beam.incident] == [[0.0], [0.6], [0.8]]


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("", "structure factors .* and a crystal cell"),
        ("-cell 100", "structure factors"),
        ("-default_F 10", "a crystal cell"),
        ("-cell 100 -default_F 0", "structure factors"),
    ],
)
def test_missing_input_is_named(line: str, missing: str) -> None:
    """Structure factors and orientation are both needed (C4.17, C9.9)."""
    with pytest.raises(MissingInputError, match=f"missing input: {missing}"):
        built(line)


def test_missing_input_comes_before_unreadable_files() -> None:
    """What is not there at all is reported first, since the usage text helps with it (C4.17)."""
    with pytest.raises(MissingInputError):
        built("-cell 100 -Q nothing.txt -sourcefile nothing.txt")


@pytest.mark.parametrize("option", ["-hkl", "-mat", "-sourcefile", "-stol", "-4stol", "-Q"])
def test_unreadable_files_are_errors(option: str) -> None:
    """Every file that is named is read, the amorphous table too (C5, C8.3)."""
    with pytest.raises(InputFileError, match="nothing.txt: cannot be read"):
        built(f"{MINIMAL} {option} nothing.txt")


@pytest.mark.parametrize("option", ["-stol", "-4stol", "-Q"])
def test_an_amorphous_table_is_checked_and_changes_nothing(option: str, empty_folder: Path) -> None:
    """A table needs data, but has no influence (P3.11, C8.3, HD-BKG-3)."""
    (empty_folder / "a.stol").write_text("0 1\n0.5 2\n")
    with_table, without = built(f"{MINIMAL} -water 5 {option} a.stol"), built(f"{MINIMAL} -water 5")
    assert float(with_table.sampling.background) == float(without.sampling.background)
    (empty_folder / "a.stol").write_text("\n")
    with pytest.raises(InputFileError, match="a.stol"):
        built(f"{MINIMAL} {option} a.stol")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("-cell 1e300", "cell edge a of"),
        ("-lambda 1e-300", "cell edge a of 1e-08 m"),
        ("-distance 1e60", "-Ybeam: detector place of 1e[+]57 m, expected at most 1e[+]50 m"),
        ("-Xbeam 1e60", "-Ybeam: detector place of 1e[+]57 m"),
        ("-fdet_vector 1e200 0 0", "expected not 0 0 0, 1e-100 to 1e[+]100 long"),
        ("-detector_thick 1e60 -detector_abs 1", "-detector_thick: detector thickness of 1e[+]54 m"),
        ("-pixel 1e60 -detpixels 1", "-pixel/-detsize_f: detector width of 1e[+]57 m"),
        ("-pixel 1e58 -detsize_f 1e58 -detsize_s 9e58", "-pixel/-detsize_f: detector width of 1e[+]55 m"),
    ],
)
def test_numbers_too_large_for_a_pixel_value_are_errors(options: str, message: str) -> None:
    """Positions and Miller indices without a value are refused, naming the options to blame (C5, C8.4)."""
    with pytest.raises(UsageError, match=message):
        built(f"{MINIMAL} {options}")


def test_every_edge_and_length_is_checked() -> None:
    """One part at a time made infinite or undefined is refused by its name (C5, C8.4)."""
    good = built(MINIMAL)
    detector, xtal, beam = good.detector, good.crystal, good.beam
    check_finite(detector, xtal, beam)
    for bad in (scalar(math.inf), scalar(math.nan)):
        for edge in ("a", "b", "c"):
            vectors: dict[str, Any] = {f"{edge}_m": (scalar(0.0), bad, scalar(0.0))}
            broken = dataclasses.replace(xtal, **vectors)
            with pytest.raises(UsageError, match=f"cell edge {edge} of"):
                check_finite(detector, broken, beam)
        for field, name in (("fast_m", "width"), ("slow_m", "height")):
            with pytest.raises(UsageError, match=f"detector {name} "):
                check_finite(dataclasses.replace(detector, **{field: bad}), xtal, beam)  # type: ignore[arg-type]
        moved = dataclasses.replace(detector, pix0_m=(bad, scalar(0.0), scalar(0.0)))
        with pytest.raises(UsageError, match="detector place "):
            check_finite(moved, xtal, beam)
        sensor = dataclasses.replace(detector.sensor, thickness_m=bad)
        with pytest.raises(UsageError, match="detector thickness "):
            check_finite(dataclasses.replace(detector, sensor=sensor), xtal, beam)


def test_the_shortest_wavelength_of_all_sources_decides(empty_folder: Path) -> None:
    """The largest Miller index belongs to the shortest wavelength, wherever it stands in the list (P6.7)."""
    (empty_folder / "s.txt").write_text("-1 0 0 1 1e-10\n-1 0 0 1 1e-305\n-1 0 0 1 1e-10\n")
    with pytest.raises(UsageError, match="cell edge a of 100000 m"):
        built("-cell 1e15 -default_F 1 -sourcefile s.txt")
