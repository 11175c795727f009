"""Whether a run has what it needs: structure factors and a cell (C4.17)."""

from __future__ import annotations

import os

from nanobrag_torch.command_line.request import Request
from nanobrag_torch.errors import UsageError


class MissingInputError(UsageError):
    """No structure factors or no cell; the usage text helps here (C4.17)."""


def require_inputs(request: Request) -> None:
    """Look for structure factors and orientation, without reading any of them.

    Raises: MissingInputError that says which are missing. Source: C4.17.
    """
    missing = []
    if not _has_structure_factors(request):
        missing.append("structure factors (-hkl, -default_F or a cache file, see -dump)")
    if request.matrix_file is None and request.cell is None:
        missing.append("a crystal cell (-mat or -cell)")
    if missing:
        raise MissingInputError(f"missing input: {' and '.join(missing)}")


def _has_structure_factors(request: Request) -> bool:
    return request.hkl_file is not None or request.default_F != 0 or cache_can_be_opened(request)


def cache_can_be_opened(request: Request) -> bool:
    """Whether the cache named by ``-dump`` is there and permitted; only looked for without ``-hkl``.

    Something there that is no file is not passed over: reading it is an error (F3.3).
    """
    try:
        return os.access(request.dump_file, os.R_OK)
    except ValueError:  # a name with a NUL
        return False
