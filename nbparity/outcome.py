"""How a run ended: the verdict, the reasons and the exit status, from what its bundle holds."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import layout
from .errors import ExitCode
from .verdict import EXIT_CODES, Name


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Where the bundle is, its verdict and reasons, and the exit status that follows."""

    folder: Path
    verdict: str
    reasons: tuple[str, ...]
    exit_code: ExitCode


def read(folder: Path) -> Outcome:
    """Return the outcome of a finished bundle."""
    return of(
        folder,
        json.loads((folder / layout.SUMMARY).read_text(encoding="utf-8")),
        json.loads((folder / layout.RUN).read_text(encoding="utf-8")),
    )


def of(folder: Path, summary: dict[str, Any], run: dict[str, Any]) -> Outcome:
    """Return the outcome from the summary and the facts of a run."""
    verdict, reasons = Name(summary["verdict"]["name"]), list(summary["verdict"]["reasons"])
    code = EXIT_CODES[verdict]
    if run["blocked"] is not None:
        reasons.append(run["blocked"]["reason"])
    elif summary["protected_assets"]["changed"]:
        reasons.append(f"protected assets changed: {', '.join(summary['protected_assets']['changed'])}")
        code = ExitCode.NOT_INTACT
    elif code is ExitCode.OK and summary["tests"]["status"] != "passed":
        reasons.append(f"pytest {summary['tests']['status']}")
        code = ExitCode.TESTS_FAILED
    return Outcome(folder=folder, verdict=verdict.value, reasons=tuple(reasons), exit_code=code)
