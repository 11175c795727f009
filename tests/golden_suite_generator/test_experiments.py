"""The embedded experiments: pinned inputs, and the crystallography of ``cro`` checked independently."""

import hashlib
import importlib.util
import math
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENTS = ROOT / "golden_suite_generator" / "experiments"
CRO = EXPERIMENTS / "cro"
CELL_A = np.array([34.77, 39.17, 48.31])
D_MIN_A = 1.065
WAVELENGTH_A = 0.9768

# P 21 21 21, International Tables vol. A, no. 19: signs of x, y, z and translation of each operator.
OPERATORS = (
    ((1, 1, 1), (0.0, 0.0, 0.0)),
    ((-1, -1, 1), (0.5, 0.0, 0.5)),
    ((-1, 1, -1), (0.0, 0.5, 0.5)),
    ((1, -1, -1), (0.5, 0.5, 0.0)),
)

# a1..a4, b1..b4, c of f(s) = c + sum a exp(-b s^2), s = sin(theta)/lambda in 1/Angstrom.
# International Tables vol. C, table 6.1.1.4.
FORM_FACTORS = {
    "C": (2.31, 1.02, 1.5886, 0.865, 20.8439, 10.2075, 0.5687, 51.6512, 0.2156),
    "N": (12.2126, 3.1322, 2.0125, 1.1663, 0.0057, 9.8933, 28.9975, 0.5826, -11.529),
    "O": (3.0485, 2.2868, 1.5463, 0.867, 13.2771, 5.7011, 0.3239, 32.9089, 0.2508),
    "S": (6.9053, 5.2034, 1.4379, 1.5863, 1.4679, 22.2151, 0.2536, 56.172, 0.8669),
}

Array = npt.NDArray[np.float64]
Table = npt.NDArray[np.float64]  # |F| at [h, k, l], negative indices from the end; NaN where not listed


def description(path: Path) -> dict[str, Any]:
    """Read an experiment file."""
    return tomllib.loads(path.read_text())


def inputs_folder(path: Path) -> Path:
    """Find the folder of the inputs: fixed beside the description, or named by an environment variable."""
    experiment = description(path)
    if "inputs_dir" in experiment:
        return EXPERIMENTS / str(experiment["inputs_dir"])
    return ROOT / os.environ.get(str(experiment["inputs_dir_env"]), str(experiment["inputs_dir_default"]))


def value_of(flag: str) -> Array:
    """Find the numbers that follow ``flag`` on the command line of ``cro``."""
    args: list[str] = description(EXPERIMENTS / "cro.toml")["args"]
    numbers = []
    for text in args[args.index(flag) + 1 :]:
        if text.startswith("-") and not text[1:2].isdigit():
            break
        numbers.append(float(text))
    return np.array(numbers)


@pytest.fixture(scope="module")
def records() -> Array:
    """Read the records h, k, l, F of cro.hkl, shape (n, 4)."""
    return np.loadtxt(CRO / "cro.hkl")


@pytest.fixture(scope="module")
def table(records: Array) -> Table:
    """Turn the list into a lookup table."""
    filled = np.full((65, 73, 91), np.nan)
    h, k, l_ = records[:, :3].astype(int).T
    filled[h, k, l_] = records[:, 3]
    return filled


@pytest.fixture(scope="module")
def reciprocal() -> Array:
    """Columns a*, b*, c* of cro.mat in 1/Angstrom."""
    return np.asarray(np.loadtxt(CRO / "cro.mat") / WAVELENGTH_A, dtype=np.float64)


@pytest.mark.parametrize("path", sorted(EXPERIMENTS.glob("*.toml")), ids=lambda path: path.stem)
def test_inputs_have_the_pinned_hash(path: Path) -> None:
    """Every input file of an experiment is the one its description pins."""
    folder = inputs_folder(path)
    if path.stem != "cro" and not folder.is_dir():
        pytest.skip(f"the inputs of {path.stem} are not part of the repository and not on this machine")
    for entry in description(path)["inputs"]:
        found = hashlib.sha256((folder / entry["name"]).read_bytes()).hexdigest()
        assert found == entry["sha256"], entry["name"]


def test_arguments_name_the_inputs_without_a_folder() -> None:
    """The command line works in a folder that holds just the inputs."""
    experiment = description(EXPERIMENTS / "cro.toml")
    assert {entry["name"] for entry in experiment["inputs"]} == {"cro.hkl", "cro.mat"}
    args = experiment["args"]
    assert (args[args.index("-mat") + 1], args[args.index("-hkl") + 1]) == ("cro.mat", "cro.hkl")


def test_matrix_holds_the_deposited_cell(reciprocal: Array) -> None:
    """The direct cell of the matrix is the CRYST1 record: right-handed, 34.77 39.17 48.31 90 90 90."""
    a, b, c = np.linalg.inv(reciprocal)
    lengths = [math.sqrt(v @ v) for v in (a, b, c)]
    np.testing.assert_allclose(lengths, CELL_A, atol=1e-6)
    cosines = [u @ v / math.sqrt((u @ u) * (v @ v)) for u, v in ((b, c), (a, c), (a, b))]
    np.testing.assert_allclose(cosines, 0, atol=1e-8)
    assert a @ np.cross(b, c) > 0


def test_matrix_is_the_stated_rotation(reciprocal: Array) -> None:
    """Turning back by 44, 30, 20 degrees about z, y, x puts a*, b*, c* along the laboratory axes."""
    for axis, angle_deg in ((2, -44), (1, -30), (0, -20)):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
        x, y = reciprocal[first], reciprocal[second]
        turned = reciprocal.copy()
        turned[first], turned[second] = c * x - s * y, s * x + c * y
        reciprocal = turned
    np.testing.assert_allclose(reciprocal, np.diag(1 / CELL_A), atol=1e-11)


