"""``nbparity bench``: how long the simulator and the C program take for a full frame, side by side.

``--write`` enters the figures into docs/benchmark.toml, from which README.md quotes.
"""

import statistics
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from . import environment
from .errors import BlockedError
from .experiment import Experiment
from .processes import render_time_s, run
from .programs import Program


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds of each run and the largest memory of any, in bytes.

    ``render_s`` is the time that the program prints, ``wall_s`` that of the whole process: start, reading and
    writing files included.
    """

    program: str
    threads: int
    render_s: tuple[float, ...]
    wall_s: tuple[float, ...]
    peak_rss_bytes: int

    @property
    def median_s(self) -> float:
        """The median render time."""
        return statistics.median(self.render_s)

    @property
    def median_wall_s(self) -> float:
        """The median time of the whole process."""
        return statistics.median(self.wall_s)


def bench(
    root: Path,
    experiment: Experiment,
    programs: tuple[Program, Program],
    threads: tuple[int, ...],
    repeats: int,
) -> list[Timing]:
    """Time both programs on the full frame, alternating, so that a busy machine slows both down."""
    experiment.check_inputs()
    timings = []
    for count in threads:
        runs: dict[str, list[tuple[float, float, int]]] = {program.name: [] for program in programs}
        for _ in range(repeats):
            for program in programs:
                runs[program.name].append(_time_once(root, experiment, program, count))
        for name, done in runs.items():
            render_s, wall_s, peaks = zip(*done, strict=True)
            timings.append(
                Timing(
                    program=name, threads=count, render_s=render_s, wall_s=wall_s, peak_rss_bytes=max(peaks)
                )
            )
    return timings


def _time_once(
    root: Path, experiment: Experiment, program: Program, threads: int
) -> tuple[float, float, int]:
    """Render once and return render time and time of the process in seconds, and peak memory in bytes."""
    surroundings = environment.child_environment(root, threads)
    # It is there for bits alone and takes a fifth of its speed from the C program.
    surroundings.pop("GLIBC_TUNABLES", None)
    with tempfile.TemporaryDirectory(prefix="nbparity-") as scratch_name:
        scratch = Path(scratch_name)
        experiment.copy_inputs(scratch)
        log = scratch / "log.txt"
        done = run(
            (*program.command, *experiment.args, "-noprogress", "-floatfile", "float.bin"),
            folder=scratch,
            log=log,
            environment=surroundings,
        )
        text = log.read_text(encoding="utf-8", errors="replace")
    if done.status != 0:
        raise BlockedError(f"program {program.name} ended with {done.status}", text)
    render_s = render_time_s(text)
    if render_s is None:
        raise BlockedError(f"program {program.name} printed no line 'render time = <s> s'", text)
    return render_s, done.wall_s, done.peak_rss_bytes


def table(timings: list[Timing]) -> str:
    """Return one row per program and thread count, and the ratio of the medians per thread count."""
    head = ("render (s)", "process (s)", "peak (MiB)")
    lines = [f"{'program':8} {'threads':>7} {head[0]:>10} {head[1]:>11} {head[2]:>10}  render runs (s)"]
    for timing in timings:
        runs = " ".join(f"{seconds:.3f}" for seconds in timing.render_s)
        mib = timing.peak_rss_bytes / 2**20
        lines.append(
            f"{timing.program:8} {timing.threads:7} {timing.median_s:10.3f} {timing.median_wall_s:11.3f}"
            f" {mib:10.0f}  {runs}"
        )
    for count in sorted({timing.threads for timing in timings}):
        c_spec, py = (
            next(t for t in timings if t.threads == count and t.program == name) for name in ("c_spec", "py")
        )
        lines.append(
            f"{count} thread(s): py is {c_spec.median_s / py.median_s:.2f} times as fast as c_spec,"
            f" the whole process {c_spec.median_wall_s / py.median_wall_s:.2f} times"
        )
    return "\n".join(lines) + "\n"


HEAD = """# Full frames timed by `nox -s bench -- --write`, a table per processor: medians of alternating runs
# in seconds, of the render time that a program prints and of the whole process, and the largest memory in
# MiB. README.md quotes from here.
"""


def write(path: Path, timings: Sequence[Timing], experiment: str) -> None:
    """Put the figures of this machine's processor into ``path``, in the place of earlier ones of it."""
    machine = environment.machine()
    known = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    known[machine["processor"]] = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "experiment": experiment,
        "cores": int(machine["cores usable"]),
        "run": [
            {
                "program": timing.program,
                "threads": timing.threads,
                "render_s": round(timing.median_s, 2),
                "process_s": round(timing.median_wall_s, 2),
                "peak_mib": round(timing.peak_rss_bytes / 2**20),
            }
            for timing in timings
        ],
    }
    lines = [HEAD]
    for processor, facts in sorted(known.items()):
        rows = facts.pop("run")
        lines += [f'["{processor}"]', *(f"{key} = {_toml(value)}" for key, value in facts.items()), "run = ["]
        lines += [
            f"  {{ {', '.join(f'{key} = {_toml(value)}' for key, value in row.items())} }}," for row in rows
        ]
        lines += ["]", ""]
    path.write_text("\n".join(lines), encoding="utf-8")


def _toml(value: str | float) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
