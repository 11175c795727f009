"""Progress of a render: a bar on a terminal, and the lines that scripts look for (C6.3)."""

from __future__ import annotations

import time
from typing import TextIO

WIDTH = 40
FIRST_S = 1.0
EVERY_S = 0.1

FEWEST_PIXELS = 100
"""Smaller regions are rendered without a word."""
EDGE_PERCENT = 10
"""Every percent is shown in the first and the last tenth, every fifth percent between."""


class ProgressBar:
    """A bar that is redrawn in place; nothing on short renders."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.next_s = time.monotonic() + FIRST_S
        self.drawn = False

    def __call__(self, done: int, total: int) -> None:
        """Draw the bar for ``done`` of ``total`` pixels, at most ten times a second."""
        now = time.monotonic()
        if now < self.next_s:
            return
        self.next_s = now + EVERY_S
        self.drawn = True
        filled = WIDTH * done // total
        self.stream.write(f"\r[{'#' * filled}{'.' * (WIDTH - filled)}] {100 * done // total:3d}%")
        self.stream.flush()

    def close(self) -> None:
        """Leave the line empty again."""
        if self.drawn:
            self.stream.write("\r" + " " * (WIDTH + 7) + "\r")
            self.stream.flush()


class PercentLines:
    """Lines ``n% done``; none for a region of fewer than 100 pixels."""

    def __init__(self, stream: TextIO, region_pixels: int) -> None:
        self.stream = stream
        self.silent = region_pixels < FEWEST_PIXELS
        self.shown = -1

    def __call__(self, done: int, total: int) -> None:
        """Write a line if ``done`` of ``total`` pixels is far enough beyond the last line."""
        percent = 100 * done // total
        at_the_edge = percent <= EDGE_PERCENT or percent >= 100 - EDGE_PERCENT
        if not self.silent and percent >= self.shown + (1 if at_the_edge else 5):
            self.shown = percent
            print(f"{percent}% done", file=self.stream, flush=True)

    def close(self) -> None:
        """Nothing is left open."""


class Displays:
    """Several ways to show the same progress."""

    def __init__(self, *parts: ProgressBar | PercentLines) -> None:
        self.parts = parts

    def __call__(self, done: int, total: int) -> None:
        """Show ``done`` of ``total`` pixels."""
        for part in self.parts:
            part(done, total)

    def close(self) -> None:
        """Leave nothing open."""
        for part in self.parts:
            part.close()


def progress_on(out: TextIO, err: TextIO, region_pixels: int) -> Displays:
    """A bar if ``err`` is a terminal; lines on ``out``, unless a person at a terminal has the bar there.

    The region may reach beyond the image.
    """
    lines = PercentLines(out, region_pixels)
    if not err.isatty():
        return Displays(lines)
    return Displays(ProgressBar(err)) if out.isatty() else Displays(ProgressBar(err), lines)
