"""The simulator and both C programs on one command line, each in a folder of its own and under limits."""

from __future__ import annotations

import io
import os
import resource
import signal
import subprocess
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import nanobrag_torch.simulate  # noqa: F401 - loads torch before the clock starts
from nanobrag_torch.__main__ import main

SIMULATOR, SPECIFICATION, HISTORICAL = "nanobrag_torch", "nanoBragg-spec", "nanoBragg"
C_PROGRAMS = (SPECIFICATION, HISTORICAL)
FLOAT_IMAGE = "floatimage.bin"
CRASHED = -1
MEGABYTES = 1024
WAITING = 12
"""Times the limit of the processor: a machine that many share gives each a part of it."""

Prepare = Callable[[Path], None]


class TooSlowError(BaseException):
    """The time is up; not an Exception, so that no error handler of the simulator takes it for its own."""


@dataclass(frozen=True)
class Outcome:
    """How one program ended; ``status`` is the exit status, negative after a crash or a signal.

    ``left`` are the files that are new or not what they were before the run.
    """

    program: str
    status: int
    out: str
    err: str
    left: tuple[str, ...]
    image: bytes | None
    slow: bool = False
    grown_mb: float = 0.0

    @property
    def errors(self) -> list[str]:
        """The lines on standard error that report an error."""
        return [line for line in self.err.split("\n") if line.startswith(f"{self.program}: ERROR: ")]

    def complaints(self) -> list[str]:
        """What no input may cause (C5): a signal, a traceback, a sanitizer's report, no end, no message."""
        lines = [line for line in self.err.split("\n") if line]
        known = tuple(f"{self.program}: {level}: " for level in ("ERROR", "WARNING", "NOTE"))
        remarks = [line for line in lines if not line.startswith(known)]
        found = []
        if self.slow:
            found.append("takes too long")
        elif self.status not in (0, 9):
            found.append(f"ends with status {self.status}")
        if remarks:
            found.append(f"says {remarks[0]!r} on standard error")
        if len(self.errors) != (self.status == 9):
            found.append(f"ends with status {self.status} and {len(self.errors)} ERROR lines")
        if self.grown_mb > MEGABYTES:
            found.append(f"needs {self.grown_mb:.0f} MiB")
        if self.status == 9 and "render time = " not in self.out and self.left:
            found.append(f"fails before rendering and leaves {' '.join(self.left)}")
        return [f"{self.program} {text}" for text in found]


class Folder:
    """The folder in which one program runs, and what lay there before."""

    def __init__(self, path: Path, prepare: Prepare) -> None:
        path.mkdir()
        prepare(path)
        self.path = path
        self.before = self.contents()

    def contents(self) -> dict[str, bytes]:
        """Name and bytes of everything; the bytes of what is not a file, or is a large one, are left out."""
        found = {}
        for path in sorted(self.path.iterdir()):
            small = path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 24
            found[path.name] = path.read_bytes() if small and os.access(path, os.R_OK) else b""
        return found

    def outcome(self, program: str, status: int, out: str, err: str, slow: bool, grown_mb: float) -> Outcome:
        """The end of a program that ran here."""
        after = self.contents()
        left = tuple(name for name, data in after.items() if self.before.get(name) != data)
        return Outcome(program, status, out, err, left, after.get(FLOAT_IMAGE), slow, grown_mb)


def run_simulator(options: Sequence[str], folder: Folder, seconds: float) -> Outcome:
    """Run the simulator in this process."""
    out, err = _stream("strict"), _stream("backslashreplace")
    before = _peak_mb()
    slow = False
    with chdir(folder.path), redirect_stdout(out), redirect_stderr(err):
        try:
            with _alarm(seconds):
                status = main(list(options))
        except TooSlowError:
            status, slow = CRASHED, True
        except Exception:
            status = CRASHED
            err.write(traceback.format_exc())
    return folder.outcome(SIMULATOR, status, _text(out), _text(err), slow, _peak_mb() - before)


def _stream(errors: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors=errors, write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise TooSlowError when the time is up, also out of a blocked system call.

    The time is that of the processor, which a busy machine does not stretch; who waits has a multiple of it.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise TooSlowError

    clocks = {
        signal.SIGPROF: (signal.ITIMER_PROF, seconds),
        signal.SIGALRM: (signal.ITIMER_REAL, WAITING * seconds),
    }
    previous = {number: signal.signal(number, stop) for number in clocks}
    for timer, limit in clocks.values():
        signal.setitimer(timer, limit)
    try:
        yield
    finally:
        for number, (timer, _) in clocks.items():
            signal.setitimer(timer, 0)
            signal.signal(number, previous[number])


@dataclass(frozen=True)
class CProcess:
    """A C program that was started."""

    program: str
    folder: Folder
    process: subprocess.Popen[bytes]

    def outcome(self, seconds: float) -> Outcome:
        """Wait for the end; a program that does not come to it is killed."""
        slow = False
        try:
            out, err = self.process.communicate(timeout=WAITING * seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            slow = True
        texts = [text.decode("utf-8", "replace") for text in (out, err)]
        return self.folder.outcome(self.program, self.process.returncode, texts[0], texts[1], slow, 0.0)

    def end(self) -> None:
        """Make sure that the program does not run on."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def start(binary: Path, options: Sequence[str], folder: Folder) -> CProcess:
    """Start a C program with one thread; its sanitizer ends it if it takes too much memory."""
    env = dict(os.environ, OMP_NUM_THREADS="1", LC_ALL="C", ASAN_OPTIONS=f"hard_rss_limit_mb={MEGABYTES}")
    for name in ("LD_PRELOAD", "LD_AUDIT"):  # the sanitizer has to come first
        env.pop(name, None)
    process = subprocess.Popen(
        [str(binary), *options],
        cwd=folder.path,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    return CProcess(binary.name, folder, process)


def run_all(
    binaries: Path, options: Sequence[str], prepare: Prepare, scratch: Path, seconds: float
) -> dict[str, Outcome]:
    """Run the three programs at the same time, each in a new folder below ``scratch``.

    ``prepare`` puts the input files into a folder; ``seconds`` is the time that each program has, of
    the processor for the simulator, and ``WAITING`` times as much by the clock.
    """
    folders = {name: Folder(scratch / name, prepare) for name in (SIMULATOR, *C_PROGRAMS)}
    started = [start(binaries / name, options, folders[name]) for name in C_PROGRAMS]
    try:
        outcomes = [run_simulator(options, folders[SIMULATOR], seconds)]
        outcomes += [process.outcome(seconds) for process in started]
    finally:
        for process in started:
            process.end()
    return {outcome.program: outcome for outcome in outcomes}
