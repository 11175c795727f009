"""The image: which pixels are rendered, cut into tiles, and what becomes of the tiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any, TypeVar

import torch
from torch import Tensor

from nanobrag_torch.render import scene as scenes
from nanobrag_torch.render.pixels import (
    NEVER,
    TILE_ELEMENTS,
    Tile,
    first_out_of_range,
    integrate,
    photons,
    stored,
)
from nanobrag_torch.render.scene import Scene
from nanobrag_torch.setup.experiment import Experiment, Part

Progress = Callable[[int, int], None]
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Rendering(Part):
    """The image in photons, float32 of shape (slow, fast), and the detector's solid angle.

    ``solid_angle_sr`` is the sum over the rendered pixels (P6.13, HD-STAT-3); ``first_out`` the
    place in the order of P6.1 from which on nothing was interpolated, NEVER if all was (HD-INT-1),
    and ``first_out_pixel`` the flat index of the pixel it lies in, or -1.
    """

    image: Tensor
    solid_angle_sr: Tensor
    first_out: Tensor
    first_out_pixel: Tensor


def render(
    experiment: Experiment,
    *,
    device: torch.device | None = None,
    dtype: torch.dtype = torch.float64,
    progress: Progress | None = None,
) -> Rendering:
    """The image of ``experiment`` (P6).

    Args: ``dtype`` is that of what follows the Miller index, float64 or float32;
    ``progress`` is called with pixels done and pixels in all.
    Returns: image and solid angle, on ``device``.
    """
    initialise_vector_library()
    scene = scenes.build(experiment, device if device is not None else torch.device("cpu"), dtype)
    detector = scene.experiment.detector
    pixels = selected_pixels(scene)
    size = TILE_ELEMENTS[scene.device.type]
    pieces = [pixels[start : start + size] for start in range(0, len(pixels), size)]
    stop = interpolation_stop(scene, pieces)

    def finish(tile: Tile) -> tuple[Tensor, Tensor]:
        state = integrate(scene, tile, stop)
        return stored(photons(scene, state)), state.omega_sum.sum()

    image = torch.zeros(detector.slow_pixels * detector.fast_pixels, dtype=torch.float32, device=scene.device)
    omega = torch.zeros((), dtype=torch.float64, device=scene.device)
    if pieces:
        done = over_tiles(finish, scene, pieces, progress)
        values = torch.cat([part for part, _ in done])
        image = values if len(values) == len(image) else image.index_put((pixels,), values)
        omega = torch.stack([share for _, share in done]).sum()
    samples = detector.sensor.layers * scene.experiment.sampling.oversample**2
    return Rendering(
        image=image.reshape(detector.slow_pixels, detector.fast_pixels),
        solid_angle_sr=omega / samples,
        first_out=stop,
        first_out_pixel=pixel_of(scene, pixels, stop),
    )


def selected_pixels(scene: Scene) -> Tensor:
    """Flat index of each rendered pixel in image order, int64 (P6.1)."""
    detector = scene.experiment.detector
    roi, width = detector.roi, detector.fast_pixels
    rows = torch.arange(roi.ymin, min(roi.ymax + 1, detector.slow_pixels), device=scene.device)
    columns = torch.arange(roi.xmin, min(roi.xmax + 1, width), device=scene.device)
    pixels = (rows[:, None] * width + columns).reshape(-1)
    if detector.mask is not None:
        pixels = pixels[detector.mask.reshape(-1)[pixels]]
    return pixels


def tile_of(pixels: Tensor, width: int, rank: int) -> Tile:
    """The tile of consecutive rendered ``pixels``, the first of which has ``rank`` in image order."""
    slow = torch.div(pixels, width, rounding_mode="floor")
    return Tile(
        fast=(pixels - slow * width).double(),
        slow=slow.double(),
        rank=torch.arange(rank, rank + len(pixels), device=pixels.device),
    )


def interpolation_stop(scene: Scene, pieces: Sequence[Tensor]) -> Tensor:
    """Place of the first evaluation that is not interpolated, nor is any after it (HD-INT-1)."""
    never = torch.full((), NEVER, dtype=torch.int64, device=scene.device)
    if scene.experiment.corrected or not scene.experiment.crystal.structure_factors.interpolate:
        return never
    places = over_tiles(lambda tile: first_out_of_range(scene, tile), scene, pieces, None)
    return torch.stack([never, *places]).amin()


def pixel_of(scene: Scene, pixels: Tensor, place: Tensor) -> Tensor:
    """Flat index of the pixel that an evaluation belongs to, -1 for NEVER."""
    rank = torch.div(place, scene.evaluations, rounding_mode="floor").clamp(max=len(pixels))
    return torch.cat([pixels, pixels.new_full((1,), -1)])[rank]


def over_tiles(
    work: Callable[[Tile], Result], scene: Scene, pieces: Sequence[Tensor], progress: Progress | None
) -> list[Result]:
    """``work`` on the tile of every piece of the rendered pixels, several at a time on a CPU.

    A tile is made when its turn comes: all of them would take three times the memory of
    ``pieces``, which are views. Results are in image order.
    """
    ends = list(accumulate(map(len, pieces)))
    width = scene.experiment.detector.fast_pixels

    def on_tile(piece: Tensor, end: int) -> Result:
        return work(tile_of(piece, width, end - len(piece)))

    results = []
    with tile_threads(scene.device) as run:
        for end, result in zip(ends, run(on_tile, pieces, ends), strict=True):
            results.append(result)
            if progress is not None:
                progress(end, ends[-1])
    return results


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


@contextmanager
def tile_threads(device: torch.device) -> Iterator[Callable[..., Iterator[Any]]]:
    """``map`` that gives each of torch's threads tiles of its own; plain ``map`` on a GPU.

    If torch shared out every operation instead, its threads would have to meet some
    thousand times a second, and each meeting waits for the slowest core of a busy machine.
    The number of threads is a setting of the whole process and is put back at the end.
    """
    threads = torch.get_num_threads()
    if threads == 1 or device.type != "cpu":
        yield map
        return
    grad = torch.is_grad_enabled()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_grad_enabled, initargs=(grad,)) as pool:
            yield pool.map
    finally:
        torch.set_num_threads(threads)
