"""The change that switches C-PARITY-001 off in a program nobody has to rebuild.

The defect acts on spindle steps at exactly phi = 0. Turning the whole scan by a tiny
angle (``ablation.offset_deg`` of the thresholds) leaves no such step, so both C
programs then have to agree bit for bit if the defect is all that separates them. It
works for any program given with NB_C_BIN.
"""

CAUSE = "C-PARITY-001"


def moved_scan(args: tuple[str, ...], offset_deg: float) -> tuple[str, ...]:
    """Return the arguments with the start of the scan moved off zero; later flags win."""
    start_deg = 0.0
    for flag, value in zip(args, args[1:], strict=False):
        if flag == "-phi":
            start_deg = float(value)
    return *args, "-phi", repr(start_deg + offset_deg)
