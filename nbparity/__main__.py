"""Command line of the harness; the only place that prints errors and exits."""

import argparse
import sys
from collections.abc import Sequence

from . import nb_compare
from .commands import bundles, cases, stages
from .commands.options import require_checkout
from .errors import BlockedError, ExitCode, ParityError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["compare"]:
        return nb_compare.main(words[1:])
    arguments = _parser().parse_args(words)
    try:
        require_checkout(arguments)
        return int(arguments.command(arguments))
    except BlockedError as error:
        print(f"nbparity: blocked: {error}", file=sys.stderr)
        if error.output:
            print(error.output, file=sys.stderr)
        return error.exit_code
    except ParityError as error:
        print(f"nbparity: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"nbparity: {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
        return ExitCode.NOT_WRITTEN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nbparity", description="Compare the diffraction programs.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (
        stages.add_n1,
        stages.add_n2,
        stages.add_o1,
        stages.add_parity,
        stages.add_causes,
        bundles.add_replay,
        bundles.add_verify,
        bundles.add_sign,
        bundles.add_digest,
        bundles.add_ledger,
        bundles.add_artifact,
        bundles.add_trace,
        cases.add_matrix,
        cases.add_golden,
        cases.add_historical,
        cases.add_bench,
    ):
        add(commands)
    commands.add_parser("compare", help="the same as nb-compare, its exit statuses included", add_help=False)
    return parser


if __name__ == "__main__":
    sys.exit(main())
