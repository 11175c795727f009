"""``nbparity bench``: how long the simulator and the C program take for a full frame, side by side."""

import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import environment
from .errors import BlockedError
from .experiment import Experiment
from .processes import render_time_s, run
from .programs import Program


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Render times as the program prints them, in seconds, and the largest memory of any run, in bytes."""

    program: str
    threads: int
    render_s: tuple[float, ...]
    peak_rss_bytes: int

    @property
    def median_s(self) -> float:
        """The median render time."""
        return statistics.median(self.render_s)


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
        seconds: dict[str, list[float]] = {program.name: [] for program in programs}
        peaks = dict.fromkeys(seconds, 0)
        for _ in range(repeats):
            for program in programs:
                render_s, peak = _time_once(root, experiment, program, count)
                seconds[program.name].append(render_s)
                peaks[program.name] = max(peaks[program.name], peak)
        timings += [
            Timing(program=name, threads=count, render_s=tuple(times), peak_rss_bytes=peaks[name])
            for name, times in seconds.items()
        ]
    return timings


def _time_once(root: Path, experiment: Experiment, program: Program, threads: int) -> tuple[float, int]:
    """Render once and return render time in seconds and peak memory in bytes."""
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
    return render_s, done.peak_rss_bytes


def table(timings: list[Timing]) -> str:
    """Return one row per program and thread count, and the ratio of the medians per thread count."""
    lines = [f"{'program':8} {'threads':>7} {'median (s)':>10} {'peak (MiB)':>10}  runs (s)"]
    for timing in timings:
        runs = " ".join(f"{seconds:.3f}" for seconds in timing.render_s)
        mib = timing.peak_rss_bytes / 2**20
        lines.append(f"{timing.program:8} {timing.threads:7} {timing.median_s:10.3f} {mib:10.0f}  {runs}")
    for count in sorted({timing.threads for timing in timings}):
        c_spec, py = (
            next(t for t in timings if t.threads == count and t.program == name) for name in ("c_spec", "py")
        )
        lines.append(f"{count} thread(s): py is {c_spec.median_s / py.median_s:.2f} times as fast as c_spec")
    return "\n".join(lines) + "\n"
