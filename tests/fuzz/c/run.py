"""libFuzzer on every reader of the C programs: ``python tests/fuzz/c/run.py --runs 1000000``.

Builds the targets of this folder (clang and its runtime), seeds each with the corpus of malformed files, and
prints a table. A crash, a report of a sanitizer, a leak, a hang, or a message that is not one line with place
and expectation ends a target, and the input is kept below ``build/fuzz-c``. With ``--judge`` the files that a
target found are also run through all three programs, which have to agree (see ``../fuzz.py``).
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "malformed")]

from command_lines import END, START  # noqa: E402
from corpus import CLEAN, GOOD_FILES, LINES_ACCEPTED, LINES_REFUSED, options  # noqa: E402
from fuzz import Campaign, Case, Tally, little_work, seeds_of  # noqa: E402
from mutation import EXTREMES, PIECES  # noqa: E402
from parsers import COMMAND_LINES  # noqa: E402

from nanobrag_torch.command_line.flags import BY_SPELLING  # noqa: E402

GENERATOR = ROOT / "golden_suite_generator"
KINDS = {
    "list": "hkl",
    "cache": "dump",
    "matrix": "mat",
    "sources": "sourcefile",
    "amorphous": "stol",
    "header": "img",
    "mask": "mask",
}
"""Target -> the kind of file of the corpus that it reads."""
COMMAND_LINE = "command_line"
READERS = (*KINDS, COMMAND_LINE)
PROGRAMS = {"spec": "nanoBragg-spec", "hist": "nanoBragg"}
LONGEST, LONGEST_LINE = 4096, 600
"""Bytes of a file, with room for a header and its pixels, and of a line; longer ones only take longer."""
SECONDS = 10
"""Time of one input, after which it counts as a hang."""
FAILURE_PREFIXES = ("crash-", "leak-", "timeout-", "oom-")


@dataclass
class Result:
    """What came of one target."""

    program: str
    reader: str
    runs: int = 0
    seconds: float = 0.0
    seeds: int = 0
    found: list[bytes] = field(default_factory=list)
    failures: list[Path] = field(default_factory=list)


def seeds(reader: str) -> list[bytes]:
    """The corpus of a reader, as long as it is short."""
    if reader != COMMAND_LINE:
        return [seed for seed in seeds_of(KINDS[reader]) if len(seed) <= LONGEST]
    lines = [line.split() for line in (*LINES_REFUSED, *LINES_ACCEPTED)]
    lines += [[spelling, *"1 2 3".split()[: flag.arity]] for spelling, flag in BY_SPELLING.items()]
    words = ["\n".join([*START.split(), *line, *END.split()]).encode() for line in lines]
    return [seed for seed in (*words, *COMMAND_LINES) if len(seed) <= LONGEST_LINE]


def dictionary(reader: str) -> str:
    """Tokens for libFuzzer: numbers at the edge, bytes with a meaning, keywords or options."""
    tokens = {*EXTREMES, *PIECES}
    if reader in ("header", "mask"):
        tokens |= set(re.findall(rb"[A-Z_0-9]+=", CLEAN["img"])) | {b"TYPE=signed_long;", b"TWOTHETA=5;"}
    if reader == COMMAND_LINE:
        tokens |= {f"\n{spelling}\n".encode() for spelling in BY_SPELLING}
        tokens |= {f"\n{name}".encode() for name in GOOD_FILES}
    texts = ("".join(f"\\x{byte:02x}" for byte in token) for token in sorted(tokens) if 0 < len(token) <= 64)
    return "".join(f'"{text}"\n' for text in texts)


def fill(folder: Path, contents: Sequence[bytes]) -> None:
    """Put files into a folder, named after their content."""
    folder.mkdir()
    for content in contents:
        (folder / sha256(content).hexdigest()[:16]).write_bytes(content)


def run_target(program: str, reader: str, runs: int, seed: int, failures: Path, log: Path) -> Result:
    """Run one target from its seeds, in a folder with a good file of every kind."""
    result = Result(program, reader)
    kept = failures / f"{program}-{reader}"
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fuzz-c-") as scratch:
        work, corpus = Path(scratch) / "work", Path(scratch) / "corpus"
        work.mkdir()
        # a copy, so that a build in the meantime does not matter
        binary = Path(shutil.copy2(GENERATOR / "build" / "fuzz" / program / f"fuzz-{reader}", scratch))
        for name, content in GOOD_FILES.items():
            (work / name).write_bytes(content)
        fill(corpus, seeds(reader))
        (Path(scratch) / "tokens").write_text(dictionary(reader))
        before = {path.name for path in corpus.iterdir()}
        command = [
            str(binary),
            f"-runs={runs}",
            f"-seed={seed}",
            f"-max_len={LONGEST_LINE if reader == COMMAND_LINE else LONGEST}",
            f"-timeout={SECONDS}",
        ]
        command += [f"-dict={scratch}/tokens", f"-artifact_prefix={kept}/", "-close_fd_mask=3"]
        command += ["-print_final_stats=1", "-rss_limit_mb=2048", str(corpus)]
        start = time.monotonic()
        with log.open("wb") as out:
            status = subprocess.run(command, cwd=work, stdout=out, stderr=out, check=False).returncode
        result.seconds = time.monotonic() - start
        result.seeds = len(before)
        result.found = [path.read_bytes() for path in sorted(corpus.iterdir()) if path.name not in before]
    said = log.read_text(errors="replace")
    result.runs = int((re.findall(r"number_of_executed_units: *(\d+)", said) or ["0"])[-1])
    result.failures = [path for path in sorted(kept.iterdir()) if path.name.startswith(FAILURE_PREFIXES)]
    if status and not result.failures:
        raise SystemExit(f"{binary} ended with {status}, see {log}")
    return result


def cases(result: Result) -> Iterator[Case]:
    """What a target found, as inputs of the three programs."""
    for index, content in enumerate(result.found):
        if result.reader != COMMAND_LINE:
            name = f"input.{KINDS[result.reader]}"
            yield Case(KINDS[result.reader], index, options(KINDS[result.reader], name), {name: content})
        elif b"\0" not in content:
            words = content.decode("utf-8", "surrogateescape").split("\n")
            yield Case(COMMAND_LINE, index, [*START.split(), *words, *END.split()], GOOD_FILES)


def judge(result: Result, failures: Path) -> Tally:
    """Run what a target found through the three programs."""
    tally = Tally(result.reader)
    with tempfile.TemporaryDirectory(prefix="fuzz-c-") as scratch, little_work():
        binaries = Path(scratch) / "binaries"
        binaries.mkdir()
        for name in PROGRAMS.values():
            shutil.copy2(GENERATOR / "build" / "sanitize" / name, binaries)
        campaign = Campaign(0, binaries, Path(scratch), failures)
        for case in cases(result):
            campaign.try_case(case, tally)
    return tally


def row(result: Result, tally: Tally | None) -> str:
    """One line of the table."""
    judged = "" if tally is None else f"{tally.inputs:9}{len(tally.failures):10}"
    return (
        f"{PROGRAMS[result.program]:16}{result.reader:14}{result.runs:10}{result.seconds:9.0f}"
        f"{len(result.failures):9}{result.seeds:7}{len(result.found):7}{judged}"
    )


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line of this program."""
    parser = argparse.ArgumentParser(description="libFuzzer on every reader of the C programs.")
    parser.add_argument("--runs", type=int, default=1_000_000, help="of each target (default 1000000)")
    parser.add_argument("--seed", type=int, default=1, help="of the mutations (default 1)")
    parser.add_argument("--only", action="append", choices=READERS, help="one reader; may be repeated")
    parser.add_argument("--program", action="append", choices=PROGRAMS, help="spec or hist (default both)")
    parser.add_argument(
        "--judge", action="store_true", help="run what is found through the three programs, too"
    )
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "fuzz-c", help="logs and failures")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Fuzz; 1 if something failed."""
    chosen = arguments(argv)
    make = ["make", "-s", "-j2", "-C", str(GENERATOR)]
    subprocess.run([*make, "fuzz"], check=True)
    if chosen.judge:
        subprocess.run([*make, "SANITIZE=1"], check=True)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    judged = f"{'judged':>9}{'disagree':>10}" if chosen.judge else ""
    header = f"{'runs':>10}{'seconds':>9}{'crashes':>9}{'seeds':>7}{'found':>7}{judged}"
    print(f"{'program':16}{'reader':14}{header}", flush=True)
    failed = 0
    for reader in chosen.only or READERS:
        for program in chosen.program or PROGRAMS:
            log = chosen.folder / f"{program}-{reader}.log"
            result = run_target(program, reader, chosen.runs, chosen.seed, chosen.folder, log)
            tally = judge(result, chosen.folder / "disagree") if chosen.judge and program == "spec" else None
            print(row(result, tally), flush=True)
            failed += len(result.failures) + (len(tally.failures) if tally else 0)
    print(f"{failed} failing inputs are kept in {chosen.folder}" if failed else "no failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
