"""What the process needs before its first tile: a vector library at rest, memory that stays."""

from __future__ import annotations

import ctypes
from functools import cache

import torch

KEEP_BYTES = 1 << 28
"""Freed memory that the C library keeps; a tile needs a few MB."""
# parameters of mallopt, from malloc.h
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8


@cache
def initialise_vector_library() -> None:
    """Let the vector library behind torch choose its kernels while only one thread calls it.

    If the first call of a process comes from several threads at once, one of them may
    be served by a kernel of lower accuracy: relative errors of 3e-11 in float64 were seen
    in one process out of five. A tensor this small is never shared among threads.
    """
    for dtype in (torch.float64, torch.float32):
        sample = torch.ones(16, dtype=dtype)
        for function in (torch.sqrt, torch.sin, torch.cos, torch.exp):
            function(sample)


def keep_freed_memory() -> None:
    """Stop the GNU C library from handing every intermediate back to the system, at page faults each.

    One arena serves all threads, since the others give memory back all the same. A setting of
    the whole process, hence for programs and not for library use; without effect where the C
    library has no ``mallopt``.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_TRIM_THRESHOLD, KEEP_BYTES)
        mallopt(M_MMAP_THRESHOLD, KEEP_BYTES)
        mallopt(M_ARENA_MAX, 1)
