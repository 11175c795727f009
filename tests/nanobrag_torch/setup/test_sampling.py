"""Sampling: oversampling, number of terms, resolution cut and background (P3.8, P4.4, P6.2)."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable

import pytest
import torch

from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.errors import UsageError
from nanobrag_torch.setup.build import experiment
from nanobrag_torch.setup.experiment import Sampling, scalar
from nanobrag_torch.setup.sampling import background

COARSE = "-cell 101 -N 5 -distance 100 -pixel 1 -detpixels 8 -lambda 1"
"""Reciprocal pixel of 100 Angstrom, crystal of 505: 15.15 sub-pixels are wanted."""


def built(line: str) -> Sampling:
    """Sampling of a command line; -default_F spares a list."""
    return experiment(parse(f"-default_F 1 {line}".split())[0]).sampling


# oversampling


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (COARSE, 16),
        (f"{COARSE} -oversample 0", 16),
        (f"{COARSE} -N 2", 7),
        (f"{COARSE} -Nb 7", 22),
        (f"{COARSE} -Nc 7 -N 1", 4),
        (f"{COARSE} -distance 200", 8),
        (f"{COARSE} -lambda 2", 8),
        (f"{COARSE} -pixel 2", 31),
        (f"{COARSE} -N 1 -pixel 0.1", 1),
        (f"{COARSE} -sample_x 0.0001", 31),
        ("-cell 101 50 50 -Nc 3 -distance 100 -pixel 1 -detpixels 8", 5),
        ("-cell 101 50 50 -Na 3 -distance 100 -pixel 1 -detpixels 8", 10),
    ],
)
def test_automatic_oversampling(line: str, expected: int) -> None:
    """Three times the largest crystal edge over the reciprocal pixel, rounded up, at least 1 (P3.8)."""
    sampling = built(line)
    assert sampling.oversample == expected
    assert sampling.automatic


@pytest.mark.parametrize("count", [0, -1])
def test_an_oversampling_of_zero_or_less_is_automatic(count: int) -> None:
    """A request made without a command line may hold such numbers (P3.8)."""
    request = parse(f"-default_F 1 {COARSE}".split())[0]
    sampling = experiment(dataclasses.replace(request, oversample=count)).sampling
    assert (sampling.oversample, sampling.automatic) == (16, True)


@pytest.mark.parametrize("line", ["-distance 1e-200", "-distance 1e-320", "-detector_roty 180"])
def test_numbers_that_do_not_fit_an_integer_end_as_one(line: str) -> None:
    """Overflow, infinity and a detector behind the sample give no sub-pixels (P3.8)."""
    assert built(f"{COARSE} {line}").oversample == 1


@pytest.mark.parametrize(("given", "warned"), [(15, True), (16, False), (17, False)])
def test_an_explicit_oversampling_is_kept(given: int, warned: bool, advice: Callable[[], str]) -> None:
    """One below the recommended 16 draws a warning that says so (P3.8, C4.10)."""
    sampling = built(f"{COARSE} -oversample {given}")
    assert (sampling.oversample, sampling.automatic) == (given, False)
    expected = f"-oversample {given}: intensity may vary a lot across a pixel, -oversample 16 is recommended"
    assert (expected in advice().splitlines()) is warned


# terms


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ("-oversample 1", 1),
        ("-oversample 3", 9),
        ("-oversample 1 -divergence 1 -divsteps 3", 5),
        ("-oversample 1 -dispersion 1 -dispsteps 3", 3),
        ("-oversample 1 -phisteps 7", 7),
        ("-oversample 1 -mosaic 1 -mosaic_dom 11", 11),
        ("-oversample 3 -divergence 1 -divsteps 3 -dispersion 1 -phisteps 7 -mosaic 1 -mosaic_dom 11", 6930),
        ("-oversample 3 -detector_thick 300 -detector_abs 200 -thicksteps 4", 9),
    ],
)
def test_number_of_terms(options: str, steps: int) -> None:
    """Sources times domains times phi steps times sub-pixels; sensor layers are left out (P4.4)."""
    assert built(f"{COARSE} -N 1 {options}").steps == steps


def test_more_terms_than_32_bits_are_an_error() -> None:
    """46340 squared fits, 46341 squared does not (P4.4, C8.4)."""
    assert built(f"{COARSE} -oversample 46340").steps == 2147395600
    with pytest.raises(UsageError, match="2147488281 terms per pixel .* at most 2147483647"):
        built(f"{COARSE} -oversample 46341")


@pytest.mark.parametrize("name", ["thick", "polar", "omega"])
def test_each_per_subpixel_switch_is_its_own(name: str) -> None:
    """Exactly the factor that the user named is taken per sub-pixel (C3.97 to C3.99)."""
    sampling = built(f"{COARSE} -oversample_{name} -oversample 1")
    switches = {
        "thick": sampling.per_subpixel_thick,
        "polar": sampling.per_subpixel_polar,
        "omega": sampling.per_subpixel_omega,
    }
    assert [switch for switch, on in switches.items() if on] == [name]


# resolution cut


def test_a_resolution_limit_cuts() -> None:
    """1.7 Angstrom in metres; without the option, or with 0, nothing is cut (P1.2, C3.101)."""
    limited = built(f"{COARSE} -dmin 1.7")
    assert limited.cut
    assert float(limited.dmin_m) == 1.7 * 1e-10
    assert not built(COARSE).cut
    assert not built(f"{COARSE} -dmin 0").cut


# background


def test_bits_of_the_background() -> None:
    """The product of P6.2 in plain floats has the same bits (P0.2)."""
    sampling = built(f"{COARSE} -water 37 -fluence 3.1e23")
    w, flu, re2, avogadro = 37 / 1e6, 3.1e23, 7.94079248018965e-30, 6.02214179e23
    assert float(sampling.background) == 2.57 * 2.57 * re2 * flu * w * w * w * 1e6 * avogadro / 18.0
    assert float(sampling.water_m) == w


def test_the_background_is_that_of_the_historical_image() -> None:
    """Scaled as P6.11 says it gives the pixel of the check value V12 (P10.1, HD-BKG-1 and 2)."""
    sampling = built(
        "-cell 70 80 90 75 85 95 -misset 10 20 30 -N 5 -distance 100 -detpixels 8 -pixel 1 -lambda 1.1"
        " -fluence 1e24 -water 50 -oversample 2"
    )
    (photons,) = struct.unpack(">f", bytes.fromhex("422de889"))
    solid_angle = (1.0 / 100.0) ** 2
    expected = 7.94079248018965e-30 * 1e24 * float(sampling.background) / sampling.steps * solid_angle
    # obliquity, air path and polarization of a pixel at 3 mm of 100 mm take less than a percent away
    assert photons == pytest.approx(expected, rel=0.01)
    assert sampling.steps == 4


@pytest.mark.parametrize("fluence", ["1e20", "1e29"])
def test_the_corrected_background_is_free_of_the_fluence(fluence: str) -> None:
    """Scaled once, with the image: B of P8.4 in plain floats has the same bits (HD-BKG-1)."""
    sampling = built(f"{COARSE} -water 37 -fluence {fluence} -physics corrected")
    w = 37 / 1e6
    assert float(sampling.background) == 2.57 * 2.57 * w * w * w * 1e6 * 6.02214179e23 / 18.0


@pytest.mark.parametrize(("line", "water"), [("", False), ("-water 0", False), ("-water 1", True)])
def test_water_is_off_without_a_path(line: str, water: bool) -> None:
    """No path means no background (P6.2, C3.102)."""
    sampling = built(f"{COARSE} {line}")
    assert sampling.water is water
    assert (float(sampling.background) > 0) is water


def test_the_background_follows_the_cube_of_the_path() -> None:
    """Its slope with the path is three times the value over the path, and linear in the fluence (P6.2)."""
    fluence, path = scalar(1e24).requires_grad_(), scalar(5e-5).requires_grad_()
    value = background(fluence, path, corrected=False)
    to_fluence, to_path = torch.autograd.grad(value, (fluence, path))
    assert float(to_fluence) * 1e24 == pytest.approx(value.item(), rel=1e-14)
    assert float(to_path) * 5e-5 == pytest.approx(3 * value.item(), rel=1e-14)
