"""The frozen objects of an experiment: numbers, counts, and changing the device (C4.18, C8.5.3)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.setup.build import experiment
from nanobrag_torch.setup.experiment import Experiment, Roi, moved, scalar, vector

CPU, META = torch.device("cpu"), torch.device("meta")


@pytest.fixture
def full(empty_folder: Path) -> Experiment:
    """An experiment with a mask, several sources, layers, steps and domains."""
    header = (
        b"{\nHEADER_BYTES=512;\nDIM=2;\nBYTE_ORDER=little_endian;\nTYPE=unsigned_short;\n"
        b"SIZE1=3;\nSIZE2=2;\n}\f"
    )
    pixels = np.array([1, 0, 1, 1, 1, 0], dtype="<u2").tobytes()
    (empty_folder / "mask.img").write_bytes(header.ljust(512) + pixels)
    line = (
        "-cell 70 80 90 75 85 95 -default_F 1 -mask mask.img -divergence 1 -divsteps 3 -dispersion 1"
        " -osc 1 -mosaic 1 -mosaic_dom 3 -misset random -misset_seed 5 -detector_thick 300 -water 5"
    )
    return experiment(parse(line.split())[0])


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in nested parts and tuples that is neither, with its place."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from leaves(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, tuple):
        for i, item in enumerate(value):
            yield from leaves(item, f"{path}[{i}]")
    else:
        yield path, value


def tensors(value: Any) -> dict[str, Tensor]:
    """The tensors among the leaves."""
    return {path: leaf for path, leaf in leaves(value) if isinstance(leaf, Tensor)}


def test_numbers_become_float64_tensors() -> None:
    """No bit of a number is lost, and a vector is three of them (P0.1)."""
    assert scalar(0.1).dtype == torch.float64
    assert scalar(0.1).shape == ()
    assert float(scalar(0.1)) == 0.1
    assert [float(x) for x in vector((0.1, -2.0, 3e-300))] == [0.1, -2.0, 3e-300]


def test_every_number_of_an_experiment_is_float64_on_the_cpu(full: Experiment) -> None:
    """The set-up computes in binary64 by way of the C library; only the mask is not a number (P0.1, P0.4)."""
    kinds = {path: (leaf.dtype, leaf.device) for path, leaf in tensors(full).items()}
    assert kinds.pop(".detector.mask") == (torch.bool, CPU)
    assert set(kinds.values()) == {(torch.float64, CPU)}


def test_a_copy_keeps_values_and_types(full: Experiment) -> None:
    """On the same device nothing changes: numbers, counts, switches, words and places (C8.5.3)."""
    before, after = dict(leaves(full)), dict(leaves(full.to(CPU)))
    assert list(after) == list(before)
    for path, leaf in before.items():
        assert type(after[path]) is type(leaf), path
        if isinstance(leaf, Tensor):
            assert after[path].dtype == leaf.dtype, path
            assert torch.equal(after[path], leaf), path
        else:
            assert after[path] == leaf, path
    assert type(full.to(CPU).detector.sensor) is type(full.detector.sensor)


def test_every_tensor_changes_the_device(full: Experiment) -> None:
    """Also those in nested parts and tuples; what is no tensor stays (C8.5.3)."""
    away = full.to(META)
    assert {leaf.device for leaf in tensors(away).values()} == {META}
    assert list(tensors(away)) == list(tensors(full))
    assert {path: leaf for path, leaf in leaves(away) if not isinstance(leaf, Tensor)} == {
        path: leaf for path, leaf in leaves(full) if not isinstance(leaf, Tensor)
    }


def test_gradients_pass_a_change_of_device(full: Experiment) -> None:
    """A copy on the device is a step of the computation, not a new start (C8.5.3)."""
    distance = scalar(0.1).requires_grad_()
    detector = dataclasses.replace(full.detector, distance_m=distance)
    copied = dataclasses.replace(full, detector=detector).to(CPU)
    (slope,) = torch.autograd.grad(copied.detector.distance_m * 3.0, distance)
    assert float(slope) == 3.0


@pytest.mark.parametrize("value", [None, 7, True, "word", 2.5, (1, "a", None)])
def test_what_is_no_tensor_is_left_alone(value: object) -> None:
    """Counts, switches, words and None have no device (C8.5.3)."""
    assert moved(value, META) == value
    assert type(moved(value, META)) is type(value)


def test_an_experiment_cannot_be_changed_in_place(full: Experiment) -> None:
    """A wrong assignment is an error, not a silent change of a running simulation (P8.2)."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        full.detector.distance_m = scalar(1.0)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("limits", "pixels"), [((0, 0, 0, 0), 1), ((2, 4, 1, 1), 3), ((0, 6, 0, 4), 35), ((5, 900, 3, 3), 896)]
)
def test_pixels_of_a_region(limits: tuple[int, int, int, int], pixels: int) -> None:
    """Limits are inclusive, and those beyond the image count too (C4.18, C6.3)."""
    xmin, xmax, ymin, ymax = limits
    assert Roi(xmin=xmin, xmax=xmax, ymin=ymin, ymax=ymax).pixels == pixels


def test_numbers_of_sources_and_steps(full: Experiment) -> None:
    """Five directions times two wavelengths, two phi steps (P4.4)."""
    assert full.beam.sources == 10
    assert full.orientations.phi_steps == 2
    assert full.orientations.a_m[0].shape == (2 * 3,)
