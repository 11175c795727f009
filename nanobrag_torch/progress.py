"""Progress of a long render on a terminal."""

from __future__ import annotations

import time
from typing import TextIO

WIDTH = 40
FIRST_S = 1.0
EVERY_S = 0.1


class ProgressBar:
    """A bar that is redrawn in place; silent where ``stream`` is no terminal and on short renders."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.next_s = time.monotonic() + FIRST_S if stream.isatty() else float("inf")
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
