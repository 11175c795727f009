"""``analysis.md``: a bundle in words. Every sentence and figure is derived from the files beside it."""

import json
from pathlib import Path
from typing import Any

from . import analysis_parts, checks, digest, layout, outcome, pytest_log
from .ablation import CAUSE
from .hashing import files_below
from .tables import figure, markdown

Data = dict[str, Any]
TITLES = {
    "py_vs_c_spec": "py vs c_spec",
    "py_vs_c": "py vs c",
    "c_vs_c_spec": "c vs c_spec",
    "py_cuda_vs_c_spec": "py on the GPU vs c_spec",
}
GIVEN_WITH = {"c": "NB_C_BIN or --c-bin", "c_spec": "--spec-bin", "py": "--py-bin"}
WHAT_IT_IS = {
    "py": "the simulator: PyTorch, written from the specification (specs/)",
    "c_spec": "the same specification as a C program, which shares no source with the simulator",
    "c": "our rebuild of the old nanoBragg: the sources of c_spec, compiled with the defects of the old"
    " program switched on. What ties it to the original is not in here: `nox -s historical` compares it with"
    " stored images of the original",
    layout.GPU: "the simulator on a GPU",
}


def text(bundle: Path, summary: Data) -> str:
    """Return the analysis of a bundle whose raw files and summary are in place."""
    return "\n".join(sections(bundle, summary))


def sections(bundle: Path, summary: Data) -> list[str]:
    """Return the parts of the analysis, each in Markdown with its title in the first line."""
    run: Data = json.loads((bundle / layout.RUN).read_text(encoding="utf-8"))
    found = [
        _head(run, summary),
        _blocked(run),
        analysis_parts.spindle_steps(summary),
        analysis_parts.results(run, summary),
        analysis_parts.images(summary),
        _differences(summary),
        analysis_parts.radial_profile(summary),
        analysis_parts.pixel_trace(bundle, run, summary),
        _commands(bundle, run, summary),
        _tests(summary),
        _gpu(run),
        _protected(summary),
        analysis_parts.surroundings(bundle),
        analysis_parts.reproduction(bundle, run, digest.digest(bundle, summary)),
        _files(bundle),
    ]
    parts = [section for section in found if section]
    return [*parts, analysis_parts.words("\n".join(parts))]


def hash_sentence(count: int) -> str:
    """State the result of the hash verification; a bundle in which it failed is not put into place."""
    return (
        f"{layout.HASHES} was read back and verified against the files before the bundle was put into place:"
        f" {count} files, all hashes as listed.\n"
    )


def _head(run: Data, summary: Data) -> str:
    """Return title, result and sentence, counts, what was compared and with which verdict."""
    verdict, experiment = summary["verdict"], run["experiment"]
    ended = outcome.of(Path(), summary, run)
    reasons = "".join(f"- {reason}\n" for reason in ended.reasons)
    return f"""# Parity of experiment {experiment["id"]}

{ended.result}: {ended.said}

{checks.counts(checks.checks(run, summary))} Tests at phi = 0: {pytest_log.words(summary["tests"])}.

{experiment["title"]}. It shows {experiment["shows"]}.

Verdict {verdict["name"]}{_meaning(summary)}:

{reasons}
Compared: {_region(experiment)}. Run from {run["started"]} to {run["ended"]}, status {summary["status"]}.

{_programs(run, summary)}"""


def _meaning(summary: Data) -> str:
    """Say what the defect is that a verdict names."""
    titles = [row["title"] for row in summary["causes"] if row["id"] == summary["verdict"]["name"]]
    return f", {titles[0]}" if titles else ""


def _region(experiment: Data) -> str:
    slow, fast = experiment["shape"]
    roi = experiment["roi"]
    if roi is None:
        return f"the whole detector of {fast} x {slow} pixels, fast x slow"
    return (
        f"the region of interest, fast {roi[0]} to {roi[1]} and slow {roi[2]} to {roi[3]}, of a detector of"
        f" {fast} x {slow} pixels"
    )


def _programs(run: Data, summary: Data) -> str:
    """Say what each program is; one that somebody gave in place of ours is his."""
    rows = []
    for name, ours in WHAT_IT_IS.items():
        if name in run["programs"] and run["programs"][name]["replaced"]:
            rows.append((name, f"given by the user with {GIVEN_WITH[name]}: {run['programs'][name]['path']}"))
        elif name in run["programs"] or name in summary["images"]:
            rows.append((name, ours))
    return markdown(("program", "what it is"), rows)


def _blocked(run: Data) -> str:
    blocked = run["blocked"]
    if blocked is None:
        return ""
    output = blocked["output"] or "(no output)\n"
    return f"## Blocked\n\nAt {blocked['time']}: {blocked['reason']}\n\n{analysis_parts.indented(output)}"


