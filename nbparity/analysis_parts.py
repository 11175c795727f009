"""Parts of ``analysis.md`` that are tables of figures; each is Markdown with its title in the first line."""

import re
import shlex
from pathlib import Path
from typing import Any

from . import layout, trace_runs, trace_tables
from .checks import checks
from .tables import DIGITS, figure, markdown

Data = dict[str, Any]
PROFILE_DIGITS = 4
"""A profile is read along a column; more digits hide how it runs."""
# Words of a report that its reader may not know; each is listed where it occurs.
WORDS = {
    "py, c_spec, c": "the programs, as listed at the top",
    "bit-identical": "the same float32 numbers, every bit of them",
    "region of interest": "the part of the detector that is rendered and compared: `-roi`",
    "ULP": "unit in the last place: how many float32 numbers lie between two, the second included",
    "phi": "the angle of the spindle that turns the crystal during an exposure",
    "spindle step": "one of the angles that stand for the sweep; an image is the mean over them",
    "F_latt": "lattice factor: interference of the unit cells of the crystal",
    "F_cell": "structure factor: what one unit cell scatters",
    "switched off": "run again so that a known defect cannot act, which shows what it was responsible for",
    "supervisor": "the experiment on measured data of lysozyme that the comparison was first made for; its"
    " files are not part of the repository",
    "parity_n1": "the session that runs one experiment with all programs and leaves such a bundle (N1)",
    "bundle": "this folder: the report with every file that it was derived from",
    "ledger": "docs/fix_plan.md, where runs are entered that decide something",
    "in-toto": "a format for statements of who made a file of what, which can be signed",
    "CycloneDX": "a format for lists of software packages",
}


def results(run: Data, summary: Data) -> str:
    """Return each figure that decides beside its limit."""
    rows = [(check.result, check.what, check.found, check.expected) for check in checks(run, summary)]
    return (
        f"## Checks\n\n{markdown(('result', 'check', 'found', 'expected'), rows)}\n"
        "What is marked info cannot fail: it has no limit, or follows from something else. All digits:"
        f" {layout.SUMMARY}.\n"
    )


def spindle_steps(summary: Data) -> str:
    """Return what each spindle step adds to the traced pixel; empty where no program prints its steps."""
    if summary["trace"] is None or not summary["trace"]["steps"]:
        return ""
    pixel = summary["trace"]["pixel"]
    return (
        "## Spindle steps\n\nOne pixel, taken apart: an exposure is the sum over the angles of the spindle."
        " Programs that part at an angle see another crystal there; what comes after the sum, the flux for"
        f" example, is not in it. Pixel slow {pixel['slow']}, fast {pixel['fast']}.\n\n"
        f"{trace_tables.steps(summary['trace'], DIGITS)}"
    )


def images(summary: Data) -> str:
    """Return what each image holds within the region that is compared."""
    if not summary["images"]:
        return ""
    head = ("image", "brightest (photons)", "weakest above 0 (photons)", "zeros", "negative", "not finite")
    keys = ("max", "min_positive", "zeros", "negative", "not_finite")
    rows = [(name, *(figure(found[key]) for key in keys)) for name, found in summary["images"].items()]
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
    head = ("d (A)", "pixels", *names)
    rows = [
        (
            _resolution(ring["inverse_d_low"], ring["inverse_d_high"]),
            figure(ring["pixels"]),
            *(figure(ring[name], PROFILE_DIGITS) for name in names),
        )
        for ring in radial["rings"]
    ]
    table = markdown(head, rows, frozenset(range(len(head))))
    return (
        "## Radial profile\n\nMean photons per pixel over rings of equal resolution d, which is that of their"
        f" middle; their limits are in {layout.SUMMARY}.\n\n{table}"
    )


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
    traced, data = trace_runs.from_bundle(bundle), summary["trace"]
    parts = [
        trace_tables.results(data, DIGITS),
        "" if data["steps"] else trace_tables.NO_STEPS,
        trace_tables.keys(traced, DIGITS),
    ]
    body = "\n".join(part for part in parts if part)
    logs = f"All digits: {layout.trace_log('<program>')}.\n"
    return f"## Pixel trace\n\nOne pixel with all programs, {which}. {body}\n{logs}"


def words(text: str) -> str:
    """Explain the words of a report that its reader may not know, those that it has."""
    rows = [
        (word, meaning)
        for word, meaning in WORDS.items()
        if re.search(rf"(?<![A-Za-z]){re.escape(word.split(',')[0])}", text)
    ]
    return f"## Words\n\n{markdown(('word', 'what it means'), rows)}"


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
