"""What the drivers of libFuzzer share: command line, limits, table, and the judgement of what they find.

``guided.py`` runs the readers of the simulator, ``c/run.py`` those of the C programs.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from command_lines import END, START
from corpus import GOOD_FILES, options
from fuzz import Campaign, Case, Tally, little_work
from seeds import COMMAND_LINE, LONGEST, LONGEST_LINE, dictionary, seeds, tokens

ROOT = Path(__file__).resolve().parents[2]
GENERATOR = ROOT / "golden_suite_generator"
FOLDER = ROOT / "build" / "fuzz-guided"
MEMORY = Path("/dev/shm")
SECONDS = 10
"""Time of one input, after which it counts as a hang."""
MEGABYTES = 2048
FAILURES = ("crash-", "leak-", "timeout-", "oom-")
"""How the names of inputs begin that libFuzzer keeps because they failed; one that is only slow is none."""


@dataclass(frozen=True)
class Target:
    """One reader of one program.

    ``kind`` is the kind of file of the corpus that it reads, empty if it is none that all three programs
    read. ``command`` makes the command that fuzzes it, without options of libFuzzer, in a folder.
    """

    program: str
    reader: str
    kind: str
    command: Callable[[Path], list[str]]
    judged: bool = False


@dataclass
class Result:
    """What came of one target."""

    target: Target
    runs: int = 0
    seconds: float = 0.0
    features: int = 0
    seeds: int = 0
    found: list[bytes] = field(default_factory=list)
    failures: list[Path] = field(default_factory=list)
    tally: Tally | None = None

    @property
    def failed(self) -> int:
        """How many inputs failed."""
        return len(self.failures) + (len(self.tally.failures) if self.tally else 0)

    def row(self) -> str:
        """One line of the table."""
        judged = f"{self.tally.inputs:9}{len(self.tally.failures):10}" if self.tally else ""
        return (
            f"{self.target.program:16}{self.target.reader:18}{self.runs:10}{self.seconds:9.0f}{self.features:9}"
            f"{self.seeds:7}{len(self.found):7}{len(self.failures):9}{judged}"
        )


HEADER = (
    f"{'program':16}{'reader':18}{'inputs':>10}{'seconds':>9}{'features':>9}{'seeds':>7}{'found':>7}"
    f"{'failed':>9}"
)


def fuzz(target: Target, runs: int, seed: int, folder: Path) -> Result:
    """Fuzz one target from its seeds, in a folder with a good file of every kind.

    The log, and inputs that fail, go to ``folder``.
    """
    result = Result(target)
    name = f"{target.program}-{target.reader}"
    kept, log = folder / name, folder / f"{name}.log"
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=MEMORY if MEMORY.is_dir() else None) as held:
        scratch = Path(held)
        work, corpus, words = scratch / "work", scratch / "corpus", scratch / "tokens"
        fill(work, GOOD_FILES)
        start = {sha256(seed).hexdigest()[:16]: seed for seed in seeds(target.reader, target.kind)}
        fill(corpus, start)
        words.write_text(dictionary(tokens(target.reader, target.kind)))
        command = [
            *target.command(scratch),
            f"-runs={runs}",
            f"-seed={seed}",
            f"-max_len={LONGEST_LINE if target.kind == COMMAND_LINE else LONGEST}",
            f"-timeout={SECONDS}",
            f"-rss_limit_mb={MEGABYTES}",
            f"-dict={words}",
            f"-artifact_prefix={kept}/",
            "-print_final_stats=1",
            str(corpus),
        ]
        began = time.monotonic()
        with log.open("wb") as out:
            status = subprocess.run(command, cwd=work, stdout=out, stderr=out, check=False).returncode
        result.seconds = time.monotonic() - began
        result.seeds = len(start)
        result.found = [path.read_bytes() for path in sorted(corpus.iterdir()) if path.name not in start]
    said = log.read_text(errors="replace")
    result.runs = last_number(r"number_of_executed_units: *(\d+)", said)
    result.features = last_number(r" ft: (\d+)", said)
    result.failures = [path for path in sorted(kept.iterdir()) if path.name.startswith(FAILURES)]
    if status and not result.failures:
        raise SystemExit(f"the fuzzer of {name} ended with {status}, see {log}")
    return result


def fill(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put files into a new folder."""
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def last_number(pattern: str, text: str) -> int:
    """The number of the last place of a log that fits, 0 if none does."""
    return int((re.findall(pattern, text) or ["0"])[-1])


def cases(kind: str, contents: Sequence[bytes]) -> Iterator[Case]:
    """What was found as inputs of the three programs."""
    for index, content in enumerate(contents):
        if kind != COMMAND_LINE:
            name = f"input.{kind}"
            yield Case(kind, index, options(kind, name), {name: content})
        elif b"\0" not in content:
            words = content.decode("utf-8", "surrogateescape").split("\n")
            yield Case(kind, index, [*START.split(), *words, *END.split()], GOOD_FILES)


def judge(target: Target, contents: Sequence[bytes], failures: Path) -> Tally:
    """Run what was found through the three programs, which have to agree (see ``fuzz.py``)."""
    tally = Tally(target.kind)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch, little_work():
        place = failures / f"{target.program}-{target.reader}"
        campaign = Campaign(0, GENERATOR / "build" / "sanitize", Path(scratch), place)
        for case in cases(target.kind, contents):
            campaign.try_case(case, tally)
    return tally


def run(doc: str | None, targets: Sequence[Target]) -> int:
    """Fuzz the targets that the command line names, all without a name; 1 if something failed."""
    parser = argparse.ArgumentParser(prog="nox -s fuzz_guided --", description=doc)
    parser.add_argument("--runs", type=int, default=1_000_000, help="of each reader (default 1000000)")
    parser.add_argument("--seed", type=int, default=1, help="of the mutations (default 1)")
    parser.add_argument("--only", action="append", help="one reader of the table; may be repeated")
    parser.add_argument("--program", action="append", help="one program; may be repeated")
    parser.add_argument("--judge", action="store_true", help="run what is found through three programs, too")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="logs and failing inputs")
    chosen = parser.parse_args()
    folder = chosen.folder.resolve()
    failed = 0
    print(HEADER + (f"{'judged':>9}{'disagree':>10}" if chosen.judge else ""), flush=True)
    for target in targets:
        wanted = chosen.only is None or target.reader in chosen.only
        if wanted and (chosen.program is None or target.program in chosen.program):
            result = fuzz(target, chosen.runs, chosen.seed, folder)
            if chosen.judge and target.judged:
                result.tally = judge(target, result.found, folder / "disagree")
            print(result.row(), flush=True)
            failed += result.failed
    print(f"{failed} failing inputs are kept in {folder}" if failed else "no failures")
    return 1 if failed else 0
