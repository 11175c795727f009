"""The command line: the only place that prints errors and sets the exit status (C5)."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from nanobrag_torch.advice import NanoBragWarning
from nanobrag_torch.command_line.files import check_files, on_standard_output
from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.command_line.required_input import require_inputs, with_default_cache
from nanobrag_torch.command_line.scan import StopEarly
from nanobrag_torch.command_line.usage import PROGRAM, short_text, text_for
from nanobrag_torch.errors import NanoBragError

FAILED = NanoBragError.exit_code
INTERRUPTED = 130


def main(argv: list[str] | None = None) -> int:
    """Run one command line.

    Returns 0 on success, 9 after one line on standard error (C5), or after the short text if there
    are no arguments (C10.7), 130 after Ctrl-C as shells do.
    """
    make_streams_usable()
    arguments = sys.argv[1:] if argv is None else argv
    try:
        if not arguments:
            print(short_text(), end="", flush=True)
            return FAILED
        with advice_on_standard_error():
            run(arguments)
        sys.stdout.flush()
        return 0
    except NanoBragError as error:
        return failed(str(error), error.exit_code)
    except NanoBragWarning as warning:  # python -W error makes errors of them
        return failed(str(warning))
    except BrokenPipeError:
        # the reader of our standard output went away, which is no news to anybody
        discard_standard_output()
        return FAILED
    except OSError as error:
        # files have errors of their own, so this is standard output
        discard_standard_output()
        return failed(f"standard output: {error.strerror}, expected a stream that can be written")
    except MemoryError:
        return failed("not enough memory for this run, expected a smaller detector or table")
    except KeyboardInterrupt:
        return failed("interrupted, no file was left unfinished", INTERRUPTED)


def run(argv: list[str]) -> None:
    """Parse and simulate; torch is only loaded when there is something to render (C10.6)."""
    try:
        request, advice = parse(argv)
    except StopEarly as stop:
        print(text_for(stop.option), end="")
        return
    for said in advice:
        warnings.warn(said, stacklevel=1)
    require_inputs(with_default_cache(request))
    check_files(request)
    from nanobrag_torch.simulate import simulate

    simulate(request, sys.stdout if on_standard_output(request) is None else sys.stderr)


def failed(message: str, status: int = FAILED) -> int:
    """Print the one line of an error; the exit status."""
    say("ERROR", message)
    return status


def say(level: str, text: str) -> None:
    """One line on standard error (C5, C8.3)."""
    print(f"{PROGRAM}: {level}: {one_line(text)}", file=sys.stderr)


def one_line(text: str) -> str:
    """``text`` with a question mark for each character that cannot be shown: names may hold anything."""
    return "".join(character if character.isprintable() else "?" for character in text)


@contextmanager
def advice_on_standard_error() -> Iterator[None]:
    """Show each piece of advice as a line ``PROGRAM: LEVEL: text``, unless Python's -W decides (C8.3)."""
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("default", NanoBragWarning)
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if issubclass(category, NanoBragWarning):
                say(category.level, str(message))
            else:
                others(message, category, *place, **more)

        warnings.showwarning = show
        yield


def make_streams_usable() -> None:
    """Stand in for streams that the caller closed, and pass on file names that are not valid text."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for the rest of the process
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")


def discard_standard_output() -> None:
    """Lead it nowhere: Python flushes it once more at the end, and would fail and complain again."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
