"""``nbparity replay BUNDLE``: run what a bundle ran, here and now, and compare file by file.

The commands are not taken from ``commands.txt`` word for word, since they name places of the machine
on which they ran. What they follow from is in ``run.json``: the experiment with its arguments, the hashes of
its inputs and the thresholds. Programs and inputs are those of this checkout.
"""

import difflib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import digest, environment, layout, n1, packed
from .compare import Comparison, FloatImage, compare, read_float_image
from .errors import BlockedError, UsageError
from .experiment import Experiment, from_record, load
from .hashing import sha256_of_file
from .programs import Programs
from .thresholds import of_record

Data = dict[str, Any]
STORED = {packed.plain_name(file): file for file in map(layout.image, layout.IMAGES)}
"""The file of a bundle that holds an image, by the name of the image."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """The reproducible part of one file: what became of it, empty if it came out again."""

    name: str
    differences: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Replay:
    """A replay: the bundle that it made, both digests, and every part."""

    folder: Path
    recorded: str
    found: str | None
    parts: tuple[Part, ...]

    @property
    def reproduced(self) -> bool:
        """Tell whether every part came out again."""
        return self.recorded == self.found


def plan(
    bundle: Path, *, root: Path, programs: Programs, reports: Path, threads: int | None, inputs: Path | None
) -> n1.Plan:
    """Return the run that repeats a bundle on this machine, for one that needs no other image.

    Raises UsageError for a bundle of a blocked run, BlockedError for one that needs a program that is not
    here; the bundle has to be verified by the caller.
    """
    run = _complete_run(bundle)
    _require_same_programs(run, programs)
    return n1.Plan(
        root=root,
        reports=reports,
        experiment=_experiment(root, run, inputs),
        programs=programs,
        thresholds=of_record(run["thresholds"]),
        threads=run["threads_py"] if threads is None else threads,
    )


def other_image(bundle: Path) -> str | None:
    """Return the digest of the container image that a bundle was made in, None if it is this place."""
    needed = environment.value_of((bundle / layout.ENV).read_text(encoding="utf-8"), "image")
    here = os.environ.get(environment.IMAGE_DIGEST, environment.HOST)
    return None if needed in {environment.HOST, here} else needed


def arguments_in_image(bundle: Path, threads: int | None) -> tuple[str, ...]:
    """Return the options of ``n1`` that repeat a bundle in its image; UsageError for one of a blocked run."""
    run = _complete_run(bundle)
    wanted = run["threads_py"] if threads is None else threads
    return f"--experiment={run['experiment']['id']}", f"--py-threads={wanted}"


def _complete_run(bundle: Path) -> Data:
    """Return the facts of a run; UsageError if it was blocked."""
    run: Data = json.loads((bundle / layout.RUN).read_text(encoding="utf-8"))
    if run["status"] != "complete":
        raise UsageError(
            f"{bundle}: a bundle of a blocked run, expected a complete one: there is nothing to compare"
        )
    return run


def _require_same_programs(run: Data, programs: Programs) -> None:
    """Raise BlockedError if a program that stood in for ours is not the one given here."""
    for program in programs.all():
        recorded = run["programs"][program.name]
        if not recorded["replaced"]:
            continue
        found = sha256_of_file(program.file) if program.file and program.file.is_file() else "none"
        if found != recorded["sha256"]:
            raise BlockedError(
                f"program {program.name} of the bundle is {recorded['path']}, sha256 {recorded['sha256']};"
                f" here it has {found}: name it with --{_option(program.name)}-bin"
            )


def _option(name: str) -> str:
    return {"c_spec": "spec"}.get(name, name)


def _experiment(root: Path, run: Data, inputs: Path | None) -> Experiment:
    """Return the experiment as the bundle records it, with the inputs of this machine."""
    record = run["experiment"]
    folder = load(root, record["id"]).inputs_dir if inputs is None else inputs.absolute()
    return from_record(record, folder)


def compare_bundles(recorded: Path, found: Path) -> Replay:
    """Compare the reproducible parts of two bundles."""
    old, new = _summary(recorded), _summary(found)
    old_parts = digest.parts(recorded, old)
    new_parts = digest.parts(found, new) if new["status"] == "complete" else {}
    names = sorted(old_parts.keys() | new_parts.keys())
    changed = {name for name in names if old_parts.get(name) != new_parts.get(name)}
    return Replay(
        folder=found,
        recorded=str(digest.digest(recorded, old)),
        found=digest.digest(found, new),
        parts=tuple(
            Part(name=name, differences=_differences(recorded, found, name) if name in changed else ())
            for name in names
        ),
    )


def _summary(bundle: Path) -> Data:
    data: Data = json.loads((bundle / layout.SUMMARY).read_text(encoding="utf-8"))
    return data


def _differences(recorded: Path, found: Path, name: str) -> tuple[str, ...]:
    """Say in which way a part differs, and by how much."""
    file = STORED.get(name, name)
    old, new = recorded / file, found / file
    for path, where in ((old, "in the bundle"), (new, "in the replay")):
        if not path.is_file():
            return (f"not there {where}",)
    if name in STORED or name.endswith(".npy"):
        return _image_difference(recorded, found, file)
    return tuple(_lines(_text(recorded, name), _text(found, name)))


def _text(bundle: Path, name: str) -> str:
    """Return the reproducible part of a text, one fact a line."""
    if name == layout.SUMMARY:
        return "".join(
            f"{key}: {value!r}\n" for key, value in _flat(digest.reproducible_summary(_summary(bundle)))
        )
    text = (bundle / name).read_text(encoding="utf-8", errors="replace")
    reproducible = {layout.ENV: digest.reproducible_environment, layout.GIT: digest.reproducible_git}
    return reproducible[name](text) if name in reproducible else text


def _flat(value: Any, key: str = "") -> Iterable[tuple[str, Any]]:
    """List the leaves of nested data with the way to them."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(inner, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _flat(inner, f"{key}[{number}]")
    else:
        yield key, value


def _lines(old: str, new: str) -> Iterable[str]:
    """List the lines that only one of two texts has: '-' in the bundle, '+' in the replay."""
    rows = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0)
    return [row for row in rows if not row.startswith(("---", "+++", "@@"))]


def _image_difference(recorded: Path, found: Path, name: str) -> tuple[str, ...]:
    """Say how far two images are from each other."""
    try:
        pair = compare(_image(found, name), _image(recorded, name))
    except ValueError as error:
        return (str(error),)
    return (_figures(pair),)


def _image(bundle: Path, name: str) -> FloatImage:
    if name.endswith(".npy"):
        stored: FloatImage = np.load(bundle / name, allow_pickle=False)
        return stored
    run = json.loads((bundle / layout.RUN).read_text(encoding="utf-8"))
    slow, fast = run["experiment"]["shape"]
    return read_float_image(bundle / name, (slow, fast))


def _figures(pair: Comparison) -> str:
    count = f"{pair.differing_pixels} of {pair.pixels} pixels differ"
    if pair.problem:
        return pair.problem if pair.differing_pixels is None else f"{count}; {pair.problem}"
    return (
        f"{count}, by up to {pair.max_ulp} ULP and {pair.max_difference!r} photons;"
        f" ratio of sums, replay to bundle, {pair.sum_ratio!r}"
    )
