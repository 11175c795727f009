"""Running a program as a process of its own, with its output in a file and a time limit."""

import os
import re
import resource
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

TIME_LIMIT_S = 3600.0
RENDER_TIME = re.compile(r"^\s*render time\s*=\s*([0-9.eE+-]+)\s*s\b", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A process that ended: verbatim command, UTC start and end, exit status, seconds, peak memory.

    A negative status is the signal that ended it; 127 means that it could not be started. The peak is at
    least the memory of the process that started it, since Linux counts from the fork on.
    """

    command: tuple[str, ...]
    started: str
    ended: str
    status: int
    wall_s: float
    peak_rss_bytes: int


def utc_now() -> str:
    """Return the time in UTC to the millisecond, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def run(
    command: Sequence[str],
    *,
    folder: Path,
    log: Path,
    environment: Mapping[str, str],
    time_limit_s: float = TIME_LIMIT_S,
    error_log: Path | None = None,
) -> Finished:
    """Run a program in a folder; standard output and error go to the log as they come.

    With an ``error_log`` standard error goes there. After the time limit the program and its children are
    killed, and the log says so.
    """
    started, clock = utc_now(), time.monotonic()
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
            )
        except OSError as error:
            error_stream.write(f"{command[0]}: could not be started: {error.strerror or error}\n".encode())
            status, peak = 127, 0
        else:
            status, peak = _wait(process, time_limit_s)
            if status == -signal.SIGKILL and time.monotonic() - clock >= time_limit_s:
                error_stream.write(f"\nkilled after the time limit of {time_limit_s:g} s\n".encode())
    return Finished(
        command=tuple(command),
        started=started,
        ended=utc_now(),
        status=status,
        wall_s=time.monotonic() - clock,
        peak_rss_bytes=peak,
    )


def _wait(process: "subprocess.Popen[bytes]", time_limit_s: float) -> tuple[int, int]:
    """Wait for the end and return status and peak resident memory in bytes."""
    deadline, pause_s = time.monotonic() + time_limit_s, 0.002
    try:
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
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
    return process.returncode, _peak_bytes(usage)


def _peak_bytes(usage: resource.struct_rusage) -> int:
    """Return the peak resident memory; Linux counts it in KiB."""
    return usage.ru_maxrss * 1024


def _kill_group(pid: int) -> None:
    """Kill the process group a child leads; it may have ended by itself."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def render_time_s(log_text: str) -> float | None:
    """Return the last ``render time = <s> s`` of a program's output, None if there is none."""
    times = RENDER_TIME.findall(log_text)
    return float(times[-1]) if times else None
