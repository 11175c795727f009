"""The files of crystallographers as lists in P1: MTZ, CIF, mmCIF and PDB (F2.8).

gemmi reads the files and knows the space groups. It is an optional dependency,
imported where such a file is read and nowhere else: text lists need none of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.coordinates import Model, calculated, read_model, size_A
from nanobrag_torch.formats.hkl import Amplitudes, Indices
from nanobrag_torch.formats.input_file import BYTE_ORDER_MARK, reason, shortened
from nanobrag_torch.formats.recognise import Kind
from nanobrag_torch.formats.reflections import Reflections, read_cif, read_mtz
from nanobrag_torch.formats.symmetry import p1_list, warn_of_other_lattice
from nanobrag_torch.formats.unit_cell import CellConstants


class CrystallographicFile:
    """A file that was read, and is turned into a list once the cell of the run is known.

    ``column`` names the amplitudes of a file of reflections, None if there is but one. Raises:
    InputFileError. Source: F2.8.
    """

    def __init__(self, path: str, content: bytes, kind: Kind, column: str | None) -> None:
        self.path, self.kind = path, kind
        try:
            import gemmi  # noqa: F401 - only to see whether it is there
        except ImportError:
            raise InputFileError(
                f"{path}: is {kind.value}, which takes gemmi to read: pip install gemmi"
            ) from None
        content = content.removeprefix(BYTE_ORDER_MARK)
        self._held: Reflections | Model
        with _gemmi_at_work(path, kind):
            if kind is Kind.MTZ:
                self._held = read_mtz(path, content, column)
            elif kind.has_columns:
                self._held = read_cif(path, content, kind, column)
            else:
                self._held = read_model(path, content, kind)

    @property
    def cell(self) -> CellConstants | None:
        """The unit cell of the file, None if it has none or a dummy."""
        return self._held.cell

    def lacks_cell(self) -> InputFileError:
        """The error where neither the file nor the user gives a cell; it says how to give one."""
        if isinstance(self._held, Reflections):
            return InputFileError(f"{self.path}: has no unit cell: expected -cell or -mat, got neither")
        sizes = " x ".join(f"{size:.0f}" for size in size_A(self._held))
        return InputFileError(
            f"{self.path}: has no unit cell: expected -cell, the box to place the model in,"
            f" larger than its {sizes} Angstrom by the room it shall have around it"
        )

    def listed(self, dmin_m: float, box: CellConstants) -> tuple[Indices, Amplitudes]:
        """Miller indices, shape (records, 3), and F, shape (records,), of P1 with Friedel mates.

        Amplitudes of reflections are taken as they are. Coordinates give structure factors in
        electrons per unit cell, to the spacing ``dmin_m`` inclusive; those without a cell stand in
        ``box``. Equivalents that the file itself repeats are repeated here, in its order.
        """
        with _gemmi_at_work(self.path, self.kind):
            if isinstance(self._held, Reflections):
                records = self._held.records
                warn_of_other_lattice(self.path, records.symmetry, self._held.cell or box)
            else:
                records = calculated(self._held, self.kind, dmin_m, box)
            return p1_list(self.path, records)


@contextmanager
def _gemmi_at_work(path: str, kind: Kind) -> Iterator[None]:
    """Turn what gemmi raises about a file into an InputFileError of one line.

    It may raise any of these wherever something is asked of a corrupt file.
    """
    try:
        yield
    except (RuntimeError, ValueError, TypeError, LookupError, OSError, MemoryError) as error:
        said = " ".join(re.sub(r"(: )?/proc/self/fd/[0-9]+", "", reason(error)).split())
        raise InputFileError(f"{path}: cannot be read as {kind.value}: {shortened(said)}") from None
