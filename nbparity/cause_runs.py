"""``nbparity causes``: the experiment on every known cause, with the programs as they are, in one table.

An experiment that switches a cause off needs the difference to be there. Where it is not, as with a simulator
that does not ignore the fluence, or where an earlier cause explains it, there is nothing to switch off, and
the table says so.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from . import bundle, environment
from .case_runs import Rendered, render_alone
from .causes import Cause, Setting, Side, Trial, explains, met
from .compare import Comparison, compare, crop, undefined
from .errors import BlockedError
from .experiment import Experiment
from .programs import Programs
from .thresholds import Thresholds

FLOAT_FILE = "floatimage.bin"
AS_EXPECTED, ABSENT, NO_EFFECT, UNEXPECTED = "as expected", "not there", "cannot act here", "UNEXPECTED"
# Sine and cosine over many turns and the exponential, as a program calls them; packed doubles on its output.
LIBM_PROBE = """
import math, random, struct, sys
numbers = random.Random(20251008)
angles = [numbers.uniform(-1e4, 1e4) for _ in range(100000)]
values = [f(x) for f in (math.sin, math.cos) for x in angles] + [math.exp(-abs(x) / 100) for x in angles]
sys.stdout.buffer.write(struct.pack(f"<{len(values)}d", *values))
"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One experiment: the pair before and after the change, what became of it, and what the probe found."""

    cause: Cause
    trial: Trial
    before: Comparison
    after: Comparison | None
    outcome: str
    note: str


@dataclass(kw_only=True)
class Laboratory:
    """The programs on an experiment; an image is rendered once, however many experiments need it."""

    root: Path
    experiment: Experiment
    programs: Programs
    thresholds: Thresholds
    _made: dict[tuple[object, ...], Rendered] = field(default_factory=dict)
    _explained: dict[tuple[Side, Side], str] = field(default_factory=dict)

    def run(self, causes: Sequence[Cause]) -> list[Row]:
        """Run every experiment on the causes; BlockedError if a program or an input is not there or fails."""
        for program in self.programs.all():
            program.check()
        self.experiment.check_inputs()
        rows = []
        for cause in causes:
            for trial in cause.trials:
                rows.append(self._row(cause, trial))
                print(f"{cause.id}: {trial.words()}: {rows[-1].outcome}", flush=True)
        return rows

    def _row(self, cause: Cause, trial: Trial) -> Row:
        before = self._pair(trial, Setting())
        earlier = self._explained.get((trial.x, trial.r))
        if trial.switch == "off" and (before.identical or earlier):
            note = f"{earlier} explains the difference" if earlier else "the pair does not differ"
            return Row(cause=cause, trial=trial, before=before, after=None, outcome=ABSENT, note=note)
        after = self._pair(trial, trial.setting)
        if trial.switch == "off" and explains(after):
            self._explained[trial.x, trial.r] = cause.id
        expected = met(trial.before, before, self.thresholds) and met(trial.after, after, self.thresholds)
        outcome, note = (AS_EXPECTED if expected else UNEXPECTED), ""
        if cause.probe:
            differing, count = libm_probe(self._child(1, trial.setting.environment), self._child(1, {}))
            note = f"{differing} of {count} sines, cosines and exponentials differ with the change"
            outcome = outcome if differing or not expected else NO_EFFECT
        return Row(cause=cause, trial=trial, before=before, after=after, outcome=outcome, note=note)

    def _pair(self, trial: Trial, setting: Setting) -> Comparison:
        x, r = (
            self._render(side, setting if name in trial.changed else Setting(), whole=trial.whole_frame)
            for name, side in (("x", trial.x), ("r", trial.r))
        )
        if x.image is None or r.image is None:
            return undefined("an image cannot be read")
        roi = None if trial.whole_frame else self.experiment.roi
        return compare(crop(x.image, roi), crop(r.image, roi))

    def _child(self, threads: int, extra: Mapping[str, str]) -> dict[str, str]:
        return {**environment.child_environment(self.root, threads), **extra}

    def _render(self, side: Side, setting: Setting, *, whole: bool) -> Rendered:
        """Render one side with a setting, or return the image made before."""
        base = self.experiment.args if whole else self.experiment.roi_args
        args = setting.arguments(base, self.thresholds.ablation_offset_deg)
        threads = side.threads if setting.threads is None else setting.threads
        key = (side.program, args, threads, tuple(setting.environment.items()))
        if key not in self._made:
            program = next(program for program in self.programs.all() if program.name == side.program)
            done = render_alone(
                (*program.command, *args, "-floatfile", FLOAT_FILE),
                copy_inputs=self.experiment.copy_inputs,
                float_file=FLOAT_FILE,
                child=self._child(threads, setting.environment),
            )
            if done.status != 0:
                raise BlockedError(f"program {program.name} ended with {done.status}", done.text)
            self._made[key] = done
        return self._made[key]