def test_friedel_mates_are_equal(records: Array, table: Table) -> None:
    """|F(-h -k -l)| = |F(h k l)|: no anomalous scattering is in the list."""
    h, k, l_ = records[:, :3].astype(int).T
    np.testing.assert_array_equal(table[-h, -k, -l_], records[:, 3])


@pytest.mark.parametrize("signs", [signs for signs, _ in OPERATORS])
def test_symmetry_equivalents_are_equal(records: Array, table: Table, signs: tuple[int, int, int]) -> None:
    """The point group of the crystal, 222, is the symmetry of the list."""
    h, k, l_ = (records[:, :3].astype(int) * np.array(signs)).T
    np.testing.assert_array_equal(table[h, k, l_], records[:, 3])


def test_list_is_complete_and_free_of_screw_axis_absences(records: Array) -> None:
    """Listed are the nodes down to 1.065 Angstrom, once each, without 0 0 0 and odd h00, 0k0, 00l."""
    h, k, l_ = np.meshgrid(*(np.arange(-n, n + 1) for n in (33, 37, 46)), indexing="ij")
    inverse_d2 = (h / CELL_A[0]) ** 2 + (k / CELL_A[1]) ** 2 + (l_ / CELL_A[2]) ** 2
    on_axis = ((h == 0).astype(int) + (k == 0) + (l_ == 0)) >= 2
    absent = on_axis & ((h + k + l_) % 2 == 1)  # on an axis the sum is the one index that is not 0
    wanted = (inverse_d2 > 0) & (inverse_d2 <= D_MIN_A**-2) & ~absent
    expected = np.column_stack([h[wanted], k[wanted], l_[wanted]])
    np.testing.assert_array_equal(records[:, :3], expected)


def scattering_vector(x: float, y: float) -> Array:
    """Scattering vector in 1/Angstrom, shape (3,), ``x`` fast and ``y`` slow pixels from the corner."""
    fast, slow, normal, beam = (
        value_of(f) / np.linalg.norm(value_of(f))
        for f in ("-fdet_vector", "-sdet_vector", "-odet_vector", "-beam_vector")
    )
    origin = value_of("-distance") * normal - value_of("-Xbeam") * fast - value_of("-Ybeam") * slow
    point = origin + value_of("-pixel") * (x * fast + y * slow)
    return np.asarray((point / np.linalg.norm(point) - beam) / WAVELENGTH_A, dtype=np.float64)


def test_region_of_interest_holds_a_reflection(reciprocal: Array) -> None:
    """Pixel 119 fast, 135 slow looks at node -7 33 1 within the width of the spot, about 1/N on each axis."""
    off_node = np.linalg.solve(reciprocal, scattering_vector(119.5, 135.5)) - (-7, 33, 1)
    assert np.all(np.abs(off_node) < 1 / np.array([43, 38, 31]))


def test_list_reaches_every_node_the_detector_asks_for() -> None:
    """The node nearest to the highest-angle corner is listed: no pixel is dark for want of data."""
    corners = [scattering_vector(x, y) for x in (0, 2463) for y in (0, 2527)]
    s_inv_A = max(math.sqrt(s @ s) for s in corners)
    assert 1 / s_inv_A == pytest.approx(1.0926, abs=1e-4)
    half_diagonal = 0.5 * math.sqrt(sum(CELL_A**-2))
    assert 1 / (s_inv_A + half_diagonal) > D_MIN_A


def amplitude_by_explicit_sum(h: Array) -> float:
    """|F| in electrons of the atoms of 1orc.pdb at index ``h``, shape (3,), atom by atom."""
    s2 = float(sum((h / CELL_A) ** 2)) / 4
    total = 0j
    for line in (CRO / "1orc.pdb").read_text().splitlines():
        if not line.startswith(("ATOM", "HETATM")):
            continue
        x = np.array([float(line[start : start + 8]) for start in (30, 38, 46)]) / CELL_A
        occupancy, b_A2 = float(line[54:60]), float(line[60:66])
        *ab, c = FORM_FACTORS[line[76:78].strip()]
        f = c + sum(a * math.exp(-b * s2) for a, b in zip(ab[:4], ab[4:], strict=True))
        for signs, shift in OPERATORS:
            phase = 2 * math.pi * float(h @ (np.array(signs) * x + np.array(shift)))
            total += occupancy * f * math.exp(-b_A2 * s2) * complex(math.cos(phase), math.sin(phase))
    return abs(total)


@pytest.mark.parametrize("index", [(20, 15, 10), (7, 30, 3), (-3, 8, 40), (-7, 33, 1), (25, 0, 12)])
def test_amplitude_is_that_of_the_deposited_atoms(table: Table, index: tuple[int, int, int]) -> None:
    """At high angle, where the bulk solvent has faded, F is the sum over the atoms, in electrons."""
    assert table[index] == pytest.approx(amplitude_by_explicit_sum(np.array(index, dtype=float)), abs=0.02)


def test_bulk_solvent_weakens_the_innermost_reflections(table: Table) -> None:
    """Solvent fills the space between the molecules, which lowers the contrast at low angle."""
    inner = [(1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1), (0, 0, 2), (0, 2, 0), (2, 0, 0)]
    ours = sum(table[index] for index in inner)
    assert ours < 0.6 * sum(amplitude_by_explicit_sum(np.array(index, dtype=float)) for index in inner)


@pytest.mark.skipif(importlib.util.find_spec("gemmi") is None, reason="gemmi makes the files; not installed")
def test_generator_makes_the_committed_files() -> None:
    """Made again from the coordinates, both files have the pinned hashes."""
    command = [sys.executable, str(EXPERIMENTS / "make_cro.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
