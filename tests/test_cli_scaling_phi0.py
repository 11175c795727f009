"""The simulator's command line at phi = 0: the axes and indices of the first step are those of the matrix.

A step at exactly phi = 0 is where the historical program goes wrong (C-PARITY-001), so these few numbers
are checked first, against figures of the historical program's first pixel and against the matrix itself.
"""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nanobrag_torch.__main__ import main

ROOT = Path(__file__).resolve().parents[1]
CRO = ROOT / "golden_suite_generator" / "experiments" / "cro"
MOSFLM_100_MM = ("-mosflm", "-distance", "100", "-detpixels", "2124", "-pixel", "0.1")
Trace = Callable[..., dict[str, list[float]]]
TEN_STEPS_FROM_ZERO = ("-phi", "0", "-osc", "0.1", "-phisteps", "10", "-spindle_axis", "-1", "0", "0")


@pytest.fixture
def supervisor_matrix() -> Path:
    """The matrix of the real-data experiment; it belongs to its users and is not in the repository."""
    folder = Path(os.environ.get("NB_SUPERVISOR_DIR") or ROOT / ".." / "shared" / "supervisor").resolve()
    if not (folder / "A.mat").is_file():
        pytest.skip(f"no file {folder / 'A.mat'}: set NB_SUPERVISOR_DIR to the folder of the supervisor data")
    return folder / "A.mat"


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Trace:
    """Return the traced values of a pixel at its first step; the pixel before it is rendered, too.

    The pixel before it matters: the historical defect shows from the second pixel of a render on.
    """
    monkeypatch.chdir(tmp_path)

    def run(matrix: Path, slow: int, fast: int, *flags: str) -> dict[str, list[float]]:
        region = ("-roi", str(fast - 1), str(fast), str(slow), str(slow))
        crystal = ("-mat", str(matrix), "-lambda", "0.9768", "-default_F", "1", "-N", "5", "-nointerpolate")
        outputs = ("-nonoise", "-nopgm", "-noprogress")
        status = main([*crystal, *flags, *region, *outputs, "-trace_pixel", str(slow), str(fast)])
        printed = capsys.readouterr()
        assert status == 0, printed.err
        rows = (line.split()[1:] for line in printed.out.splitlines() if line.startswith("TRACE_C:"))
        return {row[0]: [float(word) for word in row[1:]] for row in rows}

    return run


class TestCLIScalingPhi0:
    def test_rot_b_matches_c(self, trace: Trace, supervisor_matrix: Path) -> None:
        """The y component of b at phi = 0 is the one the C program prints for the supervisor matrix."""
        traced = trace(supervisor_matrix, 685, 1039, *MOSFLM_100_MM, *TEN_STEPS_FROM_ZERO)
        assert traced["rot_b_angstroms"][1] == pytest.approx(0.7173200, rel=1e-6)

    def test_k_frac_phi0_matches_c(self, trace: Trace, supervisor_matrix: Path) -> None:
        """The fractional k of one pixel is the one the C program prints, MOSFLM at 100 mm."""
        traced = trace(supervisor_matrix, 685, 1039, *MOSFLM_100_MM)
        assert traced["hkl_frac"][1] == pytest.approx(1.6756679, abs=1e-6)

    def test_axes_of_cro_are_the_inverse_of_its_matrix(self, trace: Trace) -> None:
        """Reciprocal and direct axes belong together, whatever was computed for the pixel before."""
        matrix = CRO / "cro.mat"
        traced = trace(matrix, 685, 1039, *MOSFLM_100_MM, *TEN_STEPS_FROM_ZERO)
        # A MOSFLM matrix holds the reciprocal axes times the wavelength as columns; the laboratory of
        # the program has x along the beam, as MOSFLM's has.
        reciprocal_inv_A = np.loadtxt(matrix) / 0.9768
        direct_A = np.linalg.inv(reciprocal_inv_A)
        for row, name in zip(direct_A, "abc", strict=True):
            assert traced[f"rot_{name}_angstroms"] == pytest.approx(row, abs=1e-9)
