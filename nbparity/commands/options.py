"""Options that several commands have, and what follows from them."""

import argparse
import math
import os
from pathlib import Path
from typing import TypeAlias

from .. import campaign, causes, experiment, verify
from ..errors import UsageError
from ..processes import TIME_LIMIT_S
from ..programs import Programs, locate

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
ROOT = Path(__file__).resolve().parents[2]
FOLDERS = campaign.reports()
NO_DIGEST = "none, the run was blocked"


def common(parser: argparse.ArgumentParser) -> None:
    """Add what most commands need: the checkout and the programs."""
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (default: this one)")
    parser.add_argument("--c-bin", help="C program with the old defects (default: $NB_C_BIN, or ours)")
    parser.add_argument("--spec-bin", help="C program in specification mode (default: the one built here)")
    parser.add_argument("--py-bin", help="simulator (default: python -m nanobrag_torch)")


def programs_of(arguments: argparse.Namespace) -> Programs:
    """Return the programs that were chosen."""
    return locate(arguments.root, c_bin=arguments.c_bin, spec_bin=arguments.spec_bin, py_bin=arguments.py_bin)


def require_checkout(arguments: argparse.Namespace) -> None:
    """Raise UsageError if there is no checkout to work on, as where the package alone was installed.

    Commands that take no ``--root`` measure by the checkout that they are part of.
    """
    root: Path = getattr(arguments, "root", verify.ROOT)
    missing = [str(path) for path in (causes.FILE, experiment.FOLDER) if not (root / path).exists()]
    if missing:
        choice = ", or name it with --root" if hasattr(arguments, "root") else ""
        raise UsageError(
            f"{root}: no checkout of the repository ({' and '.join(missing)} not there), which this command"
            f" needs: run .venv/bin/nbparity in one, after make venv{choice}"
        )


def positive(text: str) -> int:
    """Read a whole number from 1."""
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a whole number from 1")
    return int(text)


def seconds(text: str) -> float:
    """Read a time."""
    try:
        time_s = float(text)
    except ValueError:
        time_s = math.nan
    if not time_s > 0:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected seconds above 0")
    return time_s


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def bundle_options(parser: argparse.ArgumentParser) -> None:
    """Add where bundles go, and how long a program may run."""
    parser.add_argument("--campaign", default=FOLDERS.campaign, help="first folder below reports/")
    parser.add_argument("--reports", type=Path, help="instead of reports/")
    parser.add_argument(
        "--time-limit", type=seconds, default=TIME_LIMIT_S, help="seconds per program (default: %(default)g)"
    )


def thread_option(parser: argparse.ArgumentParser) -> None:
    """Add the threads of the simulator."""
    parser.add_argument("--py-threads", type=positive, default=1, help="threads of the simulator")


def reports_of(arguments: argparse.Namespace, phase: str) -> Path:
    """Return the folder of a phase of the campaign, where its bundles or records lie side by side."""
    reports: Path = (arguments.reports or arguments.root.resolve() / "reports").absolute()
    return reports / str(arguments.campaign) / phase / FOLDERS.last
