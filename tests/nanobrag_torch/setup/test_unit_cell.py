"""The cell of the run against that of the file of structure factors (C4.17, F2.8)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import torch

from nanobrag_torch.advice import NanoBragNote
from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.command_line.required_input import MissingInputError
from nanobrag_torch.errors import InputFileError
from nanobrag_torch.render.image import render
from nanobrag_torch.setup.build import experiment
from nanobrag_torch.setup.crystal import crystal as crystal_of
from nanobrag_torch.setup.experiment import Crystal, scalar

CELL = "CRYST1   40.000   50.000   60.000  90.00  95.00  90.00 P 1           1\n"
ATOM = "HETATM    1  C   LIG A   1       1.000   2.000   3.000  1.00 10.00           C\n"
SMALL = "-N 3 -dmin 6 -detpixels 8 -pixel 1 -oversample 1"


@pytest.fixture
def pdb(empty_folder: Path) -> str:
    """A model of one atom with a cell."""
    (empty_folder / "x.pdb").write_text(CELL + ATOM)
    return "x.pdb"


def crystal(options: str) -> Crystal:
    """The crystal of a command line."""
    request = parse(f"{SMALL} {options}".split())[0]
    return crystal_of(request, scalar(request.wavelength_m))


def numbers(made: Crystal) -> list[float]:
    """Every vector of a crystal."""
    vectors = (made.a_m, made.b_m, made.c_m, made.a_star_inv_A, made.b_star_inv_A, made.c_star_inv_A)
    return [float(x) for vector in vectors for x in vector]


def of_the_file(said: Iterable[str]) -> list[str]:
    """Without what is said of the angles in force, which P3.1 bends (HD-XTL-4)."""
    return [line for line in said if "HD-XTL-4" not in line]


@pytest.mark.parametrize("turn", ["", "-misset 10 20 30", "-misset random -misset_seed 5"])
def test_without_a_cell_that_of_the_file_is_used(turn: str, pdb: str, advice: Callable[[], str]) -> None:
    """As if the user had said it, bit for bit, and he is told."""
    own = numbers(crystal(f"-hkl {pdb} {turn}"))
    assert of_the_file(advice().splitlines()) == [
        "x.pdb: the unit cell is that of this file, 40 50 60 90 95 90"
    ]
    assert own == numbers(crystal(f"-hkl {pdb} {turn} -cell 40 50 60 90 95 90"))
    assert len(of_the_file(advice().splitlines())) == 1


def test_that_the_cell_is_the_file_s_is_a_note(pdb: str, recwarn: pytest.WarningsRecorder) -> None:
    """Nothing else can be meant."""
    crystal(f"-hkl {pdb}")
    assert [said.category for said in recwarn if of_the_file([str(said.message)])] == [NanoBragNote]


@pytest.mark.parametrize(
    ("cell", "warned"),
    [
        ("40.3 49.6 60.4 90 95.8 90", False),
        ("40.5 50 60 90 95 90", True),
        ("40 49.4 60 90 95 90", True),
        ("40 50 60 90 96.2 90", True),
        ("50 40 60 90 95 90", True),
        ("40", True),
    ],
)
def test_a_cell_that_differs_is_a_warning(
    cell: str, warned: bool, pdb: str, recwarn: pytest.WarningsRecorder
) -> None:
    """By more than 1 % or 1 degree, or in another order; with both cells."""
    crystal(f"-hkl {pdb} -cell {cell}")
    found = [said for said in recwarn if of_the_file([str(said.message)])]
    assert len(found) == warned
    for said in found:
        assert not issubclass(said.category, NanoBragNote)
        assert "x.pdb: has the unit cell 40 50 60 90 95 90, but that of -cell is " in str(said.message)


@pytest.mark.parametrize(("wavelength", "warned"), [("1", False), ("1.005", False), ("1.02", True)])
def test_a_matrix_is_compared_at_the_wavelength(
    wavelength: str, warned: bool, empty_folder: Path, advice: Callable[[], str]
) -> None:
    """Its numbers are lambda times the reciprocal vectors: here 40 50 80 at 1 Angstrom, turned about z."""
    straight = CELL.replace("60.000  90.00  95.00", "80.000  90.00  90.00")
    (empty_folder / "x.pdb").write_text(straight + ATOM)
    (empty_folder / "x.mat").write_text("0 -0.02 0\n0.025 0 0\n0 0 0.0125\n")
    crystal(f"-hkl x.pdb -mat x.mat -lambda {wavelength}")
    said = advice()
    assert bool(said) == warned
    if warned:
        assert "but that of -mat is 40.8 51 81.6 90 90 90: " in said


def test_a_model_in_a_box_takes_the_cell_of_a_matrix(empty_folder: Path, advice: Callable[[], str]) -> None:
    """Where there is no -cell (F2.8)."""
    (empty_folder / "x.pdb").write_text(ATOM)
    (empty_folder / "x.mat").write_text("0 -0.02 0\n0.025 0 0\n0 0 0.0125\n")
    made = crystal("-hkl x.pdb -mat x.mat -lambda 1")
    assert "the model stands in P 1 in the cell of the run, 40 50 80 90 90 90" in advice()
    # 50/6 = 8.3: the farthest index along b within -dmin
    assert made.structure_factors.lowest[1] == -8


def test_nobody_gives_a_cell(empty_folder: Path) -> None:
    """What lacks it, and how to give one."""
    (empty_folder / "x.pdb").write_text(ATOM)
    (empty_folder / "x.hkl").write_text("1 0 0 5\n")
    (empty_folder / "x.cif").write_text(
        "data_x\n_symmetry.space_group_name_H-M 'P 1'\n"
        "loop_\n_refln.index_h\n_refln.index_k\n_refln.index_l\n_refln.F_calc\n1 2 3 4\n"
    )
    with pytest.raises(InputFileError, match="^x.pdb: has no unit cell: expected -cell, the box"):
        crystal("-hkl x.pdb")
    with pytest.raises(InputFileError, match="^x.cif: has no unit cell: expected -cell or -mat"):
        crystal("-hkl x.cif")
    with pytest.raises(MissingInputError, match="a crystal cell .* which the text list x.hkl lacks$"):
        crystal("-hkl x.hkl")


def test_a_cell_with_gradients_beside_a_file(pdb: str) -> None:
    """Comparing it takes nothing from its gradient."""
    request = parse(f"{SMALL} -hkl {pdb} -cell 40 50 60 90 95 90 -interpolate".split())[0]
    assert request.cell is not None
    a = torch.tensor(40.0, dtype=torch.float64, requires_grad=True)
    render(experiment(dataclasses.replace(request, cell=(a, *request.cell[1:])))).image.sum().backward()
    assert a.grad is not None and float(a.grad) != 0
