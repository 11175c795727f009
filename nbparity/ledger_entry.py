"""``ledger_entry.md``: a run as an entry of the ledger, without the number that only the ledger gives."""

import json
import shlex
from pathlib import Path
from typing import Any

from . import digest, layout, outcome, pytest_log

Data = dict[str, Any]
FIGURES = ("differing_pixels", "max_ulp", "correlation", "sum_ratio", "rmse", "max_difference")
COLUMNS = (
    "differing pixels",
    "largest distance (ULP)",
    "correlation",
    "ratio of sums",
    "RMSE",
    "largest difference",
)


def text(bundle: Path, summary: Data) -> str:
    """Return the entry of a bundle whose raw files are in place."""
    run: Data = json.loads((bundle / layout.RUN).read_text(encoding="utf-8"))
    ended = outcome.of(bundle, summary, run)
    commit, *state = (bundle / layout.GIT).read_text(encoding="utf-8").splitlines()
    return "".join(
        [
            f"- stamp: {run['stamp']}, experiment {summary['experiment']}\n",
            f"- git {commit}{', ' + state[0].removeprefix('state: ') if state else ''}\n",
            f"- verdict: {ended.verdict}, exit status {int(ended.exit_code)}\n",
            *(f"  - {reason}\n" for reason in ended.reasons),
            f"- tests: {pytest_log.words(summary['tests'])}\n",
            f"- bundle digest: {digest.digest(bundle, summary) or 'none, the run was blocked'}\n",
            _metrics(summary),
            _commands(bundle, run),
        ]
    )


def _metrics(summary: Data) -> str:
    if not summary["pairs"]:
        return "- metrics: none\n"
    rows = {name.replace("_vs_", " vs "): pair for name, pair in summary["pairs"].items()}
    if summary["ablation"] is not None:
        rows["c vs c_spec, cause switched off"] = summary["ablation"]
    body = "".join(
        f"  | {name} | {' | '.join(_figure(pair[key]) for key in FIGURES)} |\n" for name, pair in rows.items()
    )
    return f"- metrics:\n\n  | pair | {' | '.join(COLUMNS)} |\n  |---|{'---|' * len(COLUMNS)}\n{body}\n"


def _figure(value: object) -> str:
    return "-" if value is None else repr(value)


def _commands(bundle: Path, run: Data) -> str:
    """List the commands without the places of the machine: the checkout is '.', the interpreter 'python'."""
    lines = "".join(f"      {_portable(row.command, run)}\n" for row in layout.read_commands(bundle))
    return f"- commands, in order; verbatim in {layout.COMMANDS} of the bundle:\n\n{lines}"


def _portable(command: str, run: Data) -> str:
    return shlex.join(_word(word, run) for word in shlex.split(command))


def _word(word: str, run: Data) -> str:
    if word == run["python"]:
        return "python"
    if word == run["root"]:
        return "."
    inside = word.startswith(f"{run['root']}/")
    if inside:
        return f"./{word.removeprefix(run['root'] + '/')}"
    return Path(word).name if word.startswith("/") else word
