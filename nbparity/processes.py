"""Running a program as a process of its own, with its output in a file and a time limit."""

import os
import re
import resource
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from . import thresholds

TIME_LIMIT_S = thresholds.load_time_limit_s()
MAX_LOG_BYTES = thresholds.load().max_log_bytes
OUTPUT_KEPT = 20_000
"""Bytes of the output of what blocked a run; the log holds all of it."""
RENDER_TIME = re.compile(r"^\s*render time\s*=\s*([0-9.eE+-]+)\s*s\b", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A process that ended: verbatim command, UTC start and end, exit status, seconds, peak memory.

    A negative status is the signal that ended it; 127 means that it could not be started. The end is the
    start plus the seconds, so a clock that is set in between does not make it last longer, or less than
    nothing. The peak is at least the memory of the process that started it, since Linux counts from the
    fork on.
    """

    command: tuple[str, ...]
    started: str
    ended: str
    status: int
    wall_s: float
    peak_rss_bytes: int


@dataclass(frozen=True)
class Stopwatch:
    """A start, in UTC, from which later times are counted with a clock that nobody sets."""

    start: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock: float = field(default_factory=time.monotonic)

    @property
    def started(self) -> str:
        """Return the start, ISO 8601, to the millisecond."""
        return _iso(self.start)

    def seconds(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.clock

    def now(self) -> str:
        """Return the start plus the seconds since then, in the form of the start."""
        return _iso(self.start + timedelta(seconds=self.seconds()))


def _iso(time_utc: datetime) -> str:
    return time_utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def run(
    command: Sequence[str],
    *,
    folder: Path,
    log: Path,
    environment: Mapping[str, str],
    time_limit_s: float = TIME_LIMIT_S,
    log_limit_bytes: int = MAX_LOG_BYTES,
    error_log: Path | None = None,
    inherit: tuple[int, ...] = (),
) -> Finished:
    """Run a program in a folder; standard output and error go to the log as they come.

    With an ``error_log`` standard error goes there. The program inherits the open files given. After the time
    limit, or when a log is longer than its limit, the program and its children are killed, and the log of
    errors says so.
    """
    watch = Stopwatch()
    with log.open("ab") as stream, (error_log or log).open("ab") as error_stream:
        try:
            process = subprocess.Popen(
                list(command),
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=error_stream,
                start_new_session=True,
                pass_fds=inherit,
            )
        except OSError as error:
            error_stream.write(f"{command[0]}: could not be started: {error.strerror or error}\n".encode())
            status, peak = 127, 0
        else:
            logs = (stream.fileno(), error_stream.fileno())
            limits = _Limits(watch, logs, time_limit_s, log_limit_bytes)
            status, peak, killed = _wait(process, limits)
            if killed:
                error_stream.write(f"\nkilled {killed}\n".encode())
    wall_s = watch.seconds()
    return Finished(
        command=tuple(command),
        started=watch.started,
        ended=_iso(watch.start + timedelta(seconds=wall_s)),
        status=status,
        wall_s=wall_s,
        peak_rss_bytes=peak,
    )


@dataclass(frozen=True)
class _Limits:
    """How long a program may run and how much it may print."""

    watch: Stopwatch
    logs: tuple[int, ...]
    time_limit_s: float
    log_limit_bytes: int

    def broken(self) -> str:
        """Say which limit is broken, nothing if none is."""
        if self.watch.seconds() > self.time_limit_s:
            return f"after the time limit of {self.time_limit_s:g} s"
        if any(os.fstat(log).st_size > self.log_limit_bytes for log in self.logs):
            return f"after more than {self.log_limit_bytes} bytes of output"
        return ""


def _wait(process: "subprocess.Popen[bytes]", limits: _Limits) -> tuple[int, int, str]:
    """Wait for the end; return status, peak resident memory in bytes, and why it was killed if it was."""
    pause_s, why = 0.002, ""
    try:
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            why = limits.broken()
            if why:
                _kill_group(process.pid)
                pid, status, usage = os.wait4(process.pid, 0)
                break
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, 0.05)
    except BaseException:
        _kill_group(process.pid)
        process.wait()
        raise
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, _peak_bytes(usage), why


def _peak_bytes(usage: resource.struct_rusage) -> int:
    """Return the peak resident memory; Linux counts it in KiB."""
    return usage.ru_maxrss * 1024


def _kill_group(pid: int) -> None:
    """Kill the process group a child leads, and what descends from it in groups of its own."""
    for descendant in [*_descendants(pid)]:
        _kill(descendant)
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _kill(pid: int) -> None:
    """Kill a process; it may have ended by itself, or belong to another user."""
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _descendants(pid: int) -> Iterator[int]:
    """List the living descendants of a process, as the kernel knows them at this moment."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name of the program stands in parentheses and may hold anything, parentheses included.
            parent = int(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
        parents.setdefault(parent, []).append(int(stat.parent.name))
    waiting = list(parents.get(pid, []))
    while waiting:
        child = waiting.pop()
        yield child
        waiting += parents.get(child, [])


def end_of(log: Path, size: int) -> str:
    """Return the last bytes of a log as text."""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - size))
        return stream.read().decode("utf-8", errors="replace")


def lines_with(log: Path, word: bytes) -> str:
    """Return the lines of a log of any size that hold a word, without holding the others in memory."""
    with log.open("rb") as stream:
        return b"".join(line for line in stream if word in line).decode("utf-8", errors="replace")


def render_time_s(log_text: str) -> float | None:
    """Return the last ``render time = <s> s`` of a program's output, None if there is none."""
    times = RENDER_TIME.findall(log_text)
    return float(times[-1]) if times else None


def render_time_of_log_s(log: Path) -> float | None:
    """Return the same of a log of any size, without holding it in memory."""
    return render_time_s(lines_with(log, b"render time"))
