"""Beam: fluence, divergence, dispersion and source files (P1.4, P4.1, P4.5 to P4.7, C4.11, C4.14, C4.15)."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.command_line.request import Request
from nanobrag_torch.errors import InputFileError, UsageError
from nanobrag_torch.physics.vectors import Vec3
from nanobrag_torch.setup.beam import fluence, sources
from nanobrag_torch.setup.detector import convention_axes
from nanobrag_torch.setup.experiment import Beam, scalar

Triple = tuple[float, float, float]
Pair = tuple[float, float]


def asked(line: str) -> Request:
    """Request of a command line."""
    return parse(line.split())[0]


def built(line: str) -> Beam:
    """Beam of a command line."""
    request = asked(line)
    return sources(request, convention_axes(request), scalar(request.wavelength_m))


def vectors(v: Vec3) -> list[Triple]:
    """One triple of plain numbers per source."""
    return list(zip(v[0].tolist(), v[1].tolist(), v[2].tolist(), strict=True))


def directions_mrad(beam: Beam) -> list[Pair]:
    """Horizontal and vertical angle of every direction."""
    return [(h * 1000, v * 1000) for h, v in beam.divergence.directions_rad]


# fluence


def test_flux_exposure_and_beam_size_make_the_fluence() -> None:
    """1e18 photons a second for one second through a square millimetre are 1e24 per m^2 (P1.4)."""
    # 1 mm is not a binary number of metres, and is divided by twice
    assert float(fluence(asked("-flux 1e18 -exposure 1 -beamsize 1"))) == pytest.approx(1e24, rel=4e-16)


def test_bits_of_the_fluence() -> None:
    """The order of P1.4 in plain floats gives the same bits (P0.2)."""
    got = float(fluence(asked("-flux 3.3e11 -exposure 0.7 -beamsize 0.03")))
    assert got == 3.3e11 * 0.7 / (0.03 / 1000.0) / (0.03 / 1000.0)


@pytest.mark.parametrize("line", ["-flux 1e18 -beamsize 1 -fluence 7", "-fluence 7 -flux 1e18 -beamsize 1"])
def test_a_flux_overrides_a_fluence(line: str) -> None:
    """In any order, and the user is told that -fluence has no effect (C4.11, C8.3)."""
    request, warnings = parse(line.split())
    assert float(fluence(request)) == pytest.approx(1e24, rel=4e-16)
    assert [str(said) for said in warnings] == ["-fluence has no effect: the fluence follows from -flux"]


@pytest.mark.parametrize(
    ("line", "expected", "said"),
    [
        ("", 125932015286227086360700780544.0, []),
        ("-fluence 1e24", 1e24, []),
        ("-fluence 1e24 -flux 0", 1e24, []),
        ("-flux 1e18 -exposure 0 -fluence 1e24", 1e24, ["-flux has no effect: the exposure is 0"]),
        ("-fluence 1e24 -exposure 5 -beamsize 3", 1e24, ["-exposure has no effect without -flux"]),
    ],
)
def test_the_fluence_counts_where_there_is_no_flux(line: str, expected: float, said: list[str]) -> None:
    """Without flux or exposure the given or the default fluence stands (P1.3, P1.4), which is said (C8.3)."""
    request, warnings = parse(line.split())
    assert float(fluence(request)) == expected
    assert list(map(str, warnings)) == said


def test_the_default_fluence_undoes_the_thomson_factor() -> None:
    """It is one over the classical electron radius squared, to rounding (P1.3)."""
    assert float(fluence(Request())) * 7.94079248018965e-30 == pytest.approx(1.0, rel=1e-15)


# divergence


@pytest.mark.parametrize(
    ("options", "expected_mrad"),
    [
        ("", (0.0,)),
        ("-{}divrange 1", (-0.5, 0.5)),
        ("-{}divrange 1 -{}divsteps 3", (-0.5, 0.0, 0.5)),
        ("-{}divrange 1 -{}divsteps 0", (-0.5, 0.5)),
        ("-{}divrange 1 -{}divstep 0.3", (-0.5, -0.2, 0.1, 0.4)),
        ("-{}divrange 1 -{}divstep 0.4", (-0.5, -0.1, 0.3)),
        ("-{}divstep 0.5", (-0.25, 0.25)),
        ("-{}divsteps 3", (-500.0, -500.0 / 3, 500.0 / 3)),
        ("-{}divrange 0 -{}divsteps 3", (0.0,)),
    ],
)
@pytest.mark.parametrize("plane", ["h", "v"])
def test_divergence_in_one_plane(options: str, expected_mrad: tuple[float, ...], plane: str) -> None:
    """The examples of C4.14 in either plane; one-dimensional grids are complete (HD-SRC-3, 4 and 5)."""
    got = directions_mrad(built(options.replace("{}", plane)))
    axis = 0 if plane == "h" else 1
    assert [pair[axis] for pair in got] == pytest.approx(expected_mrad, abs=1e-12)
    assert [pair[1 - axis] for pair in got] == [0.0] * len(got)


def test_bits_of_the_divergence_angles() -> None:
    """The angles dH*i - RH/2 of P4.6 in plain floats have the same bits."""
    span, step = 1.7 / 1000.0, 0.3 / 1000.0
    got = [h for h, _ in built("-hdivrange 1.7 -hdivstep 0.3").divergence.directions_rad]
    assert got == [step * i - span / 2.0 for i in range(6)]


def grid(half: int, *, even: bool) -> list[Pair]:
    """A square grid around 0 in units of its step, horizontal outermost."""
    ticks = [i + 0.5 for i in range(-half, half)] if even else [float(i) for i in range(-half, half + 1)]
    return list(itertools.product(ticks, ticks))


@pytest.mark.parametrize(
    ("count", "kept"),
    [
        (2, grid(1, even=True)),
        (3, [(h, v) for h, v in grid(1, even=False) if h * v == 0]),
        (4, [(h, v) for h, v in grid(2, even=True) if abs(h * v) < 2]),
        (5, [(h, v) for h, v in grid(2, even=False) if h * h + v * v <= 4]),
    ],
)
def test_round_divergence_drops_the_corners(count: int, kept: list[Pair]) -> None:
    """2x2 keeps 4, 3x3 keeps 5, 4x4 keeps 12, 5x5 keeps 13, horizontal outermost (P4.6, C4.14)."""
    assert len(kept) == {2: 4, 3: 5, 4: 12, 5: 13}[count]
    step_mrad = 1.0 / (count - 1)
    expected = [(h * step_mrad, v * step_mrad) for h, v in kept]
    got = directions_mrad(built(f"-divergence 1 -divsteps {count}"))
    assert np.array(got) == pytest.approx(np.array(expected), abs=1e-15)


@pytest.mark.parametrize(
    ("step_mrad", "kept"),
    [
        ("0.7", [(-0.5, -0.5), (-0.5, 0.2), (0.2, -0.5), (0.2, 0.2)]),
        ("0.6", [(-0.5, 0.1), (0.1, -0.5), (0.1, 0.1)]),
    ],
)
def test_trimming_of_even_grids_allows_for_half_a_step(step_mrad: str, kept: list[Pair]) -> None:
    """Of the corner, 8*(0.25 - step^2/4) is 1.02 for 0.7, which stays, and 1.28 for 0.6 (P4.6 step 2)."""
    line = f"-divergence 1 -divsteps 2 -hdivstep {step_mrad} -vdivstep {step_mrad}"
    assert np.array(directions_mrad(built(line))) == pytest.approx(np.array(kept), abs=1e-15)


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("-divergence 1 -divsteps 3 -square_div", 9),
        ("-divergence 1 -divsteps 4 -square_div", 16),
        ("-divergence 1 -divsteps 4 -square_div -round_div", 12),
        ("-divergence 1 -divsteps 1", 4),
        ("-divergence 1", 4),
        ("-hdivrange 1 -hdivsteps 3 -vdivrange 2 -vdivsteps 3", 5),
        ("-divsteps 1 -square_div", 1),
    ],
)
def test_number_of_directions(line: str, count: int) -> None:
    """Square grids keep their corners; a count of 1 is raised to 2 beside a range (C4.14, P4.1)."""
    assert built(line).sources == count


def test_a_grid_without_any_direction_is_an_error() -> None:
    """One step per plane has a range of 1 rad and only a corner: historically NaN (HD-SRC-6)."""
    with pytest.raises(UsageError, match="-hdivsteps/-vdivsteps/-divsteps: 1 x 1 .*no source is left"):
        built("-divsteps 1")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-hdivsteps 10001 -vdivsteps 10000", "-divsteps/-dispsteps: 10001 x 10000 directions x 1 wave"),
        ("-divsteps 2000 -dispersion 1 -dispsteps 26", "2000 x 2000 directions x 26 wavelengths"),
        ("-hdivrange 1000 -hdivstep 1e-9", "-hdivstep: 1e[+]12 steps"),
        ("-vdivrange 1000 -vdivstep 1e-9", "-vdivstep: 1e[+]12 steps"),
    ],
)
def test_absurdly_many_sources_are_an_error(line: str, message: str) -> None:
    """A slip in a count or a step is refused before memory is touched, naming the option (C8.4)."""
    with pytest.raises(UsageError, match=message):
        built(line)


# dispersion


@pytest.mark.parametrize(
    ("line", "factors"),
    [
        ("", (1.0,)),
        ("-dispersion 1", (0.995, 1.005)),
        ("-dispersion 1 -dispsteps 3", (0.995, 1.0, 1.005)),
        ("-dispersion 1 -dispsteps 1", (0.995, 1.005)),
        ("-dispsteps 3", (1.0,)),
        ("-dispersion 0 -dispsteps 3", (1.0,)),
        ("-dispersion 199", (0.005, 1.995)),
    ],
)
def test_dispersion(line: str, factors: tuple[float, ...]) -> None:
    """The examples of C4.15, as factors of the central wavelength (P4.1)."""
    beam = built(f"-lambda 1.3 {line}")
    # 1 - 1.99/2 loses a factor of 200 of relative accuracy
    assert beam.source_wavelengths_m.tolist() == pytest.approx([1.3e-10 * f for f in factors], rel=1e-13)
    assert beam.divergence.wavelengths_m == tuple(beam.source_wavelengths_m.tolist())


def test_bits_of_the_wavelengths() -> None:
    """lam0*(1 + dL*m - RL/2) of P4.6 in plain floats has the same bits."""
    span, central = 3.7 / 100.0, 0.9768 / 1.0e10
    step = span / 3
    got = built("-lambda 0.9768 -dispersion 3.7 -dispsteps 4").source_wavelengths_m.tolist()
    assert got == [central * (1.0 + step * m - span / 2.0) for m in range(4)]


@pytest.mark.parametrize("percent", ["200", "200.5", "1000"])
def test_wavelengths_of_zero_or_less_are_an_error(percent: str) -> None:
    """A dispersion of 200 percent reaches the wavelength 0, more goes below it (P4.6, C8.4)."""
    with pytest.raises(UsageError, match="-dispersion: a wavelength of .* above 0"):
        built(f"-dispersion {percent}")


# order and geometry of the sources


def test_order_of_the_sources() -> None:
    """Horizontal outermost, vertical next, wavelength innermost (P4.6)."""
    beam = built(
        "-hdivrange 200 -hdivsteps 3 -vdivrange 100 -vdivsteps 2 -square_div -dispersion 1 -lambda 2"
    )
    loops = list(itertools.product((-0.1, 0.0, 0.1), (-0.05, 0.05), (1.99e-10, 2.01e-10)))
    # the beam along x is turned by V about z, the polarization, then by H about -y
    expected = [(math.cos(v) * math.cos(h), math.sin(v), math.cos(v) * math.sin(h)) for h, v, _ in loops]
    assert np.array(vectors(beam.incident)) == pytest.approx(np.array(expected), abs=1e-15)
    assert beam.source_wavelengths_m.tolist() == pytest.approx([lam for _, _, lam in loops], rel=1e-15)
    assert beam.sources == 12


@pytest.mark.parametrize("convention", ["-mosflm", "-xds", "-dials", "-adxv", "-beam_vector 1 2 0"])
def test_sources_lie_ten_metres_up_the_beam(convention: str) -> None:
    """Incident directions are unit vectors along the beam, positions the opposite (P4.6, P4.7)."""
    beam = built(f"{convention} -divergence 4 -divsteps 3")
    incident, positions = np.array(vectors(beam.incident)), np.array(vectors(beam.source_positions_m))
    along = np.array([float(x) for x in beam.direction])
    np.testing.assert_allclose(np.linalg.norm(incident, axis=1), 1.0, rtol=0, atol=1e-15)
    np.testing.assert_allclose(positions, -10.0 * incident, rtol=0, atol=1e-14)
    # 5 directions, the middle one the beam itself, the others 2 mrad away
    cosines = [1 - 2e-6, 1 - 2e-6, 1.0, 1 - 2e-6, 1 - 2e-6]
    np.testing.assert_allclose(incident @ along, cosines, rtol=0, atol=1e-11)


def test_vertical_divergence_is_in_the_plane_of_beam_and_normal_to_the_polarization() -> None:
    """V turns about the polarization axis, H about the axis across beam and polarization (P2.5, P4.6)."""
    line = "-beam_vector 0 0 1 -polar_vector 1 0 0"
    (first, second) = vectors(built(f"{line} -vdivrange 200").incident)
    assert first == pytest.approx((0.0, math.sin(0.1), math.cos(0.1)), abs=1e-15)
    assert second == pytest.approx((0.0, -math.sin(0.1), math.cos(0.1)), abs=1e-15)
    (first, second) = vectors(built(f"{line} -hdivrange 200").incident)
    assert first == pytest.approx((-math.sin(0.1), 0.0, math.cos(0.1)), abs=1e-15)
    assert second == pytest.approx((math.sin(0.1), 0.0, math.cos(0.1)), abs=1e-15)


def test_a_single_source_is_exactly_the_beam() -> None:
    """Without divergence the incident direction is the beam vector, bit for bit (P4.6, P4.7)."""
    assert vectors(built("").incident) == [(1.0, 0.0, 0.0)]
    assert vectors(built("-xds").incident) == [(0.0, 0.0, 1.0)]


def test_generated_sources_weigh_the_same() -> None:
    """Each of five directions and two wavelengths weighs a tenth (C6.1)."""
    assert built("-divergence 1 -divsteps 3 -dispersion 1").source_weights.tolist() == [0.1] * 10


# source files


def test_listed_sources(empty_folder: Path) -> None:
    """Direction, weight and wavelength of each line; the distance is dropped (P4.5, P4.7)."""
    (empty_folder / "s.txt").write_text("-3 -4 0 2.5 1.2e-10\n0 0 7 0 0.8e-10\n")
    beam = built("-sourcefile s.txt -lambda 1")
    assert vectors(beam.incident) == [(0.6, 0.8, 0.0), (0.0, 0.0, -1.0)]
    assert vectors(beam.source_positions_m) == [(-3.0, -4.0, 0.0), (0.0, 0.0, 7.0)]
    assert beam.source_weights.tolist() == [2.5, 0.0]
    assert beam.source_wavelengths_m.tolist() == [1.2e-10, 0.8e-10]
    assert float(beam.wavelength_m) == 1e-10


@pytest.mark.parametrize(
    ("line", "position", "weight", "wavelength_m"),
    [
        ("0 0 3", (0.0, 0.0, 3.0), 1.0, 1.3e-10),
        ("0 0 3 9", (0.0, 0.0, 3.0), 9.0, 1.3e-10),
        ("5", (5.0, 0.0, -10.0), 1.0, 1.3e-10),
        ("5 6", (5.0, 6.0, -10.0), 1.0, 1.3e-10),
    ],
)
def test_missing_columns_have_defaults(
    line: str, position: Triple, weight: float, wavelength_m: float, empty_folder: Path
) -> None:
    """Ten metres up the beam, weight 1 and the central wavelength, also on a last line (P4.5, HD-SRC-2)."""
    (empty_folder / "s.txt").write_text(line)
    beam = built("-sourcefile s.txt -xds -lambda 1.3")
    assert vectors(beam.source_positions_m) == [position]
    assert beam.source_weights.tolist() == [weight]
    assert beam.source_wavelengths_m.tolist() == pytest.approx([wavelength_m], rel=1e-15)


def test_a_source_file_replaces_divergence_and_dispersion(empty_folder: Path) -> None:
    """The options for them have no influence, not even absurd ones (P4.5, C3.5)."""
    (empty_folder / "s.txt").write_text("-1 0 0 1 1e-10\n")
    beam = built("-sourcefile s.txt -divergence 5 -divsteps 9000 -dispersion 900 -dispsteps 90")
    assert beam.sources == 1
    assert beam.divergence.directions_rad == ()
    assert beam.divergence.wavelengths_m == ()


@pytest.mark.parametrize("content", [None, "", "# nothing\n\n"])
def test_a_source_file_without_sources_is_an_error(content: str | None, empty_folder: Path) -> None:
    """Missing or without any data line (P4.5)."""
    if content is not None:
        (empty_folder / "s.txt").write_text(content)
    with pytest.raises(InputFileError, match="s.txt"):
        built("-sourcefile s.txt")


# what of a source file is ignored or implausible

LINES = "-10 0 0 1 1e-10\n\n-10 0.1 0 1 1e-10\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (LINES, []),
        (LINES.replace(" 1 ", " 7 "), []),
        ("-10 0 0\n-10 0.1 0 1\n-10 0.1 0 1.0000001\n", []),
        (
            LINES.replace("0.1 0 1", "0.1 0 9"),
            ["3: weight 9, but 1 in line 1: column 4 is ignored, all sources"],
        ),
        ("-10 0 0\n-10 0.1 0 0.99999", ["2: weight 0.99999, but 1 in line 1: column 4"]),
        (LINES.replace(" 1 ", " 0 "), ["1: weight 0 does not switch it off: column 4 is ignored"]),
        (
            LINES.replace("0.1 0 1", "0.1 0 -2"),
            ["3: weight -2, but 1 in line 1", "3: weight -2 does not switch"],
        ),
        (LINES.replace("e-10\n", "e-10 5 6 # 7\n"), ["1: columns beyond the fifth are ignored, got 2 more"]),
        (LINES.replace("e-10\n", "e-10 # main\n"), []),
        ("-10 0 0 1 1e-10\n-10 0 0 1 0.49e-10\n", ["2: wavelength 4.9e-11 m, but the central .* 1e-10 m"]),
        ("-10 0 0 1 1e-10\n-10 0 0 1 1.9e-10\n", []),
        (
            "-10 0 0 1 0.9768\n",
            ["1: wavelength 0.9768 m, which looks like Angstrom, but .*column 5 is in metres"],
        ),
        ("-10 0 0 1 999\n", ["1: wavelength 999 m, which looks like Angstrom"]),
        ("-10 0 0 1 12398\n", ["1: wavelength 12398 m, which looks like eV, but"]),
        ("-10 0 0\n-10 0.1\n", [r"2: the source is taken to be at -10 0.1 0: expected x y z .* got 2 of x"]),
        (LINES.replace("\n\n", "\n").replace("\n", "\r"), []),
        (
            "-10 0 0 1 0.97e-10\n-9 0 0 1 0.98e-10\n",
            ["1: the wavelengths .* are 9.7e-11 to 9.8e-11 m, .* is 1e-10"],
        ),
        ("-10 0 0 1 0.991e-10\n-9 0 0 1 0.98e-10\n", []),
        ("-10 0 9.9", []),
        ("-10 0 10.1", ["1: the source at -10 0 10.1 is 45 degrees off the beam; expected it near -10 0 0"]),
        (
            "\n0 0 -10",
            ["2: the source at 0 0 -10 is 90 degrees off the beam; expected it near -10 0 0, or another"],
        ),
        ("10 0 0", ["1: the source at 10 0 0 is 180 degrees off the beam, its beam comes from behind"]),
    ],
)
def test_what_of_a_source_file_is_ignored_or_implausible(
    content: str, said: list[str], empty_folder: Path, advice: Callable[[], str]
) -> None:
    """One line of each kind of F5.6, with the first line of the file to which it applies, or silence."""
    (empty_folder / "s.txt").write_text(content)
    built("-sourcefile s.txt -lambda 1")
    got = advice().splitlines()
    assert len(got) == len(said), got
    for text, expected in zip(got, said, strict=True):
        assert re.match(f"s.txt:{expected}", text), text


def test_weights_change_no_source(empty_folder: Path) -> None:
    """All sources count equally, whatever is said (HD-SRC-1, F5.6)."""
    found = []
    for content in (LINES, LINES.replace("0.1 0 1", "0.1 0 9")):
        (empty_folder / "s.txt").write_text(content)
        beam = built("-sourcefile s.txt -lambda 1")
        found.append((vectors(beam.incident), beam.source_wavelengths_m.tolist()))
    assert found[0] == found[1]
