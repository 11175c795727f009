"""The table of structure factors: from a list, from the cache, or one default for all (P3.9, P3.10)."""

from __future__ import annotations

import numpy as np
import torch

from nanobrag_torch.advice import note, warn
from nanobrag_torch.command_line.request import Request
from nanobrag_torch.command_line.required_input import cache_can_be_opened
from nanobrag_torch.errors import OutputFileError
from nanobrag_torch.formats import crystallographic, fdump, hkl
from nanobrag_torch.formats.hkl import Amplitudes, Indices
from nanobrag_torch.setup.experiment import StructureFactors, scalar


def interpolation_wanted(request: Request) -> bool:
    """The user's choice, or automatic for a crystal of at most two cells along an axis (P3.9).

    Looks at the counts of the options, before a sample size changes them (HD-INT-3).
    """
    if request.interpolate is not None:
        return request.interpolate
    return min(request.Na, request.Nb, request.Nc) <= 2


def listed(request: Request, path: str) -> tuple[Indices, Amplitudes]:
    """Indices and amplitudes of ``-hkl``: a text list, or one of the files of F2.8, by its content."""
    kind = crystallographic.kind_of(path)
    if request.hkl_column is not None and not (kind and kind.has_columns):
        warn(f"-hkl_column has no effect: {path} is {kind.value if kind else 'a text list'}")
    if kind is None:
        return hkl.read(path)
    return crystallographic.read(path, kind, request.hkl_column, request.dmin_m)


def structure_factors(request: Request) -> StructureFactors:
    """The table in force: ``-hkl``, else the cache if there is one, else the default (C4.17)."""
    if request.hkl_column is not None and request.hkl_file is None:
        warn("-hkl_column has no effect without -hkl")
    if request.hkl_file is not None:
        indices, amplitudes = listed(request, request.hkl_file)
        box, table = hkl.fill_table(request.hkl_file, indices, amplitudes, request.default_F)
        count = len(amplitudes)
        repeated = hkl.duplicates(indices)
        if repeated:
            note(f"{request.hkl_file}: {repeated} records repeat earlier indices, the last one counts")
    elif cache_can_be_opened(request):
        box, table = fdump.read(request.dump_file)
        if request.default_F != 0:  # found by chance, it wins inside its box (HD-SF-2, C8.3)
            warn(f"-default_F has no effect on reflections in the cache {request.dump_file}, which was found")
        count = int(np.prod([s - 1 for s in table.shape]))
    else:
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


def write_cache(request: Request, factors: StructureFactors) -> None:
    """Write the table of a list to the cache; failing that is a warning (F3.2, C5)."""
    if request.hkl_file is None:
        return
    (h, k, l), (nh, nk, nl) = factors.lowest, factors.table.shape
    box = (h, h + nh - 1, k, k + nk - 1, l, l + nl - 1)
    try:
        # the file has one more plane along each axis, which no index ever reaches (F2.3)
        fdump.write(request.dump_file, box, np.pad(factors.table.numpy(), (0, 1)))
    except OutputFileError as error:
        warn(str(error))
