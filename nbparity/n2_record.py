"""The record of ``nbparity n2``: what the folder holds, and what follows from its raw files.

Raw are ``c/`` and ``c_spec/``, which ``nb-compare`` makes, their images packed, and three copies from the
bundle: its hash list, the list of its images, and its facts. ``n2.json``, with the hash of each of them, and
``n2.md`` follow from these, so ``verify`` can derive them again; the hash list covers all of it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import layout, packed, side_by_side
from .checks import FAIL, INFO, PASS
from .compare import as_roi
from .experiment import from_record
from .hashing import files_below, parse_sha256_list, sha256_of_file
from .side_by_side import Result
from .thresholds import NbCompareLimits, Thresholds

Data = dict[str, Any]
REFERENCES = ("c", "c_spec")
CHECKS, TEXT, HASHES = "n2.json", "n2.md", "sha256.txt"
BUNDLE_HASHES, BUNDLE_RUN, BUNDLE_IMAGES = "bundle_sha256.txt", "bundle_run.json", "bundle_images_sha256.txt"
COPIES = {BUNDLE_HASHES: layout.HASHES, BUNDLE_RUN: layout.RUN, BUNDLE_IMAGES: layout.IMAGE_HASHES}
MARKS = (CHECKS, BUNDLE_HASHES)
FORMAT = 2
PARTS = (CHECKS, TEXT, HASHES, *COPIES)
IMAGES = {
    "c": f"c/c_float.bin{packed.SUFFIX}",
    "c_spec": f"c_spec/c_float.bin{packed.SUFFIX}",
    "py": f"c_spec/py_float.bin{packed.SUFFIX}",
}


@dataclass(frozen=True, kw_only=True)
class Check:
    """A figure against its limit, in words; ``scale`` marks the sum ratio, which has a verdict of its own.

    ``passed`` is None for a figure that cannot fail, since it follows from another one.
    """

    name: str
    value: str
    expected: str
    passed: bool | None
    scale: bool = False

    @property
    def result(self) -> str:
        """The result in one word."""
        return INFO if self.passed is None else PASS if self.passed else FAIL


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What a record is judged by."""

    thresholds: Thresholds
    limits: NbCompareLimits


def is_record(folder: Path) -> bool:
    """Tell whether a folder is a record, or what is left of one, and no bundle."""
    return any((folder / name).is_file() for name in MARKS) and not (folder / layout.RUN).is_file()


def arguments(run: Data) -> tuple[str, ...]:
    """Return the arguments of a bundle, with its region, from its facts."""
    return from_record(run["experiment"], Path()).roi_args


def results(folder: Path, limits: NbCompareLimits) -> dict[str, Result]:
    """Compare the images of a record again.

    Raises OSError, ValueError, KeyError, TypeError, UsageError or RunnerError if a file is missing or not of
    its format.
    """
    run = json.loads((folder / BUNDLE_RUN).read_text(encoding="utf-8"))
    roi = as_roi(run["experiment"]["roi"])
    return {name: side_by_side.compare_again(folder / name, roi, limits) for name in REFERENCES}


