"""The command line: the only place that prints errors and sets the exit status (C5)."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.command_line.required_input import MissingInputError
from nanobrag_torch.command_line.scan import StopEarly
from nanobrag_torch.command_line.usage import text_for
from nanobrag_torch.errors import NanoBragError

LOG = logging.getLogger("nanobrag_torch")
FAILED = NanoBragError.exit_code


def main(argv: list[str] | None = None) -> int:
    """Run one command line; 0 on success, 9 after one line on standard error (C5)."""
    try:
        with warnings_on_standard_error():
            return run(sys.argv[1:] if argv is None else argv)
    except MissingInputError as error:
        print(text_for("-h"), end="")
        print(f"ERROR: {error}", file=sys.stderr)
        return FAILED
    except NanoBragError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # the reader of our standard output went away, which is no news to anybody
        sys.stderr.close()
        return FAILED
    except MemoryError:
        print("ERROR: not enough memory for this run, expected a smaller detector or table", file=sys.stderr)
        return FAILED


@contextmanager
def warnings_on_standard_error() -> Iterator[None]:
    """Show what the package logs, one line ``WARNING: ...`` each (C8.3)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    LOG.addHandler(handler)
    try:
        yield
    finally:
        LOG.removeHandler(handler)


def run(argv: list[str]) -> int:
    """Parse and simulate; torch is only loaded when there is something to render."""
    try:
        request, warnings = parse(argv)
    except StopEarly as stop:
        print(text_for(stop.option), end="")
        return 0
    for warning in warnings:
        LOG.warning(warning)
    from nanobrag_torch.simulate import simulate

    simulate(request, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
