"""What a bundle is measured by: each figure that decides beside its limit, pass or fail."""

from dataclasses import dataclass
from typing import Any

from .ablation import CAUSE
from .thresholds import Thresholds, of_record

Data = dict[str, Any]
PASS, FAIL, OPEN = "pass", "FAIL", "-"


@dataclass(frozen=True, kw_only=True)
class Check:
    """A figure, its limit in words, and whether it keeps it; None where nothing depends on it."""

    what: str
    found: str
    expected: str
    passed: bool | None

    @property
    def result(self) -> str:
        """The result in one word."""
        return OPEN if self.passed is None else PASS if self.passed else FAIL


def checks(run: Data, summary: Data) -> list[Check]:
    """Return the checks of a bundle from its facts and its summary; a blocked one has those of its tests."""
    return [
        *_agreement(of_record(run["thresholds"]), summary["pairs"]),
        *_outside(summary["outside"]),
        *_cause(summary),
        *_traces(summary["trace"]),
        _tests(summary["tests"]),
        _protected(summary["protected_assets"]),
    ]


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
        found += [
            Check(
                what=f"{title}: bit-identical fraction",
                found=_figure(fraction, pair["problem"]),
                expected=f"at least {least!r}",
                passed=not pair["problem"] and fraction is not None and fraction >= least,
            ),
            Check(
                what=f"{title}: ratio of sums",
                found=_figure(ratio, pair["problem"]),
                expected=f"{low!r} to {high!r}",
                passed=ratio is not None and low <= ratio <= high,
            ),
        ]
    return found


def _outside(outside: dict[str, int]) -> list[Check]:
    return [
        Check(
            what=f"{image}: pixels outside the region that are not zero",
            found=str(count),
            expected="0",
            passed=count == 0,
        )
        for image, count in outside.items()
    ]


def _cause(summary: Data) -> list[Check]:
    """Return how far c is from c_spec, and how far once the known cause is switched off."""
    pair, ablation = summary["pairs"].get("c_vs_c_spec"), summary["ablation"]
    if pair is None:
        return []
    same = pair["differing_pixels"] == 0 and not pair["problem"]
    found = [
        Check(
            what="c vs c_spec: differing pixels",
            found=_figure(pair["differing_pixels"], pair["problem"]),
            expected="0, or explained by an experiment",
            passed=True if same else None,
        )
    ]
    if not same:
        left = None if ablation is None else ablation["differing_pixels"]
        problem = "not run" if ablation is None else ablation["problem"]
        # a text may name a cause only where its experiment was run
        cause = "a known cause" if ablation is None else CAUSE
        found.append(
            Check(
                what=f"c vs c_spec with {cause} switched off: differing pixels",
                found=_figure(left, problem),
                expected="0",
                passed=left == 0 and not problem,
            )
        )
    return found


def _traces(trace: Data | None) -> list[Check]:
    """Return whether the traced pixel is what the images hold; it decides nothing, so none fails."""
    if trace is None:
        return []
    return [
        Check(
            what=f"{name}: traced pixel is that of the image",
            found=program["problem"] or ("yes" if program["as_in_image"] else "no"),
            expected="yes",
            passed=True if program["as_in_image"] else None,
        )
        for name, program in trace["programs"].items()
    ]


def _tests(tests: Data) -> Check:
    return Check(
        what="tests of phi = 0",
        found=f"{tests['status']}{': ' if tests['line'] else ''}{tests['line']}",
        expected="passed",
        passed=tests["status"] == "passed",
    )


def _protected(assets: Data) -> Check:
    return Check(
        what=f"changed files of {assets['files']} protected ones",
        found=str(len(assets["changed"])),
        expected="0",
        passed=not assets["changed"],
    )


def _figure(value: float | int | None, problem: str) -> str:
    return problem or ("-" if value is None else repr(value))
