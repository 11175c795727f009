"""Mutated files and random command lines for every parser: ``nox -s fuzz -- --minutes 4 --seed 1``.

The readers of the simulator run by themselves, under Hypothesis. Then all three programs run on the same
input, the C programs with sanitizers. No input may end a program with a signal, a report of a sanitizer, a
traceback or more than one ERROR line, or keep it busy; the simulator and nanoBragg-spec agree on the exit
status and on every bit of the float image (C5, C8.4, F2 to F12).
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "malformed"))

import numpy as np  # noqa: E402
from command_lines import DIFFERENT_BY_RIGHT, command_line  # noqa: E402
from corpus import GOOD_FILES, KINDS, options  # noqa: E402
from mutation import mutated  # noqa: E402
from parsers import PARSERS, Parser, one_round, random_seed  # noqa: E402
from seeds import COMMAND_LINE, seeds, seeds_of  # noqa: E402
from three_programs import C_PROGRAMS, SIMULATOR, SPECIFICATION, Outcome, run_all  # noqa: E402

import nanobrag_torch.simulate as simulation  # noqa: E402

BINARIES = ROOT / "golden_suite_generator" / "build" / "sanitize"
SECONDS = 10.0
MOST_TERMS = 300_000
"""Pixels times terms of a run; what asks for more is passed over, since it takes long by right."""
SHARE_OF_PARSERS = 0.2
MOST_SHOWN = 10


@dataclass(frozen=True)
class Case:
    """One input of the three programs."""

    target: str
    index: int
    words: Sequence[str]
    files: Mapping[str, bytes]

    def prepare(self, folder: Path) -> None:
        """Put the files into a folder."""
        for name, content in self.files.items():
            (folder / name).write_bytes(content)

    @property
    def comparable(self) -> bool:
        """Whether both programs offer all that the line asks for."""
        return not DIFFERENT_BY_RIGHT.intersection(self.words)


@dataclass
class Tally:
    """What came of one target."""

    target: str
    inputs: int = 0
    accepted: int = 0
    passed_over: int = 0
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0


class TooMuchWorkError(BaseException):
    """A legal input whose image would take long; nothing is wrong with it."""


def little_work() -> Any:
    """A context in which the simulator stops where it would begin to render for long."""
    render = simulation.timed_render

    def checked(request: Any, experiment: Any, *others: Any) -> Any:
        pixels = experiment.detector.fast_pixels * experiment.detector.slow_pixels
        if pixels * experiment.sampling.steps * experiment.detector.sensor.layers > MOST_TERMS:
            raise TooMuchWorkError
        return render(request, experiment, *others)

    return mock.patch.object(simulation, "timed_render", checked)


# ---- the inputs -----------------------------------------------------------------------------------------


def file_case(kind: str, seeds: Sequence[bytes], seed: int, index: int) -> Case:
    """A changed file of a kind; depends on the arguments alone."""
    name = f"input.{kind}"
    content = mutated(Random(f"{seed}/{kind}/{index}"), seeds)
    return Case(kind, index, options(kind, name), {name: content})


def line_case(seed: int, index: int) -> Case:
    """A random command line; depends on the arguments alone."""
    rng = Random(f"{seed}/{COMMAND_LINE}/{index}")
    return Case(COMMAND_LINE, index, command_line(rng), GOOD_FILES)


# ---- what has to hold -----------------------------------------------------------------------------------


def same_image(one: bytes | None, other: bytes | None) -> bool:
    """Whether two float images have the same bits, one NaN being as good as another."""
    if one is None or other is None or len(one) != len(other):
        return one == other
    a, b = np.frombuffer(one, np.float32), np.frombuffer(other, np.float32)
    return bool(((a.view(np.int32) == b.view(np.int32)) | (np.isnan(a) & np.isnan(b))).all())


def problems(case: Case, outcomes: dict[str, Outcome]) -> list[str]:
    """What is wrong with the three runs of one input."""
    found = [text for outcome in outcomes.values() for text in outcome.complaints()]
    ours, reference = outcomes[SIMULATOR], outcomes[SPECIFICATION]
    if case.comparable and not found:
        if ours.status != reference.status:
            said = [error for outcome in (ours, reference) for error in outcome.errors]
            found.append(
                f"{SIMULATOR} ends with {ours.status}, {SPECIFICATION} with {reference.status}: {said}"
            )
        elif not same_image(ours.image, reference.image):
            found.append("the float images differ")
    return found


def save(case: Case, texts: Sequence[str], folder: Path) -> Path:
    """Keep a failing input: its files, the command line, and what is wrong."""
    place = folder / f"{case.target.replace(' ', '-')}-{case.index}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    case.prepare(place)
    (place / "command.txt").write_text(
        shlex.join(case.words) + "\n", encoding="utf-8", errors="surrogateescape"
    )
    (place / "problems.txt").write_text("\n".join(texts) + "\n", encoding="utf-8", errors="backslashreplace")
    return place


# ---- running --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Campaign:
    """One call of this program: the seed, copies of the C programs, and where failures are kept."""

    seed: int
    binaries: Path
    scratch: Path
    failures: Path

    def try_case(self, case: Case, tally: Tally) -> None:
        """Run the three programs on one input and note what came of it."""
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            try:
                outcomes = run_all(self.binaries, case.words, case.prepare, Path(folder), SECONDS)
            except TooMuchWorkError:
                tally.passed_over += 1
                return
        tally.inputs += 1
        tally.accepted += outcomes[SIMULATOR].status == 0
        texts = problems(case, outcomes)
        if texts:
            place = save(case, texts, self.failures)
            again = f"--seed {self.seed} --only '{case.target}' --input {case.index}"
            self.fail(tally, f"{place}: {texts[0]}\n    again with: nox -s fuzz -- {again}")

    def fail(self, tally: Tally, text: str) -> None:
        """Note a failure; the first ones are shown at once."""
        tally.failures.append(text)
        if len(tally.failures) <= MOST_SHOWN:
            print(f"FAILED {text}", flush=True)

    def fuzz_programs(self, make: Callable[[int], Case], tally: Tally, deadline: float) -> None:
        """Inputs 0, 1, 2 and so on, until the time is up."""
        while time.monotonic() < deadline:
            self.try_case(make(tally.inputs + tally.passed_over), tally)

    def fuzz_parser(self, parser: Parser, tally: Tally, deadline: float) -> None:
        """Rounds of examples, until the time is up."""
        number = 0
        starts = seeds(parser.name, parser.kind)
        while time.monotonic() < deadline:
            result = one_round(parser, starts, random_seed(self.seed, parser.name, number), self.scratch)
            tally.inputs += result.inputs
            tally.accepted += result.accepted
            if result.failure:
                place = save(
                    Case(parser.name, number, [], {"file": result.content}), [result.failure], self.failures
                )
                again = f"--seed {self.seed} --only {parser.name}"
                self.fail(tally, f"{place}: {result.failure}\n    again with: nox -s fuzz -- {again}")
            number += 1


def makers(seed: int) -> dict[str, Callable[[int], Case]]:
    """For each target of the programs the function that makes its inputs."""
    files = {kind: partial(file_case, kind, seeds_of(kind), seed) for kind in KINDS}
    return {**files, COMMAND_LINE: partial(line_case, seed)}


def targets_of(campaign: Campaign) -> dict[str, Callable[[Tally, float], None]]:
    """Every target with the function that fuzzes it until a deadline."""
    readers = {parser.name: partial(campaign.fuzz_parser, parser) for parser in PARSERS}
    programs = {name: partial(campaign.fuzz_programs, make) for name, make in makers(campaign.seed).items()}
    return {**readers, **programs}


def shares(names: Sequence[str], seconds: float) -> dict[str, float]:
    """Seconds for each target; the readers by themselves are fast and get less."""
    parsers = {parser.name for parser in PARSERS}.intersection(names)
    others = len(names) - len(parsers)
    share = SHARE_OF_PARSERS if others and parsers else float(not others)
    return {
        name: seconds * (share / len(parsers) if name in parsers else (1 - share) / others) for name in names
    }


def run_campaign(campaign: Campaign, chosen: Sequence[str], minutes: float) -> list[Tally]:
    """Fuzz the chosen targets, one after the other."""
    targets = targets_of(campaign)
    names = [name for name in targets if not chosen or name in chosen]
    tallies = []
    with little_work():
        for name, seconds in shares(names, 60 * minutes).items():
            tally, start = Tally(name), time.monotonic()
            targets[name](tally, start + seconds)
            tally.seconds = time.monotonic() - start
            tallies.append(tally)
            print(f"{name}: {tally.inputs} inputs, {len(tally.failures)} failures", flush=True)
    return tallies


def table(tallies: Sequence[Tally]) -> str:
    """The summary, one row for each target."""
    lines = [f"{'target':24}{'inputs':>9}{'accepted':>10}{'passed over':>13}{'failures':>10}{'minutes':>9}"]
    for tally in [*tallies, total(tallies)]:
        lines.append(
            f"{tally.target:24}{tally.inputs:9}{tally.accepted:10}{tally.passed_over:13}"
            f"{len(tally.failures):10}{tally.seconds / 60:9.2f}"
        )
    return "\n".join(lines)


def total(tallies: Sequence[Tally]) -> Tally:
    """The sum of all targets."""
    return Tally(
        "all",
        sum(tally.inputs for tally in tallies),
        sum(tally.accepted for tally in tallies),
        sum(tally.passed_over for tally in tallies),
        [failure for tally in tallies for failure in tally.failures],
        sum(tally.seconds for tally in tallies),
    )


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line of this program."""
    names = [*(parser.name for parser in PARSERS), *KINDS, COMMAND_LINE]
    parser = argparse.ArgumentParser(prog="nox -s fuzz --", description="Fuzz every parser.")
    parser.add_argument("--minutes", type=float, default=4.0, help="in all (default 4)")
    parser.add_argument("--seed", type=int, default=None, help="repeats a run (default: from the clock)")
    parser.add_argument(
        "--only", action="append", default=[], choices=names, help="one target; may be repeated"
    )
    parser.add_argument("--input", type=int, default=None, help="one input of the one target of the programs")
    parser.add_argument(
        "--failures", type=Path, default=ROOT / "build" / "fuzz", help="folder for failing inputs"
    )
    chosen = parser.parse_args(argv)
    if chosen.input is not None and (len(chosen.only) != 1 or chosen.only[0] not in [*KINDS, COMMAND_LINE]):
        parser.error("--input needs --only with one kind of file or 'command line'")
    return chosen


def main(argv: Sequence[str] | None = None) -> int:
    """Fuzz; 1 if something failed."""
    chosen = arguments(argv)
    seed = int(time.time()) % 1_000_000 if chosen.seed is None else chosen.seed
    failures = chosen.failures / f"seed-{seed}"
    print(f"seed {seed}: repeat this run with: nox -s fuzz -- --seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        for name in C_PROGRAMS:  # a copy, so that a build in the meantime does not matter
            shutil.copy2(BINARIES / name, Path(scratch) / name)
        campaign = Campaign(seed, Path(scratch), Path(scratch), failures)
        if chosen.input is not None:
            tallies = [Tally(chosen.only[0])]
            with little_work():
                campaign.try_case(makers(seed)[chosen.only[0]](chosen.input), tallies[0])
        else:
            tallies = run_campaign(campaign, chosen.only, chosen.minutes)
    print(table(tallies))
    failed = sum(len(tally.failures) for tally in tallies)
    print(f"{failed} failing inputs are kept in {failures}" if failed else "no failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
