"""Progress on a terminal and elsewhere (C6.3)."""

from __future__ import annotations

import io

import pytest
import torch

from nanobrag_torch import progress
from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.progress import PercentLines, ProgressBar, progress_on
from nanobrag_torch.setup.build import experiment
from nanobrag_torch.simulate import timed_render


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that the test sets."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_bar_waits_and_is_wiped(clock: list[float]) -> None:
    """Nothing for the first second, ten pictures a second after that, an empty line at the end."""
    stream = Terminal()
    bar = ProgressBar(stream)
    bar(1, 4)
    assert stream.getvalue() == ""
    clock[0] += 1.5
    bar(2, 4)
    assert stream.getvalue() == "\r[" + "#" * 20 + "." * 20 + "]  50%"
    bar(3, 4)
    assert "75%" not in stream.getvalue()
    clock[0] += 0.2
    bar(3, 4)
    assert "75%" in stream.getvalue()
    bar.close()
    assert stream.getvalue().split("\r")[-2].strip() == "" and stream.getvalue().endswith("\r")


def test_bar_of_a_short_render_leaves_no_trace(clock: list[float]) -> None:
    """Not even a line end."""
    stream = Terminal()
    bar = ProgressBar(stream)
    bar(4, 4)
    bar.close()
    assert stream.getvalue() == ""


def test_an_interrupted_render_wipes_its_bar(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """The line that follows begins where the bar was."""
    request, _ = parse("-cell 50 60 70 -default_F 1 -detpixels 4".split())
    stream = Terminal()

    def interrupted(*_: object, progress: ProgressBar, **__: object) -> None:
        clock[0] += 2
        progress(1, 2)
        raise KeyboardInterrupt

    monkeypatch.setattr("nanobrag_torch.simulate.render", interrupted)
    monkeypatch.setattr("sys.stderr", stream)
    with pytest.raises(KeyboardInterrupt):
        timed_render(request, experiment(request), torch.device("cpu"), io.StringIO())
    assert "50%" in stream.getvalue() and stream.getvalue().endswith(" \r")


def test_lines_are_dense_at_both_ends() -> None:
    """Every percent in the first and last tenth, every fifth between."""
    out = io.StringIO()
    lines = PercentLines(out, 1000)
    for done in range(1001):
        lines(done, 1000)
    lines.close()
    shown = [int(line.removesuffix("% done")) for line in out.getvalue().splitlines()]
    assert shown == [*range(0, 11), *range(15, 90, 5), *range(90, 101)]


@pytest.mark.parametrize(("region_pixels", "text"), [(99, ""), (100, "100% done\n")])
def test_small_regions_are_silent(region_pixels: int, text: str) -> None:
    """Fewer than 100 pixels in the region: no line."""
    out = io.StringIO()
    PercentLines(out, region_pixels)(7, 7)
    assert out.getvalue() == text


@pytest.mark.parametrize(
    ("out", "err", "lines", "bar"),
    [
        (io.StringIO, io.StringIO, True, False),
        (io.StringIO, Terminal, True, True),
        (Terminal, io.StringIO, True, False),
        (Terminal, Terminal, False, True),
    ],
)
def test_a_terminal_gets_the_bar_and_a_file_the_lines(
    out: type[io.StringIO], err: type[io.StringIO], lines: bool, bar: bool, clock: list[float]
) -> None:
    """Who redirects the output at a terminal finds the lines in the file (C6.3)."""
    standard_output, standard_error = out(), err()
    progress_of_both = progress_on(standard_output, standard_error, 100)
    clock[0] += 10.0
    progress_of_both(7, 7)
    progress_of_both.close()
    assert ("100% done" in standard_output.getvalue()) == lines
    assert ("100%" in standard_error.getvalue()) == bar
