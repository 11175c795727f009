"""Parts of ``analysis.md`` that are tables of figures; each is Markdown with its title in the first line."""

import math
import shlex
from pathlib import Path
from typing import Any

from . import layout, trace_runs, trace_tables
from .checks import checks
from .tables import markdown

Data = dict[str, Any]


def results(run: Data, summary: Data) -> str:
    """Return each figure that decides beside its limit."""
    rows = [(check.result, check.what, check.found, check.expected) for check in checks(run, summary)]
    return f"## Checks\n\n{markdown(('result', 'check', 'found', 'expected'), rows)}"


def images(summary: Data) -> str:
    """Return what each image holds within the region that is compared."""
    if not summary["images"]:
        return ""
    head = ("image", "brightest (photons)", "weakest above 0 (photons)", "zeros", "negative", "not finite")
    keys = ("max", "min_positive", "zeros", "negative", "not_finite")
    rows = [(name, *(_figure(found[key]) for key in keys)) for name, found in summary["images"].items()]
    hashes = markdown(("image", "SHA-256 of the file"), list(summary["images_sha256"].items()))
    return f"## Images\n\n{markdown(head, rows, frozenset(range(1, 6)))}\n{hashes}"


def radial_profile(summary: Data) -> str:
    """Return the mean of each image over rings of equal resolution."""
    radial = summary["radial"]
    if radial["problem"]:
        return f"## Radial profile\n\nNone: {radial['problem']}.\n"
    if not radial["rings"]:
        return ""
    names = [name for name in radial["rings"][0] if name in summary["images"]]
    head = ("d (A)", "1/d from (1/A)", "to (1/A)", "pixels", *names)
    rows = [
        (
            _resolution(ring["inverse_d_low"], ring["inverse_d_high"]),
            f"{ring['inverse_d_low']:.6f}",
            f"{ring['inverse_d_high']:.6f}",
            str(ring["pixels"]),
            *(_figure(ring[name]) for name in names),
        )
        for ring in radial["rings"]
    ]
    table = markdown(head, rows, frozenset(range(len(head))))
    return f"## Radial profile\n\nMean photons per pixel over rings of equal resolution d.\n\n{table}"


def _resolution(low: float, high: float) -> str:
    """Write the d spacing at the middle of a ring; the ring at the beam has none."""
    return f"{2 / (low + high):.4f}" if low + high > 0 else "-"


def pixel_trace(bundle: Path, run: Data, summary: Data) -> str:
    """Return the traces of one pixel side by side."""
    if run["status"] == "blocked":
        return ""
    if summary["trace"] is None:
        return f"## Pixel trace\n\nNone: {run['trace']['reason']}.\n"
    which = "the brightest of c_spec in the region" if summary["trace"]["brightest"] else "as chosen"
    body = trace_tables.text(trace_runs.from_bundle(bundle), summary["trace"])
    return f"## Pixel trace\n\nOne pixel with all programs, {which}. {body}"


def surroundings(bundle: Path) -> str:
    """Return where the run took place: environment, machine, commit."""
    rows = []
    for name in (layout.ENV, layout.MACHINE):
        lines = (bundle / name).read_text(encoding="utf-8").splitlines()
        rows += [tuple(line.split(": ", 1)) for line in lines if ": " in line]
    commit = (bundle / layout.GIT).read_text(encoding="utf-8")
    return f"## Environment\n\n{markdown(('what', 'value'), rows)}\nThe commit:\n\n{indented(commit)}"


def reproduction(bundle: Path, run: Data, digest: str | None) -> str:
    """Return the digest (None for a blocked run) and the commands, to make it again and as they ran."""
    experiment = run["experiment"]
    inputs = markdown(("input", "SHA-256"), list(experiment["inputs"].items()))
    first = (bundle / layout.GIT).read_text(encoding="utf-8").splitlines()[0].removeprefix("commit: ")
    checkout = "" if " " in first else f"git checkout {first}\n"
    options = [f"--experiment={experiment['id']}"]
    if run["threads_py"] != 1:
        options.append(f"--py-threads={run['threads_py']}")
    flags = {"c": "--c-bin", "c_spec": "--spec-bin", "py": "--py-bin"}
    options += [
        f"{flags[name]}={found['path']}" for name, found in run["programs"].items() if found["replaced"]
    ]
    again = f"{checkout}make venv\n.venv/bin/nox -s parity_n1 -- {shlex.join(options)}\n"
    verbatim = "".join(f"{row.command}\n" for row in layout.read_commands(bundle))
    stated = (
        ""
        if digest is None
        else (
            f"Bundle digest: {digest}\n\nIt covers images, environment, versions, commit and figures;"
            " `nbparity replay BUNDLE` runs the experiment again and compares. "
        )
    )
    return (
        f"## Reproduce\n\n{stated}In a clone of the repository:\n\n{indented(again)}\n"
        f"Inputs of experiment {experiment['id']}:\n\n{inputs}\n"
        f"The commands of this run, verbatim, each in a folder that holds nothing but the inputs:\n\n"
        f"{indented(verbatim or '(none)')}"
    )


def indented(text: str) -> str:
    """Return lines as a block of code."""
    return "".join(f"    {line}\n" for line in text.splitlines())


def _figure(value: float | int | None) -> str:
    if value is None:
        return "-"
    return repr(value) if isinstance(value, int) else f"{value:.9g}" if math.isfinite(value) else "-"