def raw_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each raw file of a record, by name."""
    derived = {CHECKS, TEXT, HASHES}
    return {name: sha256_of_file(folder / name) for name in files_below(folder) if name not in derived}


def checks(
    folder: Path, raw: Mapping[str, str], compared: Mapping[str, Result], measures: Measures
) -> tuple[Check, ...]:
    """Judge the figures of both pairs, and whether every image has the bytes that the bundle has."""
    spec, c = compared["c_spec"], compared["c"]
    thresholds, limits = measures.thresholds, measures.limits
    images = _listed(folder, BUNDLE_IMAGES)
    return (
        _at_least(
            "py vs c_spec, bit-identical", spec.pair.bit_identical_fraction, thresholds.min_bit_identical
        ),
        *_beside_the_bits(
            spec,
            _at_least("py vs c_spec, peaks matched", _matched(spec), limits.min_matched_spec),
            _ratio("py vs c_spec, ratio of sums", spec, thresholds.min_sum_ratio, thresholds.max_sum_ratio),
        ),
        *_beside_the_bits(
            c,
            _at_least("py vs c, correlation", _correlation(c), limits.min_correlation),
            _ratio("py vs c, ratio of sums", c, 1 / limits.max_sum_factor, limits.max_sum_factor),
        ),
        *(
            _same_bytes(name, packed.sha256_of_content(folder / file) == images[layout.float_file(name)])
            for name, file in IMAGES.items()
        ),
    )


def _beside_the_bits(result: Result, *found: Check) -> tuple[Check, ...]:
    """Return checks as information where the images have the same bits: none of them can fail then."""
    if not result.pair.identical:
        return found
    return tuple(replace(check, passed=None, expected="follows from identical bits") for check in found)


def _listed(folder: Path, name: str) -> dict[str, str]:
    """Read a hash list of a record."""
    return parse_sha256_list((folder / name).read_bytes().decode("utf-8"), name)


def _same_bytes(name: str, same: bool) -> Check:
    word = "the same" if same else "others"
    return Check(name=f"{name}, bytes of the bundle", value=word, expected="the same", passed=same)


def _matched(result: Result) -> float | None:
    return None if result.peaks is None else result.peaks.matched_fraction


def _correlation(result: Result) -> float | None:
    """Return the correlation; images with the same bits have 1, constant ones included."""
    return 1.0 if result.pair.identical else result.pair.correlation


def _at_least(name: str, value: float | None, limit: float) -> Check:
    passed = value is not None and value >= limit
    return Check(name=name, value=_number(value), expected=f">= {limit:g}", passed=passed)


def _ratio(name: str, result: Result, low: float, high: float) -> Check:
    value = result.pair.sum_ratio
    passed = value is not None and low <= value <= high
    return Check(name=name, value=_number(value), expected=f"{low:g} to {high:g}", passed=passed, scale=True)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.9g}"


def texts(folder: Path, raw: Mapping[str, str], bundle_name: str, found: Sequence[Check]) -> dict[str, str]:
    """Return the texts of a record by file, from its raw files, their hashes and the name of its bundle."""
    run = json.loads((folder / BUNDLE_RUN).read_text(encoding="utf-8"))
    data = {
        "format": FORMAT,
        "bundle": bundle_name,
        "bundle_hashes_sha256": raw[BUNDLE_HASHES],
        "experiment": run["experiment"]["id"],
        "passed": not any(check.passed is False for check in found),
        "checks": [
            {"name": check.name, "value": check.value, "expected": check.expected, "passed": check.passed}
            for check in found
        ],
        "files_sha256": dict(raw),
    }
    title = f"# Bundle {bundle_name} compared anew, experiment {run['experiment']['id']}"
    return {CHECKS: json.dumps(data, indent=1) + "\n", TEXT: f"{title}\n\n{table(found)}"}


def statement_complaints(folder: Path, raw: Mapping[str, str]) -> list[str]:
    """Name what the copies from the bundle say otherwise than the rest of the record."""
    listed = _listed(folder, BUNDLE_HASHES)
    for copy in (BUNDLE_RUN, BUNDLE_IMAGES):
        if raw[copy] != listed[COPIES[copy]]:
            return [f"untrue: {copy} is not the {COPIES[copy]} that {BUNDLE_HASHES} lists"]
    run = json.loads((folder / BUNDLE_RUN).read_text(encoding="utf-8"))
    wanted = {"args": list(arguments(run)), "roi": run["experiment"]["roi"]}
    found = []
    for name in REFERENCES:
        stated = json.loads((folder / name / side_by_side.SUMMARY).read_text(encoding="utf-8"))
        found += [
            f"untrue: {name}/{side_by_side.SUMMARY}: {key} {stated[key]!r}, expected {value!r}"
            for key, value in wanted.items()
            if stated[key] != value
        ]
    return found


def table(found: Sequence[Check]) -> str:
    """Return one row per check."""
    rows = "".join(
        f"| {check.name} | {check.value} | {check.expected} | {check.result} |\n" for check in found
    )
    return f"| check | value | expected | |\n|---|---|---|---|\n{rows}"
