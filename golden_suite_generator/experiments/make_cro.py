"""Make the inputs of the experiment ``cro``: structure factors and orientation of a real protein crystal.

    python make_cro.py                        write cro/cro.hkl and cro/cro.mat
    python make_cro.py --check                make them elsewhere and compare with the hashes in cro.toml
    python make_cro.py --deposited 1orc.pdb   first cut cro/1orc.pdb out of a deposited entry

Exit status 1 if a file differs from its pinned hash. Needs gemmi and numpy; README.md says which versions
made the committed files and what the model contains.
"""

import argparse
import hashlib
import math
import sys
import tempfile
import tomllib
from importlib.metadata import version
from pathlib import Path

import gemmi
import numpy as np
import numpy.typing as npt

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "cro"
COORDINATES = FOLDER / "1orc.pdb"
COORDINATES_SHA256 = "2bf1ebd871c9530bc7dca1aea6261d1b5f73ed2ace876c1e44b11188112132d4"
DESCRIPTION = HERE / "cro.toml"

WAVELENGTH_A = 0.9768
D_MIN_A = 1.065  # the detector corner is at 1.0926 A, the nearest node of a corner pixel at most 1.067 A
ROTATION_DEG = (20.0, 30.0, 44.0)  # about the laboratory x, then y, then z axis
K_SOL_E_PER_A3 = 0.35
B_SOL_A2 = 46.0
MASK_GRID = (96, 108, 128)  # 0.37 A; more than twice the largest index, so no node is aliased onto another

Indices = npt.NDArray[np.int32]
Amplitudes = npt.NDArray[np.float64]


def coordinates_only(deposited: str) -> str:
    """Keep the CRYST1, ATOM and HETATM records of a PDB file, unchanged and in order."""
    kept = [line for line in deposited.splitlines() if line.startswith(("CRYST1", "ATOM  ", "HETATM"))]
    return "\n".join(kept) + "\n"


def read_structure(path: Path) -> gemmi.Structure:
    """Read the pinned model. Raises SystemExit if the file is not the one that was agreed."""
    found = sha256(path.read_bytes())
    if found != COORDINATES_SHA256:
        raise SystemExit(f"{path.name}: sha256 is {found}, expected {COORDINATES_SHA256}")
    return gemmi.read_pdb(str(path))


def space_group(structure: gemmi.Structure) -> gemmi.SpaceGroup:
    """Look up the space group of CRYST1. Raises SystemExit if gemmi does not know it."""
    found = structure.find_spacegroup()
    if found is None:
        raise SystemExit(f"unknown space group {structure.spacegroup_hm!r}")
    return found


def atomic_contribution(structure: gemmi.Structure, hkl: Indices) -> npt.NDArray[np.complex128]:
    """F of the deposited atoms, electrons per unit cell, by direct summation; ``hkl`` has shape (n, 3)."""
    calculator = gemmi.StructureFactorCalculatorX(structure.cell)
    model = structure[0]
    return np.array([calculator.calculate_sf_from_model(model, index) for index in hkl.tolist()])


def solvent_contribution(structure: gemmi.Structure, hkl: Indices) -> npt.NDArray[np.complex128]:
    """F of a flat bulk solvent, electrons per unit cell; ``hkl`` has shape (n, 3).

    The mask (1 in the solvent, 0 elsewhere) is transformed in binary64, so that the last printed decimal does
    not depend on the Fourier library.
    """
    grid = gemmi.FloatGrid(*MASK_GRID)
    grid.set_unit_cell(structure.cell)
    grid.spacegroup = space_group(structure)
    gemmi.SolventMasker(gemmi.AtomicRadiiSet.Cctbx).put_mask_on_float_grid(grid, structure[0])
    mask = np.array(grid, dtype=np.float64)
    transform = structure.cell.volume * np.fft.ifftn(mask)  # mean over the cell of mask * exp(+2 pi i h.x)
    of_mask = transform[hkl[:, 0], hkl[:, 1], hkl[:, 2]]
    d_A = structure.cell.calculate_d_array(hkl).astype(np.float64)
    return np.asarray(K_SOL_E_PER_A3 * np.exp(-B_SOL_A2 / (4 * d_A**2)) * of_mask, dtype=np.complex128)


