"""The pixel trace: its keys, its numbers, and that they are those of the image (C7)."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.errors import UsageError
from nanobrag_torch.setup.build import experiment
from nanobrag_torch.simulate import simulate
from nanobrag_torch.trace import check_trace

# C7, sample
SAMPLE = "-cell 100 100 100 90 90 90 -lambda 1 -distance 100 -detpixels 8 -default_F 100 -N 5 -oversample 1"
SAMPLE_VALUES = {
    "pix0_vector_meters": "0.1 0.0005 -0.0005",
    "pixel_pos_meters": "0.1 0.00015 5e-05",
    "R_distance_meters": "0.100000124999922",
    "omega_pixel_sr": "9.99996250011718e-07",
    "scattering_vec_A_inv": "-12499.976563829 14999981.2500351 4999993.75001172",
    "hkl_frac": "-0.000124999765638277 0.149999812500351 0.0499999375001172",
    "F_latt": "35.2016019518563",
    "I_before_scaling": "12391527.7997693",
    "polar": "0.999998750003125",
    "I_pixel_final": "12.3914658423723",
    "floatimage_accumulated": "12.3914661407471",
}
RAY_KEYS = (
    "pix0_vector_meters fdet_vec sdet_vec pixel_pos_meters R_distance_meters omega_pixel_sr "
    "close_distance_meters obliquity_factor diffracted_vec incident_vec lambda_meters lambda_angstroms "
    "scattering_vec_A_inv"
).split()
CELL_KEYS = (
    "rot_a_angstroms rot_b_angstroms rot_c_angstroms rot_a_star_A_inv rot_b_star_A_inv rot_c_star_A_inv "
    "hkl_frac hkl_rounded"
).split()
SQUARE_KEYS = "F_latt_a F_latt_b F_latt_c F_latt".split()
END_KEYS = (
    "I_before_scaling r_e_meters r_e_sqr fluence_photons_per_m2 steps oversample_thick oversample_polar "
    "oversample_omega capture_fraction polar omega_pixel cos_2theta I_pixel_final floatimage_accumulated"
).split()


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, options: str) -> list[str]:
    """Trace lines of a run in ``folder``, which also holds its float image afterwards."""
    monkeypatch.chdir(folder)
    out = io.StringIO()
    simulate(parse(f"{options} -nonoise -nopgm -noprogress".split())[0], out)
    return [line for line in out.getvalue().splitlines() if line.startswith("TRACE")]


def keys(lines: list[str]) -> list[str]:
    """The second word of each line, or the word of a spindle line."""
    return [line.split()[1] if line.startswith("TRACE_C:") else "phi" for line in lines]


def values(lines: list[str]) -> dict[str, str]:
    """The last line of each key."""
    return {line.split()[1]: line.split(maxsplit=2)[2] for line in lines if line.startswith("TRACE_C:")}


def test_sample_is_that_of_the_specification(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All 40 keys in order, and the values that the instrumented historical program printed."""
    lines = run(tmp_path, monkeypatch, f"{SAMPLE} -trace_pixel 3 5")
    assert keys(lines) == [*RAY_KEYS, *CELL_KEYS, *SQUARE_KEYS, "phi", "F_cell", *END_KEYS]
    traced = values(lines)
    for key, text in SAMPLE_VALUES.items():
        # 15 digits are printed; the last may show the last bit of a sine
        assert np.array(traced[key].split(), float) == pytest.approx(np.array(text.split(), float), rel=2e-15)


