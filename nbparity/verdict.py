"""The rule of explanation: what a set of comparisons allows us to say."""

from dataclasses import dataclass
from enum import StrEnum

from .ablation import CAUSE
from .compare import Comparison
from .errors import ExitCode
from .thresholds import Thresholds


class Name(StrEnum):
    """The verdicts."""

    IDENTICAL = "IDENTICAL"
    C_PARITY_001 = CAUSE
    UNEXPLAINED = "UNEXPLAINED"
    SCALE = "SCALE"
    BLOCKED = "BLOCKED"


EXIT_CODES = {
    Name.IDENTICAL: ExitCode.OK,
    Name.C_PARITY_001: ExitCode.OK,
    Name.UNEXPLAINED: ExitCode.UNEXPLAINED,
    Name.SCALE: ExitCode.SCALE,
    Name.BLOCKED: ExitCode.BLOCKED,
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A verdict and the sentences that lead to it."""

    name: Name
    reasons: tuple[str, ...]


def judge(
    *,
    py_c_spec: Comparison,
    py_c: Comparison,
    c_c_spec: Comparison,
    ablation: Comparison | None,
    gpu: Comparison | None,
    outside: dict[str, int],
    thresholds: Thresholds,
) -> Verdict:
    """Judge the comparisons of one run.

    Args: the three pairs in the region of interest; ``ablation`` compares both C programs with the cause
    switched off, None if it was not run; ``gpu`` compares the GPU image with c_spec, None if not run;
    ``outside`` counts non-zero pixels outside the region per image.
    """
    scale = _scale_reasons({"py / c_spec": py_c_spec, "py on the GPU / c_spec": gpu}, thresholds)
    if scale:
        return Verdict(name=Name.SCALE, reasons=scale)
    faults = _faults(py_c_spec, py_c, c_c_spec, gpu, outside, thresholds)
    if faults:
        return Verdict(name=Name.UNEXPLAINED, reasons=faults)
    if py_c.identical and c_c_spec.identical:
        return Verdict(name=Name.IDENTICAL, reasons=("py, c and c_spec are bit-identical",))
    if ablation is None or not ablation.identical:
        why = "no experiment that switches a known cause off was run"
        if ablation is not None:
            left = ablation.problem or f"left {_differing(ablation)}"
            why = f"the experiment that switches {CAUSE} off {left}"
        return Verdict(
            name=Name.UNEXPLAINED, reasons=(f"c differs from py and c_spec in {_differing(py_c)}, and {why}",)
        )
    return Verdict(
        name=Name.C_PARITY_001,
        reasons=(
            "py and c_spec are bit-identical",
            f"c differs from both in {_differing(py_c)}",
            f"with {CAUSE} switched off c and c_spec are bit-identical",
        ),
    )


def _differing(pair: Comparison) -> str:
    return f"{pair.differing_pixels} of {pair.pixels} pixels"


def _scale_reasons(pairs: dict[str, Comparison | None], thresholds: Thresholds) -> tuple[str, ...]:
    """Return the pairs whose sums are further apart than any known cause can move them."""
    low, high = thresholds.min_sum_ratio, thresholds.max_sum_ratio
    reasons = []
    for name, pair in pairs.items():
        if pair is None or pair.problem:
            continue
        if pair.sum_ratio is None:
            reasons.append(f"sum ratio {name}: the sum of the reference is 0, that of the image is not")
        elif not low <= pair.sum_ratio <= high:
            reasons.append(f"sum ratio {name} is {pair.sum_ratio:.9g}, outside {low:g} to {high:g}")
    return tuple(reasons)


def _faults(
    py_c_spec: Comparison,
    py_c: Comparison,
    c_c_spec: Comparison,
    gpu: Comparison | None,
    outside: dict[str, int],
    thresholds: Thresholds,
) -> tuple[str, ...]:
    """Return what no known cause explains, in words."""
    pairs = {"py vs c_spec": py_c_spec, "py vs c": py_c, "c vs c_spec": c_c_spec}
    reasons = [f"{name}: {pair.problem}" for name, pair in pairs.items() if pair.problem]
    if gpu is not None and gpu.problem:
        reasons.append(f"py on the GPU vs c_spec: {gpu.problem}")
    reasons += [
        f"{image}: {count} pixels outside the region of interest are not zero"
        for image, count in outside.items()
        if count
    ]
    # No limit makes up for a bit here: a verdict with a name says that both have the same bits.
    if not py_c_spec.problem and not py_c_spec.identical:
        reasons.append(f"py differs from c_spec in {_differing(py_c_spec)}, up to {py_c_spec.max_ulp} ULP")
    if gpu is not None and not gpu.problem and _below(gpu, thresholds.gpu_min_bit_identical):
        reasons.append(f"py on the GPU differs from c_spec in {_differing(gpu)}, up to {gpu.max_ulp} ULP")
    return tuple(reasons)


def _below(pair: Comparison, limit: float) -> bool:
    return pair.bit_identical_fraction is None or pair.bit_identical_fraction < limit
