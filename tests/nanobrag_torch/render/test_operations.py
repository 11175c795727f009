"""Which operations of torch the exact render path runs: only such as IEEE 754 fixes lead to the phase.

Everything that is computed is recorded as torch dispatches it, with the operations that led there. A vector
library, a fused product or a library sum anywhere on the way to a Miller index would show up by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from nanobrag_torch.render import scene as scenes
from nanobrag_torch.render.image import render, selected_pixels, tile_of
from nanobrag_torch.render.pixels import fresh_state, rays, terms
from nanobrag_torch.setup.experiment import Experiment

ExperimentOf = Callable[[str], Experiment]

ROUNDED = {"add", "sub", "rsub", "mul", "div", "reciprocal", "neg", "abs", "ceil", "floor"}
"""One rounding or none, the same on every processor."""
COMPARED = set("eq ne lt le gt ge where minimum amin max clamp bitwise_and bitwise_or bitwise_not".split())
MOVED = set(
    "_local_scalar_dense _to_copy alias arange cat constant_pad_nd detach expand full index_put index_select"
    " lift_fresh new_full ones ones_like scalar_tensor select slice stack unbind unsqueeze view zeros"
    " zeros_like".split()
)
ROOT_START = {"rsqrt"}
"""Where roots.sqrt starts from; its bits do not show, an exact residual decides them (test_roots.py)."""
PHASE = ROUNDED | COMPARED | MOVED | ROOT_START
SLOW_FACTORS = {"sin", "cos", "exp", "sqrt", "atan2", "sum"}
"""In what follows the phase: a last bit of theirs does not reach the float32 pixel (P0.4, P9.2)."""
IN_ORDER = {"cumsum"}
"""The sum of the terms where pixels are few: one addition after another (test_small_regions.py)."""
PLACE = {"add with a factor"}
"""The place in the table of structure factors, in whole numbers: exact, fused or not."""

OPTIONS = [
    "",
    "-round_xtal",
    "-gauss_xtal -fudge 1e-4",
    "-tophat_spots -fudge 1e-5",
    "-phi 2 -osc 1 -phisteps 3 -mosaic 0.5 -mosaic_dom 3",
    "-divergence 2 -divsteps 3 -dispersion 1 -dispsteps 2",
    "-detector_thick 300 -detector_abs 200 -detector_thicksteps 3 -oversample 2 -oversample_thick",
    "-oversample 2 -oversample_polar -oversample_omega -water 50",
    "-curved_det -point_pixel -nopolar",
    "-oversample 4 -dmin 30 -polar 0.5 -roi 1 3 2 4",
    "-physics corrected -water 50 -detector_thick 50 -detector_abs 80",
    "LIST -interpolate",
    "LIST -nointerpolate",
]


class Recorder(TorchDispatchMode):  # type: ignore[misc]
    """Names of all operations, and for each memory the names of those that led to what is in it."""

    def __init__(self) -> None:
        super().__init__()
        self.all: set[str] = set()
        self.led_to: dict[int, set[str]] = {}
        self.alive: list[Any] = []

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run an operation and note it."""
        kwargs = kwargs or {}
        out = operation(*args, **kwargs)
        name = operation._schema.name.removeprefix("aten::").rstrip("_")
        if kwargs.get("alpha", 1) != 1 or (name == "rsub" and args[2:] not in {(), (1,)}):
            name += " with a factor"
        self.all.add(name)
        before = set().union({name}, *(self.of(tensor) for tensor in tensors((args, kwargs))))
        for tensor in tensors((out, args[:1] if operation._schema.name.endswith("_") else ())):
            storage = tensor.untyped_storage()
            self.alive.append(storage)
            self.led_to.setdefault(storage._cdata, set()).update(before)
        return out

    def of(self, tensor: Tensor) -> set[str]:
        """The operations that led to a tensor."""
        return self.led_to.get(tensor.untyped_storage()._cdata, set())


def tensors(value: Any) -> Iterator[Tensor]:
    """Every tensor in nested arguments."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from tensors(part)
    elif isinstance(value, dict):
        yield from tensors(list(value.values()))


@pytest.fixture
def built(experiment_of: ExperimentOf, cubic_list: str) -> ExperimentOf:
    """An experiment from options, where LIST stands for a list of structure factors."""
    return lambda options: experiment_of(options.replace("LIST", cubic_list))


@pytest.mark.parametrize("options", OPTIONS)
def test_nothing_but_ieee_754_leads_to_the_phase(options: str, built: ExperimentOf) -> None:
    """From the index of a pixel to its scattering vector, Miller indices and nearest nodes (P9.1)."""
    scene = scenes.build(built(options), torch.device("cpu"), torch.float64)
    recorder = Recorder()
    with recorder:
        tile = tile_of(selected_pixels(scene), 8, 0)
        found = set()
        for ray in rays(scene, fresh_state(scene, len(tile)), tile):
            found |= set().union(*map(recorder.of, ray.q_inv_m))
            for term in terms(scene, tile, ray):
                found |= recorder.of(term.hkl) | recorder.of(term.nodes)
    assert {"mul", "add", "div", "rsqrt"} <= found
    assert found <= PHASE


@pytest.mark.parametrize("options", OPTIONS)
def test_the_whole_path_runs_nothing_unknown(options: str, built: ExperimentOf) -> None:
    """No matrix product, no norm, no fused operation anywhere in a render."""
    experiment = built(options)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # other threads would not be recorded
    try:
        with Recorder() as recorder:
            render(experiment)
    finally:
        torch.set_num_threads(threads)
    assert "mul" in recorder.all
    assert recorder.all <= PHASE | SLOW_FACTORS | IN_ORDER | PLACE


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (lambda x: torch.dot(x, x), "dot"),
        (lambda x: torch.sqrt(x), "sqrt"),
        (lambda x: torch.addcmul(x, x, x), "addcmul"),
        (lambda x: torch.add(x, x, alpha=3), "add with a factor"),
        (lambda x: torch.linalg.norm(x), "linalg_vector_norm"),
        (lambda x: torch.einsum("i,i", x, x), "bmm"),
    ],
)
def test_a_violation_is_seen(wrong: Callable[[Tensor], Tensor], name: str) -> None:
    """Each of these rounds otherwise, and leaves its name, in views and after changes in place, too."""
    x = torch.ones(3, dtype=torch.float64)
    with Recorder() as recorder:
        y = torch.zeros(2, 3, dtype=torch.float64)
        y[1].add_(wrong(x))
        z = y.reshape(-1) * 2.0
    assert recorder.of(z) - PHASE - {"expand"} >= {name}