def _commands(bundle: Path, run: Data, summary: Data) -> str:
    times = [
        (
            row.label,
            str(row.status),
            f"{summary['timings'][row.label]['wall_s']:.3f}",
            figure(summary["timings"][row.label].get("render_s"), 3),
        )
        for row in layout.read_commands(bundle)
    ]
    head = ("name", "exit status", "wall time (s)", "render time (s)")
    files = [(name, program["path"], program["sha256"] or "-") for name, program in run["programs"].items()]
    return (
        f"## What ran\n\n{markdown(head, times, frozenset({1, 2, 3}))}\n"
        f"Verbatim commands with their times: {layout.COMMANDS}.\n\n"
        f"{markdown(('program', 'file', 'SHA-256 of the file'), files)}"
    )


def _differences(summary: Data) -> str:
    if not summary["pairs"]:
        return ""
    columns = list(summary["pairs"])
    rows = [
        ("pixels", "pixels"),
        ("differing pixels", "differing_pixels"),
        ("bit-identical fraction", "bit_identical_fraction"),
        ("largest distance (units in the last place, ULP)", "max_ulp"),
        ("Pearson correlation", "correlation"),
        ("sum of the first (photons)", "sum_x"),
        ("sum of the second (photons)", "sum_r"),
        ("ratio of sums", "sum_ratio"),
        ("root mean square difference (photons)", "rmse"),
        ("largest difference (photons)", "max_difference"),
    ]
    cells = [(title, *(figure(summary["pairs"][c][key]) for c in columns)) for title, key in rows]
    problems = [summary["pairs"][c]["problem"] for c in columns]
    if any(problems):
        cells.append(("problem", *(problem or "-" for problem in problems)))
    table = markdown(("", *(TITLES[c] for c in columns)), cells, frozenset(range(1, len(columns) + 1)))
    return f"## Differences\n\n{table}\n{_explanation(summary)}"


def _explanation(summary: Data) -> str:
    """Name the causes whose experiments were run, with the distances before and after; no other."""
    if not summary["causes"]:
        return "No cause was switched off: no pair differs, or one has no image to compare.\n"
    figures = ("differing pixels", "after it", "ratio of sums", "after it")
    head = ("cause", "pair", "change", *figures, "explains")
    rows = [
        (
            row["id"],
            f"{row['x']} vs {row['r']}",
            row["change"],
            *(_figure_of(row[when], "differing_pixels") for when in ("before", "after")),
            *(_figure_of(row[when], "sum_ratio") for when in ("before", "after")),
            "yes" if row["explains"] else "no",
        )
        for row in summary["causes"]
    ]
    meanings = {row["id"]: f"- {row['id']}: {row['title']}; see {row['see']}\n" for row in summary["causes"]}
    table = markdown(head, rows, frozenset(range(3, 7)))
    return (
        "Known causes were switched off in the pairs that differ, and the images rendered again."
        " A cause explains a difference that vanishes with it.\n\n"
        f"{table}\n{''.join(meanings.values())}\n{_conclusion(summary)}"
    )


def _figure_of(pair: Data, key: str) -> str:
    return pair["problem"] or figure(pair[key])


def _conclusion(summary: Data) -> str:
    """Return what follows for the difference between py and c."""
    if summary["verdict"]["name"] == CAUSE:
        return f"The difference between py and c is {CAUSE}.\n"
    tried = list(dict.fromkeys(row["id"] for row in summary["causes"]))
    if CAUSE in tried:
        return f"The difference between py and c is not attributed to {CAUSE}.\n"
    return "The difference between py and c_spec is a fault, whatever explains it.\n"


def _tests(summary: Data) -> str:
    tests = summary["tests"]
    collected = f"\nThe tests that exist: {layout.COLLECT_LOG}.\n" if tests["failed"] else ""
    skips = "".join(f"- {text}\n" for text in pytest_log.skip_words(tests))
    skipped = f"\nSkipped tests show nothing:\n\n{skips}" if skips else ""
    ended = f"Tests of the simulator at phi = 0, where the known defect acts: {pytest_log.words(tests)}.\n"
    return f"## Tests\n\n{ended}{collected}{skipped}"


def _gpu(run: Data) -> str:
    gpu = run["gpu"]
    if gpu["ran"]:
        return "## GPU leg\n\nRun; see py on the GPU in the table of differences.\n"
    return f"## GPU leg\n\nnot run: {gpu['reason']}. Command:\n\n{analysis_parts.indented(gpu['command'])}"


def _protected(summary: Data) -> str:
    protected = summary["protected_assets"]
    if protected["changed"]:
        names = "".join(f"- {name}\n" for name in protected["changed"])
        return f"## Protected assets\n\nCHANGED during the run; no verdict of this bundle counts:\n\n{names}"
    return (
        "## Protected assets\n\nFiles that have to stay as they are (docs/index.md lists them):"
        f" {protected['files']}, the same hashes before and after the run.\n"
    )


def _files(bundle: Path) -> str:
    """List the files, with the hash verification: it covers every file but the list itself."""
    derived = {
        layout.ANALYSIS,
        layout.SUMMARY,
        layout.REPORT,
        layout.LEDGER,
        layout.PROVENANCE,
        layout.HASHES,
    }
    names = sorted({*files_below(bundle), *derived} - layout.ADDED_LATER)
    table = markdown(("file", "what it is"), [(name, layout.what(name)) for name in names])
    return f"## Files\n\n{table}\n{hash_sentence(len(names) - 1)}"
