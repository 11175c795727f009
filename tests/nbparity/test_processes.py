import inspect
import os
import subprocess
import sys
import time

import pytest

from nbparity import thresholds
from nbparity.processes import render_time_s, run


@pytest.fixture
def python(tmp_path):
    """Run a line of Python as a process and return how it ended and what it printed."""

    def runner(code, **options):
        log = tmp_path / "log.txt"
        done = run(
            [sys.executable, "-IS", "-c", code],
            folder=tmp_path,
            log=log,
            environment=dict(os.environ),
            **options,
        )
        return done, log.read_bytes()

    return runner


def test_both_streams_are_kept_in_order(python):
    """Standard output and error are one text, as on a terminal."""
    done, log = python(
        "import sys; print('a', flush=True); print('b', file=sys.stderr, flush=True); print('c')"
    )
    assert (done.status, log) == (0, b"a\nb\nc\n")


def test_the_exit_status_is_kept(python):
    """Also that of a signal."""
    assert python("raise SystemExit(9)")[0].status == 9
    assert python("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")[0].status == -11


def test_much_output_arrives_whole(python):
    """Nothing is held in memory and nothing is lost."""
    log = python("print('x' * 20_000_000)")[1]
    assert len(log) == 20_000_001


def test_a_hanging_program_is_killed_with_its_children(python, tmp_path):
    """The child of the program would otherwise go on and write its file."""
    child = "import time; time.sleep(1.5); open('alive', 'w')"
    code = (
        f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    )
    done, log = python(code, time_limit_s=0.5)
    assert done.status == -9
    assert b"killed after the time limit of 0.5 s" in log
    time.sleep(1.5)
    assert not (tmp_path / "alive").exists()


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_program_that_prints_without_end_is_stopped(python, tmp_path, stream):
    """Into either log, also where standard error has one of its own."""
    code = f"import sys\nwhile True: print('x' * 999, file=sys.{stream})"
    done, _ = python(code, log_limit_bytes=1_000_000, error_log=tmp_path / "errors.txt")
    assert done.status == -9
    assert (
        (tmp_path / "errors.txt").read_bytes().endswith(b"\nkilled after more than 1000000 bytes of output\n")
    )


def test_whoever_sets_no_limit_has_that_of_the_thresholds():
    """Comparisons and matrices run programs of the user's, too."""
    limit = inspect.signature(run).parameters["log_limit_bytes"].default
    assert limit == thresholds.load().max_log_bytes


PEAK = """
import os, pathlib, sys
from nbparity.processes import run
here = pathlib.Path.cwd()
for code in ("pass", "b'x' * 200_000_000"):
    command = [sys.executable, "-IS", "-c", code]
    print(run(command, folder=here, log=here / "log", environment=dict(os.environ)).peak_rss_bytes)
"""


def test_the_peak_memory_is_that_of_the_process(root, tmp_path):
    """A process that fills 200 MB has more than one that does nothing."""
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", PEAK]
    printed = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True).stdout
    small, large = map(int, printed.split())
    assert small < 100_000_000
    assert 200_000_000 < large < 400_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("render time = 0.25 s\n", 0.25),
        ("a\n render time = 1e-3 s (pixel loop)\nb", 1e-3),
        ("render time = 1 s\nrender time = 2 s\n", 2.0),
        ("no such line\n", None),
        ("surrender time = 3 s", None),
    ],
)
def test_the_render_time_is_read_from_the_output(text, seconds):
    """The last one counts; none is none."""
    assert render_time_s(text) == seconds