def test_rays_are_repeated_and_cells_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every layer and sub-pixel, first source only; one line per spindle step of the first domain."""
    options = (
        "-oversample 2 -detector_thick 9 -dispersion 1 -phi 1 -osc 1 -phisteps 3 -mosaic 1 -mosaic_dom 2"
    )
    lines = run(tmp_path, monkeypatch, f"{SAMPLE} {options} -trace_pixel 3 5")
    first = [*RAY_KEYS, *CELL_KEYS, *SQUARE_KEYS, "phi", "F_cell", "phi", "phi"]
    assert keys(lines) == first * (2 * 4) + END_KEYS


def test_other_shapes_have_no_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row factors exist for SQUARE only."""
    lines = run(tmp_path, monkeypatch, f"{SAMPLE} -round_xtal -trace_pixel 3 5")
    assert keys(lines) == [*RAY_KEYS, *CELL_KEYS, "F_cell", *END_KEYS]


def test_a_source_beyond_the_cut_ends_with_its_scattering_vector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The resolution cut leaves no term to show (P6.7)."""
    lines = run(tmp_path, monkeypatch, f"{SAMPLE} -dmin 1000 -trace_pixel 3 5")
    assert keys(lines) == [*RAY_KEYS, *END_KEYS]
    assert values(lines)["polar"] == "0"


@pytest.mark.parametrize(
    "options",
    [
        "-oversample 3 -oversample_omega -polar 0.9",
        "-dispersion 2 -divergence 1 -polar 1 -oversample_polar",
        "-detector_thick 100 -detector_abs 50 -detector_thicksteps 3 -phi -1 -osc 2 -phisteps 3",
        "-mosaic 1 -water 2 -tophat_spots",
        "-xds -curved_det -point_pixel -Na 1",
    ],
)
def test_the_last_line_is_the_stored_pixel(
    options: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the trace ends with is bit for bit what the image holds."""
    lines = run(tmp_path, monkeypatch, f"{SAMPLE} -detpixels 6 -pixel 1 {options} -trace_pixel 4 1")
    image = np.fromfile(tmp_path / "floatimage.bin", dtype=np.float32).reshape(6, 6)
    assert np.float32(values(lines)["floatimage_accumulated"]) == image[4, 1]


@pytest.mark.parametrize(("pixel", "interpolated"), [((0, 0), True), ((15, 15), False)])
def test_interpolation_is_traced_as_it_was(
    pixel: tuple[int, int], interpolated: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pixel after the end of interpolation shows the entry of the nearest node (HD-INT-1)."""
    span = range(-6, 7)
    records = {(h, k, l): 100 + 3 * h + 5 * k - 7 * l for h in span for k in span for l in span}
    text = "".join(f"{h} {k} {l} {F}\n" for (h, k, l), F in records.items())
    (tmp_path / "cubic.hkl").write_text(text)
    lines = run(
        tmp_path,
        monkeypatch,
        "-cell 20 20 20 90 90 90 -misset 10 20 30 -hkl cubic.hkl -interpolate -N 3 -lambda 1.1 -distance 120 "
        f"-detpixels 16 -pixel 3 -Xbeam 0 -Ybeam 16 -oversample 1 -trace_pixel {pixel[0]} {pixel[1]}",
    )
    traced = values(lines)
    node = records.get(tuple(map(int, traced["hkl_rounded"].split())), 0)  # type: ignore[call-overload]
    h, k, l = map(float, traced["hkl_frac"].split())
    # a cubic through values that are linear in the index is that line
    expected = 100 + 3 * h + 5 * k - 7 * l if interpolated else node
    assert float(traced["F_cell"]) == pytest.approx(expected, rel=1e-12)


def test_a_pixel_outside_the_image_is_refused() -> None:
    """The message names the pixel and what was expected."""
    built = experiment(parse(SAMPLE.split())[0])
    with pytest.raises(UsageError, match=r"-trace_pixel 8 0: outside the image, expected slow below 8"):
        check_trace((8, 0), built.detector)


def test_a_pixel_that_is_not_rendered_gives_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, advice: Callable[[], str]
) -> None:
    """Outside the region of interest there is nothing to trace, which is said."""
    assert run(tmp_path, monkeypatch, f"{SAMPLE} -roi 0 3 0 3 -trace_pixel 3 5") == []
    assert "-trace_pixel 3 5: masked or outside the region of interest" in advice()
