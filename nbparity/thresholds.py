"""The numbers that decide, read from ``thresholds.toml``."""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from .errors import UsageError

FILE = Path(__file__).with_name("thresholds.toml")
NOT_JUDGING = frozenset({"max_log_bytes"})
"""Thresholds that stop a program and judge no image."""


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Limits of the verdicts; fractions of pixels, ratios of sums, units in the last place, degrees."""

    min_bit_identical: float
    min_sum_ratio: float
    max_sum_ratio: float
    gpu_min_bit_identical: float
    golden_min_bit_identical: float
    golden_max_ulp: int
    ablation_offset_deg: float
    matrix_min_bit_identical: float
    trace_max_relative: float
    max_log_bytes: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for a bundle."""
        return asdict(self)


def load(path: Path = FILE) -> Thresholds:
    """Read the thresholds; a missing key is a UsageError that names file and key."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        return Thresholds(
            min_bit_identical=data["parity"]["min_bit_identical"],
            min_sum_ratio=data["parity"]["min_sum_ratio"],
            max_sum_ratio=data["parity"]["max_sum_ratio"],
            gpu_min_bit_identical=data["gpu"]["min_bit_identical"],
            golden_min_bit_identical=data["golden"]["min_bit_identical"],
            golden_max_ulp=data["golden"]["max_ulp"],
            ablation_offset_deg=data["ablation"]["offset_deg"],
            matrix_min_bit_identical=data["matrix"]["min_bit_identical"],
            trace_max_relative=data["trace"]["max_relative"],
            max_log_bytes=data["processes"]["max_log_bytes"],
        )
    except KeyError as error:
        raise UsageError(f"{path}: key {error} is missing") from None


def of_record(stated: Mapping[str, Any]) -> Thresholds:
    """Return the thresholds that a bundle states; for one that it does not know, that of this checkout.

    A bundle that was made before there was a limit is judged by it as any other. One that is none any more
    is left out; ``verify`` names it.
    """
    today = load().as_dict()
    return Thresholds(**{name: stated.get(name, value) for name, value in today.items()})


def load_time_limit_s(path: Path = FILE) -> float:
    """Read how many seconds a program may run; a missing key is a UsageError that names file and key."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        return float(data["processes"]["time_limit_s"])
    except KeyError as error:
        raise UsageError(f"{path}: key {error} is missing") from None


@dataclass(frozen=True, kw_only=True)
class NbCompareLimits:
    """Numbers of ``nb-compare`` and of what ``nbparity n2`` makes of its figures; pixels, fractions."""

    min_correlation: float
    max_sum_factor: float
    peak_count: int
    peak_min_fraction: float
    peak_gate_px: float
    png_percentile: float
    min_matched_spec: float
    scale_max_spread: float
    rounding_max_ulp: int
    shift_min_px: float
    shift_min_matched: float
    patch_max_fraction: float


def load_nb_compare(path: Path = FILE) -> NbCompareLimits:
    """Read the table ``nb_compare``; a missing key is a UsageError that names file and key."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        table = data["nb_compare"]
        return NbCompareLimits(**{field.name: table[field.name] for field in fields(NbCompareLimits)})
    except KeyError as error:
        raise UsageError(f"{path}: key {error} is missing") from None
