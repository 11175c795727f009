"""The traces of one pixel in figures and in words: key by key, spindle step by spindle step."""

import math
from typing import Any

from . import traces
from .tables import figure, markdown
from .trace_runs import Run, Traced

Data = dict[str, Any]
REFERENCE = "c_spec"
SUM, PHOTONS, STORED, F_CELL = (
    "I_before_scaling",
    "I_pixel_final",
    "floatimage_accumulated",
    "F_cell",
)
NO_STEPS = "No program prints its spindle steps: only a parallelepiped crystal with F_cell has them.\n"


def facts(run: Run, max_relative: float) -> Data:
    """Return plain data: what each program says of the pixel, where traces part, what phi = 0 accounts for.

    ``max_relative`` is the relative difference up to which two numbers of a trace count as the same.
    """
    return {
        "pixel": {"slow": run.pixel[0], "fast": run.pixel[1]},
        "programs": {name: _program(traced) for name, traced in run.traced.items()},
        "first_difference": {
            f"{name}_vs_{REFERENCE}": _parted(traced, run.traced[REFERENCE], max_relative)
            for name, traced in run.traced.items()
            if name != REFERENCE
        },
        "phi_zero": _phi_zero(run.traced["c"], run.traced[REFERENCE]),
        "steps": _steps(run),
    }


def _steps(run: Run) -> list[Data]:
    """Return what each spindle step adds to the sum of each program that prints its steps."""
    found = {name: contributions(traced) for name, traced in run.traced.items()}
    angles = {step.number: step.phi_deg for traced in run.traced.values() for step in traced.steps}
    return [
        {
            "step": number,
            "phi_deg": angles[number],
            **{name: steps.get(number) for name, steps in found.items()},
        }
        for number in sorted(angles)
        if any(found.values())
    ]


def _program(traced: Traced) -> Data:
    return {
        "problem": traced.problem,
        SUM: traces.last(traced.entries, SUM),
        PHOTONS: traces.last(traced.entries, PHOTONS),
        STORED: traces.last(traced.entries, STORED),
    }


def _parted(x: Traced, r: Traced, max_relative: float) -> str | None:
    """Name the first key at which two traces part, empty if none, None if one of them is missing."""
    if x.problem or r.problem:
        return None
    return traces.first_difference(x.entries, r.entries, max_relative)


def contributions(traced: Traced) -> dict[int, float]:
    """Return what each spindle step adds to the sum, electrons squared, by the number of the step.

    (F_cell F_latt)^2 with the structure factor of the first step, the only one that is printed; empty where
    none is. The first source and domain only.
    """
    f_cell = traces.last(traced.entries, F_CELL)
    if f_cell is None:
        return {}
    return {step.number: f_cell**2 * step.f_latt_squared for step in traced.steps}


def _phi_zero(c: Traced, r: Traced) -> Data | None:
    """Set the difference of the sums beside that of the steps at exactly phi = 0; None without such steps."""
    zero = {step.number for step in r.steps if step.phi_deg == 0}
    mine, theirs = contributions(c), contributions(r)
    sum_c, sum_r = traces.last(c.entries, SUM), traces.last(r.entries, SUM)
    if not zero or not zero <= mine.keys() & theirs.keys() or sum_c is None or not sum_r:
        return None
    of_steps = math.fsum(mine[number] - theirs[number] for number in zero)
    whole = sum_c - sum_r
    return {
        "ratio": sum_c / sum_r,
        "ratio_from_phi_zero": (sum_r + of_steps) / sum_r,
        "difference": whole,
        "difference_of_phi_zero": of_steps,
        "share": of_steps / whole if whole else None,
    }


def text(run: Run, data: Data) -> str:
    """Return the traces in words and tables (Markdown), all digits; ``data`` are the facts of the run."""
    parts = (results(data), steps(data) or NO_STEPS, keys(run))
    return "\n".join(part for part in parts if part)


def results(data: Data, digits: int = traces.DIGITS) -> str:
    """Say what each program makes of the pixel and where the traces part."""
    rows = [
        (name, *(figure(found[key], digits) for key in (SUM, PHOTONS, STORED)), found["problem"] or "-")
        for name, found in data["programs"].items()
    ]
    head = ("program", f"{SUM} (electrons^2)", f"{PHOTONS} (photons)", "stored (float32)", "problem")
    pixel = data["pixel"]
    said = "".join(
        f"- {pair.replace('_vs_', ' vs ')}: {_parted_words(found, whole=digits == traces.DIGITS)}\n"
        for pair, found in data["first_difference"].items()
    )
    return (
        f"Pixel slow {pixel['slow']}, fast {pixel['fast']}.\n\n"
        f"{markdown(head, rows, frozenset({1, 2, 3}))}\nWhere the traces part first:\n\n{said}"
    )


