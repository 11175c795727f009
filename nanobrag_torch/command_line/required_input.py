"""Whether a run has what it needs: structure factors and a cell (C4.17)."""

from __future__ import annotations

import os
from dataclasses import replace

from nanobrag_torch.command_line.request import Request
from nanobrag_torch.errors import UsageError

DEFAULT_CACHE = "Fdump.bin"
"""The cache of the command line where ``-dump`` names none (C3.6)."""


class MissingInputError(UsageError):
    """No structure factors or no cell; the usage text helps here (C4.17)."""


def with_default_cache(request: Request) -> Request:
    """``request`` with the cache of the command line. Only a program that owns its folder may look there."""
    return request if request.dump_file is not None else replace(request, dump_file=DEFAULT_CACHE)


def require_inputs(request: Request) -> None:
    """Look for structure factors and orientation, without reading any of them.

    A file of structure factors may hold a cell. Raises: MissingInputError that says which
    are missing. Source: C4.17.
    """
    missing = []
    if not _has_structure_factors(request):
        missing.append("structure factors (-hkl, -default_F or a cache file, see -dump)")
    if request.matrix_file is None and request.cell is None and request.hkl_file is None:
        missing.append("a crystal cell (-mat or -cell)")
    if missing:
        raise MissingInputError(f"missing input: {' and '.join(missing)}")


def missing_cell(path: str) -> MissingInputError:
    """The error where the list ``path`` is all there is: it holds no cell."""
    return MissingInputError(
        f"missing input: a crystal cell (-mat or -cell), which the text list {path} lacks"
    )


def _has_structure_factors(request: Request) -> bool:
    return request.hkl_file is not None or request.default_F != 0 or cache_can_be_opened(request)


def cache_can_be_opened(request: Request) -> bool:
    """Whether the cache that ``request`` names is there and permitted; only looked for without ``-hkl``.

    Something there that is no file is not passed over: reading it is an error (F3.3).
    """
    try:
        return request.dump_file is not None and os.access(request.dump_file, os.R_OK)
    except ValueError:  # a name with a NUL
        return False
