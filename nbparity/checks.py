"""What a bundle is measured by: each figure beside its limit, pass or FAIL; what has none is information.

Only what can fail is a check. What holds by construction, because something above it holds or because nothing
is left that could go wrong, is shown as information, as is what no verdict depends on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import pytest_log
from .ablation import CAUSE
from .tables import figure
from .thresholds import Thresholds, of_record

Data = dict[str, Any]
PASS, FAIL, INFO, SKIPPED = "pass", "FAIL", "info", "skipped"


@dataclass(frozen=True, kw_only=True)
class Check:
    """A figure, in words what it has to be or why it cannot be otherwise, and the result."""

    what: str
    found: str
    expected: str
    result: str


def checks(run: Data, summary: Data) -> list[Check]:
    """Return the checks of a bundle from its facts and its summary; a blocked one has those of its tests."""
    return [
        *_agreement(of_record(run["thresholds"]), summary["pairs"]),
        *_outside(run["experiment"], summary["outside"]),
        *_cause(summary),
        *_traces(summary["trace"]),
        *_tests(summary["tests"]),
        _protected(summary["protected_assets"]),
    ]


def counts(found: Sequence[Check]) -> str:
    """Return how many checks pass and fail, and how many figures are none, in one sentence."""
    passed, failed, informing = (
        sum(check.result == result for check in found) for result in (PASS, FAIL, INFO)
    )
    return f"{passed} checks pass, {failed} fail; {informing} figures are information."


def _result(holds: bool) -> str:
    return PASS if holds else FAIL


def _agreement(limits: Thresholds, pairs: Data) -> list[Check]:
    """Return the share of identical bits and the ratio of sums of what has to agree with c_spec."""
    wanted = {
        "py_vs_c_spec": ("py vs c_spec", limits.min_bit_identical),
        "py_cuda_vs_c_spec": ("py on the GPU vs c_spec", limits.gpu_min_bit_identical),
    }
    low, high = limits.min_sum_ratio, limits.max_sum_ratio
    found = []
    for name, (title, least) in wanted.items():
        if name not in pairs:
            continue
        pair = pairs[name]
        fraction, ratio = pair["bit_identical_fraction"], pair["sum_ratio"]
        same_bits = not pair["problem"] and pair["differing_pixels"] == 0
        found += [
            Check(
                what=f"{title}: bit-identical fraction of pixels",
                found=pair["problem"] or figure(fraction, limits=(least,)),
                expected=f"at least {figure(least)}",
                result=_result(not pair["problem"] and fraction is not None and fraction >= least),
            ),
            Check(
                what=f"{title}: ratio of sums",
                found=pair["problem"] or figure(ratio, limits=(low, high)),
                expected="follows from identical bits" if same_bits else f"{figure(low)} to {figure(high)}",
                result=INFO if same_bits else _result(ratio is not None and low <= ratio <= high),
            ),
        ]
    return found


def _outside(experiment: Data, outside: dict[str, int]) -> list[Check]:
    """Return what is not zero outside the region; a region that is the whole detector leaves no outside."""
    slow, fast = experiment["shape"]
    whole = experiment["roi"] in (None, [0, fast - 1, 0, slow - 1])
    return [
        Check(
            what=f"{image}: pixels outside the region that are not zero",
            found=figure(count),
            expected="the region is the whole detector" if whole else "0",
            result=INFO if whole else _result(count == 0),
        )
        for image, count in outside.items()
    ]


def _cause(summary: Data) -> list[Check]:
    """Return how far c is from c_spec, and how much of that no experiment takes away."""
    pair, ablation = summary["pairs"].get("c_vs_c_spec"), summary["ablation"]
    if pair is None:
        return []
    same = pair["differing_pixels"] == 0 and not pair["problem"]
    apart = pair["problem"] or figure(pair["differing_pixels"])
    if same or ablation is None:
        left, holds = apart, same
    else:
        # a text may name a cause only where its experiment was run
        left = f"{ablation['problem'] or figure(ablation['differing_pixels'])} with {CAUSE} switched off"
        holds = ablation["differing_pixels"] == 0 and not ablation["problem"]
    return [
        Check(what="c vs c_spec: differing pixels", found=apart, expected="no limit: see below", result=INFO),
        Check(
            what="c vs c_spec: differing pixels that no experiment explains",
            found=left,
            expected="0",
            result=_result(holds),
        ),
    ]


def _traces(trace: Data | None) -> list[Check]:
    """Return whether the traced pixel is what the images hold; a program of the user may print no trace."""
    if trace is None:
        return []
    return [
        Check(
            what=f"{name}: the traced pixel is that of the image",
            found=program["problem"] or ("yes" if program["as_in_image"] else "no"),
            expected="no verdict depends on it",
            result=INFO,
        )
        for name, program in trace["programs"].items()
    ]


def _tests(tests: Data) -> list[Check]:
    """Return how the tests that ran ended, and beside it those that were skipped, which show nothing."""
    ran = tests["status"] != "not run"
    found = [
        Check(
            what="tests of the simulator at phi = 0",
            found=pytest_log.words(tests),
            expected="all that run pass, at least one" if ran else "the run did not come to them",
            result=_result(not tests["failed"]) if ran else INFO,
        )
    ]
    if tests["counts"].get("skipped"):
        why = "; ".join(pytest_log.skip_words(tests)) or f"{tests['counts']['skipped']} skipped"
        skipped = Check(
            what="tests that were skipped", found=why, expected="neither pass nor FAIL", result=SKIPPED
        )
        found.append(skipped)
    return found


def _protected(assets: Data) -> Check:
    """Return how many protected files changed; where there are none to protect, none can."""
    some = assets["files"] > 0
    return Check(
        what=f"changed files of {figure(assets['files'])} protected ones",
        found=figure(len(assets["changed"])),
        expected="0" if some else "there are none to protect",
        result=_result(not assets["changed"]) if some else INFO,
    )