def _parted_words(found: str | None, *, whole: bool) -> str:
    """Say where traces part: with both values, or with the key alone, whose values the table below has."""
    if found is None:
        return "not compared, a trace is missing"
    if not found:
        return "nowhere"
    key, _, values = found.partition(": ")
    return found if whole or not values or key.startswith("line ") else f"at {key}"


def steps(data: Data, digits: int = traces.DIGITS) -> str:
    """Say what each spindle step contributes, and what the step at phi = 0 explains; empty without steps."""
    if not data["steps"]:
        return ""
    names = list(data["programs"])
    rows = [
        (
            str(row["step"]),
            f"{row['phi_deg']:g}",
            *(figure(row[name], digits) for name in names),
            *(_relative(_pair(row[name]), _pair(row[REFERENCE])) for name in names if name != REFERENCE),
        )
        for row in data["steps"]
    ]
    others = (f"{name}: rel. diff." for name in names if name != REFERENCE)
    head = ("step", "phi (deg)", *names, *others)
    table = markdown(head, rows, frozenset(range(len(head))))
    return (
        "What each spindle step adds to I_before_scaling, the sum that is left to be scaled by flux,"
        " polarization and solid angle: (F_cell F_latt)^2, structure factor times lattice factor, squared, in"
        " electrons^2; first source and domain, F_cell of the first step.\n\n"
        f"{table}{_explained(data['phi_zero'], digits)}"
    )


def _explained(found: Data | None, digits: int) -> str:
    if found is None:
        return ""
    if found["share"] is None:
        return "\nThe sums of c and c_spec are the same; there is a step at exactly phi = 0, and it agrees.\n"
    return (
        f"\nI_before_scaling of c is {figure(found['ratio'], digits)} times that of c_spec. From the step at"
        f" exactly phi = 0 alone, {figure(found['ratio_from_phi_zero'], digits)} times: it accounts for"
        f" {found['difference_of_phi_zero']:.6g} of the difference of {found['difference']:.6g} electrons^2"
        f" ({100 * found['share']:.6f} %).\n"
    )


def keys(run: Run, digits: int = traces.DIGITS) -> str:
    """Set the traces side by side, without the spindle steps: the keys that part, then those that all share.

    In the first table '=' is what c_spec prints.
    """
    shown = {name: traced.entries for name, traced in run.traced.items() if not traced.problem}
    if not shown:
        return ""
    names = sorted(shown, key=lambda name: name != REFERENCE)
    others = [name for name in names if name != REFERENCE]
    rows = [row for row in traces.side_by_side(shown) if traces.OF_STEP not in row.key]
    parting = [row for row in rows if len({row.values.get(name) for name in names}) > 1]
    sharing = [row for row in rows if row not in parting]
    apart = [
        (
            row.key,
            *(_side(row, name, digits) for name in names),
            *(_relative(row.values.get(name), row.values.get(REFERENCE)) for name in others),
        )
        for row in parting
    ]
    head = ("key", *names, *(f"{name}: rel. diff." for name in others))
    same = [(row.key, _side(row, names[0], digits)) for row in sharing]
    found = ""
    if apart:
        found = f"Keys that part, '=' where a program prints what {REFERENCE} prints:\n\n"
        found += f"{markdown(head, apart)}\n"
    return f"{found}Keys that {', '.join(names)} print alike:\n\n{markdown(('key', 'value'), same)}"


def _side(row: traces.Row, name: str, digits: int) -> str:
    values, reference = row.values.get(name), row.values.get(REFERENCE)
    if values is None:
        return "-"
    return "=" if name != REFERENCE and values == reference else traces.words(values, digits)


def _pair(value: float | None) -> traces.Values | None:
    return None if value is None else (value,)


def _relative(x: traces.Values | None, r: traces.Values | None) -> str:
    """Write a relative difference with three digits; '-' where there is none."""
    if x is None or r is None:
        return "-"
    found = traces.relative_difference(x, r)
    return "-" if found is None else "0" if found == 0 else f"{found:.2e}"
