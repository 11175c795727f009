"""Structure factor at an index: nearest node or tricubic interpolation (P6.10, P6.15)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

Nodes = Tensor | tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Lookup:
    """The table with one layer of the default around it, flat, so that no index needs a test.

    ``values`` has shape (nh * nk * nl,) with n counting the layer; ``lowest`` and
    ``highest`` are the indices of the layer on either side.
    """

    values: Tensor
    lowest: tuple[int, int, int]
    highest: tuple[int, int, int]


def lookup(table: Tensor, lowest: tuple[int, int, int], default: Tensor) -> Lookup:
    """Surround ``table`` of shape (h, k, l), whose first node is ``lowest``, by ``default``."""
    inside = pad(torch.ones_like(table, dtype=torch.bool), (1, 1, 1, 1, 1, 1))
    padded = torch.where(inside, pad(table, (1, 1, 1, 1, 1, 1)), default)
    low = (lowest[0] - 1, lowest[1] - 1, lowest[2] - 1)
    nh, nk, nl = padded.shape
    high = (low[0] + nh - 1, low[1] + nk - 1, low[2] + nl - 1)
    return Lookup(values=padded.reshape(-1), lowest=low, highest=high)


def at_nodes(nodes: Nodes, table: Lookup) -> Tensor:
    """Table entries at the whole-number indices h, k, l, the default outside and at NaN."""
    h, k, l = (
        node.clamp(low, high) for node, low, high in zip(nodes, table.lowest, table.highest, strict=True)
    )
    nk = table.highest[1] - table.lowest[1] + 1
    nl = table.highest[2] - table.lowest[2] + 1
    origin = (table.lowest[0] * nk + table.lowest[1]) * nl + table.lowest[2]
    # whole numbers below 2**53 and their sums are exact, fused or not
    place = torch.add(l, torch.add(k, h, alpha=nk), alpha=nl).sub_(origin)
    # an undefined index has no place; as an integer it is below 0 or 0, where the default is
    inside = place.long().clamp_(min=0)
    return table.values.index_select(0, inside.reshape(-1)).reshape(place.shape)


def out_of_range(hkl: Tensor, table: Lookup) -> Tensor:
    """Whether the neighbourhood of an index leaves the table (P6.10 step 1), bool."""
    outside: Tensor | None = None
    for h, low, high in zip(hkl, table.lowest, table.highest, strict=True):
        first, count = low + 1, high - low - 1
        beyond = (h - first + 3 > count) | (h - 2 < first)
        outside = beyond if outside is None else outside | beyond
    assert outside is not None
    return outside


def cubic(x: Tensor, nodes: tuple[Tensor, Tensor, Tensor, Tensor], y: list[Tensor]) -> Tensor:
    """Cubic Lagrange polynomial through four points, in the written order (P6.15)."""
    x0, x1, x2, x3 = nodes
    y0, y1, y2, y3 = y
    return (
        (x - x1) * (x - x2) * (x - x3) * y0 / ((x0 - x1) * (x0 - x2) * (x0 - x3))
        + (x - x0) * (x - x2) * (x - x3) * y1 / ((x1 - x0) * (x1 - x2) * (x1 - x3))
        + (x - x0) * (x - x1) * (x - x3) * y2 / ((x2 - x0) * (x2 - x1) * (x2 - x3))
        + (x - x0) * (x - x1) * (x - x2) * y3 / ((x3 - x0) * (x3 - x1) * (x3 - x2))
    )


def interpolated(hkl: Tensor, table: Lookup) -> Tensor:
    """Tricubic interpolation over the 64 nodes around an index (P6.10 step 2, P6.15).

    Indices that are out of range give a number without meaning; the caller
    replaces it. Along l first, then k, then h.
    """
    h, k, l = hkl

    def around(x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        floor = torch.floor(x)
        return floor - 1.0, floor, floor + 1.0, floor + 2.0

    hs, ks, ls = around(h), around(k), around(l)
    along_h = []
    for hi in hs:
        along_k = [cubic(l, ls, [at_nodes((hi, ki, li), table) for li in ls]) for ki in ks]
        along_h.append(cubic(k, ks, along_k))
    return cubic(h, hs, along_h)
