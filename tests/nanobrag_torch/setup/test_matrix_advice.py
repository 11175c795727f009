"""Where a matrix file contradicts the run, or itself (F4.2 to F4.4)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nanobrag_torch.advice import NanoBragWarning
from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.setup.crystal import crystal
from nanobrag_torch.setup.experiment import scalar
from nanobrag_torch.setup.matrix_advice import cell_of

CELL = (61.0, 72.0, 83.0, 80.0, 95.0, 105.0)
WAVELENGTH_A = 1.5
TURN = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))[0]
TURN *= np.sign(np.linalg.det(TURN))


def direct_vectors(cell: tuple[float, ...]) -> np.ndarray:
    """The rows a, b, c of a cell, a along x, by the textbook (International Tables B, 3.3.1)."""
    a, b, c, *degrees = cell
    cos_al, cos_be, cos_ga = np.cos(np.radians(degrees))
    sin_ga = np.sin(np.radians(degrees[2]))
    y = (cos_al - cos_be * cos_ga) / sin_ga
    return np.array(
        [[a, 0, 0], [b * cos_ga, b * sin_ga, 0], [c * cos_be, c * y, c * np.sqrt(1 - cos_be**2 - y**2)]]
    )


def file_of(
    stated: tuple[float, ...] = CELL, missets: str = "0.000 0.000 0.000", last: str = "0 0 0", sign: float = 1
) -> str:
    """A file as MOSFLM writes it, for ``CELL`` and 1.5 Angstrom, that states another cell or missets."""
    star = WAVELENGTH_A * np.linalg.inv(direct_vectors(CELL)).T @ TURN.T
    star[2] *= sign
    rows = "\n".join(" ".join(f"{x:12.8f}" for x in row) for row in star.T)
    turn = "\n".join(" ".join(f"{x:10.7f}" for x in row) for row in TURN)
    return f"{rows}\n{missets}\n{turn}\n{' '.join(f'{x:.4f}' for x in stated)}\n{last}\n"


@pytest.fixture
def built(empty_folder: Path) -> Callable[[str, str], str]:
    """Build the crystal of a matrix file and a command line; what was said, a line each with its level."""

    def build(content: str, line: str = "") -> str:
        (empty_folder / "A.mat").write_text(content)
        request = parse(f"-mat A.mat -default_F 1 {line}".split())[0]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            crystal(request, scalar(request.wavelength_m))
        said = [entry.message for entry in caught if isinstance(entry.message, NanoBragWarning)]
        return "\n".join(f"{piece.level} {piece}" for piece in said)

    return build


Built = Callable[..., str]


def test_a_file_at_its_wavelength_is_read_in_silence(built: Built) -> None:
    """The cell follows from the eight digits of the matrix (F4.3)."""
    assert built(file_of(), "-lambda 1.5") == ""
    assert built(file_of(), "-lambda 1.5 -cell 61 72 83 80 95 105") == ""
    assert built(file_of(), "-lambda 1.4993") == ""


def test_the_cell_of_nine_numbers() -> None:
    """Against vectors of the textbook, turned at random (F4.1)."""
    numbers = tuple(float(x) for x in file_of().split()[:9])
    assert len(numbers) == 9
    assert cell_of(numbers, WAVELENGTH_A) == pytest.approx(CELL, rel=1e-6)


@pytest.mark.parametrize(("wavelength", "edge"), [("1", "40.6667 48 55.3333"), ("1.4977", "60.9065")])
def test_a_matrix_for_another_wavelength(wavelength: str, edge: str, built: Built) -> None:
    """Both cells, and the wavelength for which the file was made (F4.3)."""
    text = built(file_of(), f"-lambda {wavelength}")
    assert f"A.mat:8: the file states the cell 61 72 83 80 95 105, but its matrix gives {edge}" in text
    assert text.count("\n") == 0
    fitted = text.partition("the matrix was made for ")[2].partition(" Angstrom")[0]
    assert float(fitted) == pytest.approx(1.5, rel=1e-5)


@pytest.mark.parametrize(
    "stated", [(61, 72.1, 83, 80, 95, 105), (61, 72, 83, 80.2, 95, 105), (72, 61, 83, 80, 95, 105)]
)
def test_a_file_that_contradicts_itself(stated: tuple[float, ...], built: Built) -> None:
    """An edge, an angle, two edges exchanged: no other wavelength makes up for it (F4.3)."""
    text = built(file_of(stated), "-lambda 1.5")
    assert "A.mat:8: the file states the cell" in text
    assert "was made for" not in text


@pytest.mark.parametrize(
    ("missets", "last", "line", "angles"),
    [
        ("5.000 -3.000 2.000", "0 0 0", 4, "5 -3 2"),
        ("0 0 0", "0 0 0.25", 9, "0 0 0.25"),
        ("1 0 0", "1 0 0", 4, "1 0 0"),
    ],
)
def test_missetting_angles_of_the_file(missets: str, last: str, line: int, angles: str, built: Built) -> None:
    """MOSFLM applies them; silent where the user gives his own, even if they are 0 (F4.3)."""
    content = file_of(missets=missets, last=last)
    for option in ("-misset 0 0 0", "-misset random -misset_seed 1"):
        assert built(content, f"-lambda 1.5 {option}") == ""
    text = built(content, "-lambda 1.5")
    assert f"A.mat:{line}: the file has missetting angles {angles} degrees" in text
    assert text.endswith(f"-misset {angles}")


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("61 72 83 80 95 107", "61 72 83 80 95 107"),
        ("61 72 83", "61 72 83 90 90 90"),
        ("61 73 83 80 95 105", "61 73 83 80 95 105"),
        ("61", "61 61 61 90 90 90"),
    ],
)
def test_a_cell_beside_a_matrix_that_has_another(cell: str, shown: str, built: Built) -> None:
    """Missing constants are filled in as in C4.12; edges count and angles do not (F4.4)."""
    text = built(file_of(), f"-lambda 1.5 -cell {cell}")
    assert f"-cell {shown} beside A.mat, whose cell is 61 72 83 80 95 105: " in text
    angles_differ = shown.split()[3:] != ["80", "95", "105"]
    assert text.endswith("directions those of the matrix") == (not angles_differ)
    assert text.endswith("the angles of -cell are not used") == angles_differ


def test_a_cell_that_was_rounded_is_not_another(built: Built) -> None:
    """Within 1 percent and 1 degree (F4.4)."""
    assert built(file_of(), "-lambda 1.5 -cell 61.5 71.5 83.5 80.9 94.2 105.5") == ""


def test_a_left_handed_matrix(built: Built) -> None:
    """Said, and nothing else: the lengths are those of the file (F4.2)."""
    text = built(file_of(sign=-1, stated=(61, 72, 83, 100, 85, 105)), "-lambda 1.5")
    assert text.startswith("WARNING A.mat: the matrix is left-handed (determinant -") and "\n" not in text


def test_a_matrix_beyond_all_numbers_is_not_compared(built: Built) -> None:
    """Its edges have no value; what is said of them is an error of its own (C8.9)."""
    rest = file_of().partition("0.000 0.000 0.000")[2]
    assert built(f"1e200 0 0 0 1e-200 0 0 0 1\n0 0 0{rest}", "-lambda 1.5") == ""


def test_text_after_the_numbers_is_a_note(built: Built) -> None:
    """Not a warning: nothing in it is known to matter (F4.3)."""
    nine = "\n".join(file_of().split("\n")[:3])
    text = built(f"{nine}\n\nwritten by hand\n", "-lambda 1.5")
    assert text == "NOTE A.mat:5: everything after the nine numbers is ignored"


def test_nothing_that_is_said_changes_the_crystal(empty_folder: Path) -> None:
    """The vectors are those of the nine numbers alone (F4.1)."""
    found = []
    nine = "\n".join(file_of().split("\n")[:3])
    for content in (nine, file_of(), file_of(stated=(1, 2, 3, 90, 90, 90), missets="5 -3 2")):
        (empty_folder / "A.mat").write_text(content)
        xtal = crystal(parse("-mat A.mat -default_F 1 -lambda 1.5".split())[0], scalar(1.5e-10))
        found.append([float(x) for v in (xtal.a_m, xtal.b_m, xtal.c_m) for x in v])
    assert found[0] == found[1] == found[2]
