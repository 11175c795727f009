"""``analysis.md``: a bundle in words. Every sentence and figure is derived from the files beside it."""

import json
from pathlib import Path
from typing import Any

from . import analysis_parts, digest, layout
from .ablation import CAUSE
from .hashing import files_below

Data = dict[str, Any]
TITLES = {
    "py_vs_c_spec": "py vs c_spec",
    "py_vs_c": "py vs c",
    "c_vs_c_spec": "c vs c_spec",
    "py_cuda_vs_c_spec": "py on the GPU vs c_spec",
}
GIVEN_WITH = {"c": "NB_C_BIN or --c-bin", "c_spec": "--spec-bin", "py": "--py-bin"}


def text(bundle: Path, summary: Data) -> str:
    """Return the analysis of a bundle whose raw files and summary are in place."""
    return "\n".join(sections(bundle, summary))


def sections(bundle: Path, summary: Data) -> list[str]:
    """Return the parts of the analysis, each in Markdown with its title in the first line."""
    run: Data = json.loads((bundle / layout.RUN).read_text(encoding="utf-8"))
    found = [
        _head(run, summary),
        _blocked(run),
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
    return [section for section in found if section]


def hash_sentence(count: int) -> str:
    """State the result of the hash verification; a bundle in which it failed is not put into place."""
    return (
        f"{layout.HASHES} was read back and verified against the files before the bundle was put into place:"
        f" {count} files, all hashes as listed.\n"
    )


def _head(run: Data, summary: Data) -> str:
    verdict = summary["verdict"]
    experiment = run["experiment"]
    reasons = "".join(f"- {reason}\n" for reason in verdict["reasons"])
    roi = experiment["roi"]
    region = (
        "the whole detector"
        if roi is None
        else f"fast {roi[0]} to {roi[1]}, slow {roi[2]} to {roi[3]}, inclusive"
    )
    return f"""# Parity of experiment {experiment["id"]}: {verdict["name"]}

{experiment["title"]}. It shows {experiment["shows"]}.

Run from {run["started"]} to {run["ended"]}, status {summary["status"]}. Compared: {region}.
c is the historical C program, c_spec the C program in specification mode, py the PyTorch simulator.
{_stand_ins(run)}
{reasons}"""


def _stand_ins(run: Data) -> str:
    """Name the programs that somebody gave in place of ours."""
    given = [name for name, program in run["programs"].items() if program["replaced"]]
    return f"Given by the user in place of ours: {', '.join(given)}.\n" if given else ""


def _blocked(run: Data) -> str:
    blocked = run["blocked"]
    if blocked is None:
        return ""
    output = blocked["output"] or "(no output)\n"
    return f"## Blocked\n\nAt {blocked['time']}: {blocked['reason']}\n\n{analysis_parts.indented(output)}"


def _commands(bundle: Path, run: Data, summary: Data) -> str:
    rows = layout.read_commands(bundle)
    lines = ["## What ran\n\n| name | exit status | wall time (s) | render time (s) |\n|---|---|---|---|\n"]
    for row in rows:
        timing = summary["timings"][row.label]
        lines.append(
            f"| {row.label} | {row.status} | {timing['wall_s']} | {_number(timing.get('render_s'))} |\n"
        )
    lines.append(f"\nVerbatim commands with their times: {layout.COMMANDS}.\n\n")
    lines.append("| program | file | sha256 of the file |\n|---|---|---|\n")
    for name, program in run["programs"].items():
        note = f" (given with {GIVEN_WITH[name]})" if program["replaced"] else ""
        lines.append(f"| {name} | {program['path']}{note} | {program['sha256'] or '-'} |\n")
    return "".join(lines)


def _differences(summary: Data) -> str:
    if not summary["pairs"]:
        return ""
    columns = list(summary["pairs"])
    rows = [
        ("pixels", "pixels"),
        ("differing pixels", "differing_pixels"),
        ("bit-identical fraction", "bit_identical_fraction"),
        ("largest distance (ULP)", "max_ulp"),
        ("Pearson correlation", "correlation"),
        ("sum of the first (photons)", "sum_x"),
        ("sum of the second (photons)", "sum_r"),
        ("ratio of sums", "sum_ratio"),
        ("RMSE (photons)", "rmse"),
        ("largest difference (photons)", "max_difference"),
        ("problem", "problem"),
    ]
    head = f"| | {' | '.join(TITLES[c] for c in columns)} |\n|---|{'---|' * len(columns)}\n"
    body = "".join(
        f"| {title} | {' | '.join(_number(summary['pairs'][c][key]) for c in columns)} |\n"
        for title, key in rows
    )
    return f"## Differences\n\n{head}{body}\n{_explanation(summary)}"


def _explanation(summary: Data) -> str:
    """Name the causes whose experiments were run, with the distances before and after; no other."""
    if not summary["causes"]:
        return "No cause was switched off: no pair differs, or one has no image to compare.\n"
    head = (
        "Known causes were switched off in the pairs that differ, and the images rendered again."
        " A cause explains a difference that vanishes with it.\n\n"
        "| cause | pair | change | | differing pixels | ULP | RMSE (photons) | ratio of sums | explains |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
    )
    rows = "".join(_cause_rows(row) for row in summary["causes"])
    meanings = {row["id"]: f"- {row['id']}: {row['title']}; see {row['see']}\n" for row in summary["causes"]}
    return f"{head}{rows}\n{''.join(meanings.values())}\n{_conclusion(summary)}"


def _cause_rows(row: Data) -> str:
    """Return two rows: the pair as it is, and with the cause switched off."""
    keys = ("differing_pixels", "max_ulp", "rmse", "sum_ratio")
    before, after = (" | ".join(_number(row[when][key]) for key in keys) for when in ("before", "after"))
    what = f"{row['id']} | {row['x']} vs {row['r']} | {row['change']}"
    explains = "yes" if row["explains"] else "no"
    return f"| {what} | before | {before} | |\n| | | | after | {after} | {explains} |\n"


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
    collected = "" if tests["status"] == "passed" else f" The tests that exist: {layout.COLLECT_LOG}."
    line = f": {tests['line']}" if tests["line"] else ""
    return f"## Tests\n\npytest {tests['status']}{line}.{collected}\n"


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
    return f"## Protected assets\n\n{protected['files']} files, the same hashes before and after the run.\n"


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
    rows = "".join(f"| {name} | {layout.what(name)} |\n" for name in names)
    return f"## Files\n\n| file | what it is |\n|---|---|\n{rows}\n{hash_sentence(len(names) - 1)}"


def _number(value: object) -> str:
    """Write a figure: floats with all digits that matter, nothing as '-'."""
    if value is None or value == "":
        return "-"
    return repr(value) if isinstance(value, float) else str(value)
