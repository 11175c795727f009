"""Coverage-guided fuzzing of the simulator's readers and command line in one process: ``nox -s fuzz_guided``.

Each reader gets ``--runs`` inputs from atheris, seeded from the corpus of tests/malformed and, where they
are, from the field cases (NB_FIELD_DIR). A reader may return or raise the error that it documents, in one
line that names the file; any other exception, a crash, or an input that takes longer than ``SECONDS`` is a
failure, whose input is kept in ``--keep``. Prints a table; ends with status 1 after a failure.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "malformed"))

SECONDS = 10
"""No reader of a file of a few kilobytes needs longer."""
LONGEST = 4096
MEGABYTES = 3000


def child(name: str, folder: Path, runs: int, seed: int) -> None:
    """Fuzz one reader in this process, which ends with it."""
    import atheris

    with atheris.instrument_imports(include=["nanobrag_torch"]):
        from parsers import PARSERS, require_clean_end
    parser = next(parser for parser in PARSERS if parser.name == name)
    path = folder / "input"

    def one(data: bytes) -> None:
        path.write_bytes(data)
        require_clean_end(parser, path)

    atheris.Setup(
        [
            sys.argv[0],
            f"-runs={runs}",
            f"-seed={seed}",
            f"-max_len={LONGEST}",
            f"-timeout={SECONDS}",
            f"-rss_limit_mb={MEGABYTES}",
            f"-artifact_prefix={folder}/failed-",
            "-print_final_stats=1",
            str(folder / "corpus"),
        ],
        one,
    )
    atheris.Fuzz()


def seeds(name: str) -> list[bytes]:
    """What the reader's kind has in the corpus, and the field cases, which are of every kind."""
    from corpus import ENTRIES
    from parsers import PARSERS

    parser = next(parser for parser in PARSERS if parser.name == name)
    field = Path(os.environ.get("NB_FIELD_DIR", ROOT.parent / "shared" / "field"))
    found = [*parser.seeds, *(entry.content for entry in ENTRIES if isinstance(entry.content, bytes))]
    found += [path.read_bytes() for path in sorted(field.glob("*/*")) if path.is_file()]
    return [data[:LONGEST] for data in found]


def fuzz(name: str, runs: int, seed: int, keep: Path) -> bool:
    """Fuzz one reader in a process of its own; print its row; whether it had no failure."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as scratch:
        folder = Path(scratch)
        (folder / "corpus").mkdir()
        for number, data in enumerate(seeds(name)):
            (folder / "corpus" / f"seed-{number}").write_bytes(data)
        started = time.monotonic()
        done = subprocess.run(
            [
                sys.executable,
                __file__,
                "--child",
                name,
                f"--folder={folder}",
                f"--runs={runs}",
                f"--seed={seed}",
            ],
            capture_output=True,
            check=False,
        )
        text = (done.stdout + done.stderr).decode("utf-8", "replace")
        units = re.search(r"stat::number_of_executed_units:\s*(\d+)", text)
        features = re.findall(r"cov: (\d+)", text)
        failed = sorted(folder.glob("failed-*"))
        for path in failed:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{name}-{path.name}").write_bytes(path.read_bytes())
        new = len(list((folder / "corpus").iterdir())) - len(seeds(name))
    good = done.returncode == 0 and not failed
    print(
        f"{name:28} {int(units[1]) if units else 0:9} {time.monotonic() - started:8.0f}"
        f" {features[-1] if features else '-':>8} {new:9} {'ok' if good else 'FAILED':>7}",
        flush=True,
    )
    if not good:
        print("\n".join(text.splitlines()[-25:]))
    return good


def main() -> int:
    """Fuzz every reader, or those named."""
    arguments = argparse.ArgumentParser(prog="nox -s fuzz_guided --", description=__doc__)
    arguments.add_argument("readers", nargs="*", help="names of PARSERS; default: all")
    arguments.add_argument("--runs", type=int, default=1_000_000)
    arguments.add_argument("--seed", type=int, default=Random().randrange(1 << 31))
    arguments.add_argument("--keep", type=Path, default=ROOT / "build" / "fuzz")
    arguments.add_argument("--child", help=argparse.SUPPRESS)
    arguments.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.child:
        child(options.child, options.folder, options.runs, options.seed)
        return 0
    from parsers import PARSERS

    names = options.readers or [parser.name for parser in PARSERS]
    print(f"seed {options.seed}")
    print(f"{'reader':28} {'inputs':>9} {'seconds':>8} {'coverage':>8} {'new seeds':>9}")
    return 0 if all([fuzz(name, options.runs, options.seed, options.keep) for name in names]) else 1


if __name__ == "__main__":
    sys.exit(main())