def unique_amplitudes(structure: gemmi.Structure) -> tuple[Indices, Amplitudes]:
    """Compute |F| of one asymmetric unit down to ``D_MIN_A``, without 0 0 0 and systematic absences."""
    hkl = gemmi.make_miller_array(structure.cell, space_group(structure), D_MIN_A)
    return hkl, np.abs(atomic_contribution(structure, hkl) + solvent_contribution(structure, hkl))


def expand_to_p1(
    group: gemmi.SpaceGroup, hkl: Indices, amplitude: Amplitudes
) -> dict[tuple[int, ...], float]:
    """|F| of every symmetry equivalent and Friedel mate, keyed by index."""
    everything: dict[tuple[int, ...], float] = {}
    operations = group.operations().sym_ops
    for index, value in zip(hkl.tolist(), amplitude.tolist(), strict=True):
        for operation in operations:
            equivalent = tuple(operation.apply_to_hkl(index))
            everything[equivalent] = value
            everything[tuple(-i for i in equivalent)] = value
    return everything


def hkl_text(structure: gemmi.Structure) -> str:
    """Format the list nanoBragg reads: ``h k l F``, sorted by h, k, l, F in electrons with three decimals."""
    listed = expand_to_p1(space_group(structure), *unique_amplitudes(structure))
    return "".join(f"{h} {k} {l_} {listed[h, k, l_]:.3f}\n" for h, k, l_ in sorted(listed))


def rotation(x_deg: float, y_deg: float, z_deg: float) -> npt.NDArray[np.float64]:
    """Right-handed rotation about the laboratory x, then y, then z axis, shape (3, 3), for column vectors."""
    x, y, z = (math.radians(angle_deg) for angle_deg in (x_deg, y_deg, z_deg))
    cx, cy, cz = math.cos(x), math.cos(y), math.cos(z)
    sx, sy, sz = math.sin(x), math.sin(y), math.sin(z)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x, dtype=np.float64)


def matrix_text(cell: gemmi.UnitCell) -> str:
    """MOSFLM style: rows are the laboratory x, y, z components of a*, b*, c* times the wavelength.

    Before the rotation a*, b*, c* of the orthorhombic cell lie along x, y, z.
    """
    matrix = WAVELENGTH_A * rotation(*ROTATION_DEG) @ np.diag([1 / cell.a, 1 / cell.b, 1 / cell.c])
    return "".join(" ".join(f"{x:15.12f}" for x in row) + "\n" for row in matrix.tolist())


def write_inputs(folder: Path) -> list[Path]:
    """Write ``cro.hkl`` and ``cro.mat`` into ``folder``."""
    structure = read_structure(COORDINATES)
    texts = {"cro.hkl": hkl_text(structure), "cro.mat": matrix_text(structure.cell)}
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode("ascii"))
    return [folder / name for name in texts]


def sha256(data: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()


def agrees_with_pins(paths: list[Path]) -> bool:
    """Print one line per file; true if each has the hash that ``cro.toml`` states."""
    pinned = {entry["name"]: entry["sha256"] for entry in tomllib.loads(DESCRIPTION.read_text())["inputs"]}
    agree = True
    for path in paths:
        data = path.read_bytes()
        found = sha256(data)
        same = pinned.get(path.name) == found
        verdict = "as pinned" if same else f"DIFFERS, {DESCRIPTION.name} has {pinned.get(path.name)}"
        print(f"{path.name}  {len(data)} bytes  sha256 {found}  {verdict}")
        agree = agree and same
    return agree


def main(argv: list[str] | None = None) -> int:
    """Write or check the inputs; 0 if they have the pinned hashes, else 1."""
    parser = argparse.ArgumentParser(description="Make the inputs of the experiment cro.")
    parser.add_argument("--check", action="store_true", help="compare only, change nothing")
    parser.add_argument("--deposited", type=Path, metavar="FILE", help="PDB entry to cut cro/1orc.pdb from")
    chosen = parser.parse_args(argv)
    if chosen.check and chosen.deposited:
        parser.error("--check changes nothing, --deposited writes: choose one")
    if chosen.deposited:
        COORDINATES.write_bytes(coordinates_only(chosen.deposited.read_text()).encode("ascii"))
    print(f"gemmi {version('gemmi')}, numpy {np.__version__}")
    if not chosen.check:
        return 0 if agrees_with_pins(write_inputs(FOLDER)) else 1
    with tempfile.TemporaryDirectory() as folder:
        return 0 if agrees_with_pins(write_inputs(Path(folder))) else 1


if __name__ == "__main__":
    sys.exit(main())
