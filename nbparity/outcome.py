"""How a run ended: the verdict, the reasons, the exit status and one sentence, from what its bundle holds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import layout, pytest_log
from .errors import ExitCode
from .verdict import EXIT_CODES, Name

Data = dict[str, Any]
PASS, FAIL = "PASS", "FAIL"
OURS = {
    "py": "the simulator",
    "c_spec": "the specification",
    "c": "our rebuild of the old nanoBragg",
}
"""What a reader knows the programs by; :func:`names` has what stands in for them."""
SAID: Mapping[Name | ExitCode, str] = {
    Name.IDENTICAL: "{py} matches {c_spec} bit for bit, and so does {c}.",
    Name.C_PARITY_001: "{py} matches {c_spec} bit for bit; {c} differs by one known defect.",
    Name.UNEXPLAINED: "Images differ, or cannot be compared, and no known cause explains it.",
    Name.SCALE: "{py} has another total intensity than {c_spec}: a wrong scale, which nothing excuses.",
    Name.BLOCKED: "Nothing can be said: something that the run needs is missing, or failed.",
    ExitCode.NOT_INTACT: "A file that has to stay as it is changed during the run: nothing of it counts.",
    ExitCode.TESTS_FAILED: "The images agree as they should, but not the tests of the simulator at phi = 0.",
}
"""One sentence for each verdict, and for what overrules a good one."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Where the bundle is, its verdict and reasons, the exit status that follows, and one sentence."""

    folder: Path
    verdict: str
    reasons: tuple[str, ...]
    exit_code: ExitCode
    said: str

    @property
    def result(self) -> str:
        """The result in one word."""
        return PASS if self.exit_code is ExitCode.OK else FAIL


def read(folder: Path) -> Outcome:
    """Return the outcome of a finished bundle."""
    return of(
        folder,
        json.loads((folder / layout.SUMMARY).read_text(encoding="utf-8")),
        json.loads((folder / layout.RUN).read_text(encoding="utf-8")),
    )


def of(folder: Path, summary: Data, run: Data) -> Outcome:
    """Return the outcome from the summary and the facts of a run."""
    verdict, reasons = Name(summary["verdict"]["name"]), list(summary["verdict"]["reasons"])
    code = EXIT_CODES[verdict]
    if run["blocked"] is not None:
        reasons.append(run["blocked"]["reason"])
    elif summary["protected_assets"]["changed"]:
        reasons.append(f"protected assets changed: {', '.join(summary['protected_assets']['changed'])}")
        code = ExitCode.NOT_INTACT
    elif code is ExitCode.OK and summary["tests"]["failed"]:
        reasons.append(f"tests: {pytest_log.words(summary['tests'])}")
        code = ExitCode.TESTS_FAILED
    sentence = SAID.get(code, "") or SAID[verdict]
    return Outcome(
        folder=folder,
        verdict=verdict.value,
        reasons=tuple(reasons),
        exit_code=code,
        said=_sentence(sentence.format(**names(run))),
    )


def names(run: Data) -> dict[str, str]:
    """Return what each program is called in a sentence; one that the user gave is called so."""
    return {
        name: f"the program given as {name}" if run["programs"][name]["replaced"] else ours
        for name, ours in OURS.items()
    }


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
