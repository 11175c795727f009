"""The experiment that switches C-PARITY-001 off in a program nobody has to rebuild.

The defect acts on spindle steps at exactly phi = 0. Turning the whole scan by a tiny
angle (``ablation.offset_deg`` of the thresholds) leaves no such step, so both C
programs then have to agree bit for bit if the defect is all that separates them. It
works for any program given with NB_C_BIN.
"""

from .experiment import Experiment

CAUSE = "C-PARITY-001"
CITATION = "docs/bugs/verified_c_bugs.md"


def arguments(experiment: Experiment, offset_deg: float) -> tuple[str, ...]:
    """Return the arguments of the experiment with the start of the scan moved off zero; later flags win."""
    start_deg = 0.0
    for flag, value in zip(experiment.args, experiment.args[1:], strict=False):
        if flag == "-phi":
            start_deg = float(value)
    return *experiment.roi_args, "-phi", repr(start_deg + offset_deg)