def libm_probe(changed: Mapping[str, str], usual: Mapping[str, str]) -> tuple[int, int]:
    """Return how many functions' values two environments compute differently, and how many there are."""
    one, other = (_probe_values(env) for env in (changed, usual))
    return int(np.count_nonzero(one != other)), len(one)


def _probe_values(env: Mapping[str, str]) -> "np.ndarray[tuple[int], np.dtype[np.uint64]]":
    try:
        asked = subprocess.run(
            [sys.executable, "-c", LIBM_PROBE], capture_output=True, env=dict(env), timeout=300
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BlockedError(f"the probe of the C library could not be run: {error}") from None
    if asked.returncode != 0:
        message = f"the probe of the C library ended with {asked.returncode}"
        raise BlockedError(message, asked.stderr.decode("utf-8", errors="replace"))
    return np.frombuffer(asked.stdout, dtype="<u8")


def passed(rows: Sequence[Row]) -> bool:
    """Tell whether nothing came out otherwise than causes.toml says."""
    return all(row.outcome != UNEXPECTED for row in rows)


def write_report(parent: Path, experiment: Experiment, rows: Sequence[Row]) -> Path:
    """Write the table and every figure into a new folder below ``parent``."""
    with bundle.building(parent, folders=()) as folder:
        text = f"# Causes, on experiment {experiment.id}\n\n{table(rows)}\n{_meanings(rows)}"
        (folder / "causes.md").write_text(text, encoding="utf-8")
        data = {"experiment": experiment.id, "rows": [_data(row) for row in rows]}
        (folder / "causes.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        return bundle.place(folder, bundle.stamp())


def _data(row: Row) -> dict[str, Any]:
    return {
        "id": row.cause.id,
        "switch": row.trial.switch,
        "pair": row.trial.pair,
        "change": row.trial.words(),
        "before": row.before.as_dict(),
        "after": None if row.after is None else row.after.as_dict(),
        "expected": [row.trial.before, row.trial.after],
        "outcome": row.outcome,
        "note": row.note,
    }


def table(rows: Sequence[Row]) -> str:
    """Return two lines per experiment, the distance of its pair before and after the change."""
    head = (
        "| cause | switched | pair | change | | differing pixels | ULP | correlation | ratio of sums"
        " | RMSE (photons) | expected | outcome |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n"
    )
    return head + "".join(map(_lines, rows))


def _lines(row: Row) -> str:
    trial = row.trial
    pair = " vs ".join(
        side.program if side.threads == 1 else f"{side.program} ({side.threads} threads)"
        for side in (trial.x, trial.r)
    )
    first = [row.cause.id, trial.switch, pair, trial.words(), "before", *_cells(row.before), trial.before, ""]
    second = ["", "", "", "", "after", *_cells(row.after), trial.after, row.outcome]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (first, second))


def _cells(pair: Comparison | None) -> list[str]:
    """Write the distance of a pair: counts exactly, figures with six digits."""
    if pair is None:
        return ["-"] * 5
    if pair.problem:
        return [pair.problem, *["-"] * 4]
    figures = (pair.correlation, pair.sum_ratio, pair.rmse)
    numbers = ["-" if value is None else f"{value:.6g}" for value in figures]
    return [f"{pair.differing_pixels} of {pair.pixels}", str(pair.max_ulp), *numbers]


def _meanings(rows: Sequence[Row]) -> str:
    """Return what each cause is, and what the probes found."""
    causes = {row.cause.id: row.cause for row in rows}
    lines = [
        f"- {cause.id}: {cause.title}. What it changes: {cause.changes}. See {cause.see}.\n"
        for cause in causes.values()
    ]
    notes = {f"- {row.cause.id} ({row.trial.words()}): {row.note}.\n": None for row in rows if row.note}
    return "".join([*lines, *notes])
