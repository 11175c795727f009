"""The table of structure factors: from a file, from the cache, or one default for all (P3.9, P3.10)."""

from __future__ import annotations

import os
from datetime import datetime

import numpy as np
import torch

from nanobrag_torch.advice import note, warn
from nanobrag_torch.command_line.request import Request
from nanobrag_torch.command_line.required_input import DEFAULT_CACHE, cache_can_be_opened, missing_cell
from nanobrag_torch.errors import NanoBragError, OutputFileError
from nanobrag_torch.formats import fdump, hkl
from nanobrag_torch.formats.crystallographic import CrystallographicFile
from nanobrag_torch.formats.hkl import Amplitudes, Box, Indices
from nanobrag_torch.formats.input_file import read_errors, read_input
from nanobrag_torch.formats.recognise import kind_of
from nanobrag_torch.formats.unit_cell import CellConstants
from nanobrag_torch.setup.experiment import StructureFactors, scalar


class TextList:
    """A list of F2.7, which holds no cell."""

    cell: CellConstants | None = None

    def __init__(self, path: str, content: bytes) -> None:
        self.path = path
        self._list = hkl.parsed(path, content)

    def lacks_cell(self) -> NanoBragError:
        """The error where the user gives no cell either."""
        return missing_cell(self.path)

    def listed(self, dmin_m: float, box: CellConstants) -> tuple[Indices, Amplitudes]:
        """Indices and amplitudes as they stand, whatever resolution and cell."""
        return self._list


FactorFile = TextList | CrystallographicFile


def interpolation_wanted(request: Request) -> bool:
    """The user's choice, or automatic for a crystal of at most two cells along an axis (P3.9).

    Looks at the counts of the options, before a sample size changes them (HD-INT-3).
    """
    if request.interpolate is not None:
        return request.interpolate
    return min(request.Na, request.Nb, request.Nc) <= 2


def factor_file(request: Request) -> FactorFile | None:
    """The file of ``-hkl``, read: a text list, or one of F2.8, by its content. None without ``-hkl``.

    Raises: InputFileError.
    """
    path = request.hkl_file
    if path is None:
        if request.hkl_column is not None:
            warn("-hkl_column has no effect without -hkl")
        return None
    content = read_input(path)
    kind = kind_of(path, content)
    if request.hkl_column is not None and not (kind and kind.has_columns):
        warn(f"-hkl_column has no effect: {path} is {kind.value if kind else 'a text list'}")
    if kind is None:
        return TextList(path, content)
    return CrystallographicFile(path, content, kind, request.hkl_column)


def structure_factors(request: Request, file: FactorFile | None, cell: CellConstants) -> StructureFactors:
    """The table in force: ``file``, else the cache that ``request`` names, else the default (C4.17).

    ``cell`` is that of the run, in which a model without a cell of its own is placed (F2.8).
    """
    if file is not None:
        indices, amplitudes = file.listed(request.dmin_m, cell)
        box, table = hkl.fill_table(file.path, indices, amplitudes, request.default_F)
        count = len(amplitudes)
        repeated = hkl.duplicates(indices)
        if repeated:
            note(f"{file.path}: {repeated} records repeat earlier indices, the last one counts")
        half = hkl.missing_half(indices)
        if half is not None:
            warn(
                f"{file.path}: no record has a {half}, so -default_F ({request.default_F:g}) stands for half"
                " of all reflections: expected a list in P1, with all symmetry equivalents and Friedel mates"
            )
    elif request.dump_file is not None and cache_can_be_opened(request):
        box, table = fdump.read(request.dump_file)
        _say_which_cache(request, request.dump_file, box)
        count = int(np.prod([s - 1 for s in table.shape]))
    else:
        if request.dump_file not in (None, DEFAULT_CACHE):
            warn(f"-dump has no effect: {request.dump_file} is not there, -default_F is the amplitude of all")
        box, table, count = (0, 0, 0, 0, 0, 0), np.full((2, 2, 2), request.default_F), 0
    # the file has one more plane along each axis, which no index ever reaches (F2.3)
    inner = np.ascontiguousarray(table[:-1, :-1, :-1])
    return StructureFactors(
        table=torch.from_numpy(inner),
        lowest=(box[0], box[2], box[4]),
        default_F=scalar(request.default_F),
        reflections=count,
        interpolate=interpolation_wanted(request) and count > 0,
    )


def _say_which_cache(request: Request, path: str, box: Box) -> None:
    """Which cache was taken; a warning where it was found by chance or stands against ``-default_F``.

    Inside its box it wins over ``-default_F`` (HD-SF-2). Source: C4.17, C8.3.
    """
    with read_errors(path):
        written = datetime.fromtimestamp(os.stat(path).st_mtime).isoformat(timespec="seconds")
    text = f"the structure factors are those of the cache {path} of {written}, {hkl.extent(box)}"
    if request.default_F != 0:
        text += "; -default_F only serves the others"
    by_chance = path == DEFAULT_CACHE or request.default_F != 0
    (warn if by_chance else note)(text)


def write_cache(request: Request, factors: StructureFactors) -> None:
    """Write the table of a file to the cache that ``request`` names; failing that is a warning (F3.2, C5)."""
    if request.hkl_file is None or request.dump_file is None:
        return
    (h, k, l), (nh, nk, nl) = factors.lowest, factors.table.shape
    box = (h, h + nh - 1, k, k + nk - 1, l, l + nl - 1)
    try:
        # the file has one more plane along each axis, which no index ever reaches (F2.3)
        fdump.write(request.dump_file, box, np.pad(factors.table.numpy(), (0, 1)))
    except OutputFileError as error:
        warn(str(error))
