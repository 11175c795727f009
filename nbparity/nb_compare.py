"""``nb-compare``: two programs with the same arguments, compared; its command line and exit statuses.

Its exit statuses are its own, not those of ``nbparity``; docs/development/testing_strategy.md lists both.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import NoReturn

from . import bundle, locks, side_by_side
from .compare import as_roi
from .errors import NotWrittenError, ParityError, UsageError
from .explain import words
from .processes import TIME_LIMIT_S
from .programs import Programs, build_command, is_built_here, locate, prebuilt_log
from .side_by_side import Job, Result, RunnerError
from .thresholds import NbCompareLimits, load_nb_compare

ROOT = Path(__file__).resolve().parents[1]
STAMP = "%Y%m%d-%H%M%S"


class Status(IntEnum):
    """Exit status of ``nb-compare``."""

    OK = 0
    USAGE = 1
    RUNNER_FAILED = 2
    DISAGREE = 3
    SHAPES_DIFFER = 4
    NOT_WRITTEN = 5


class _Parser(argparse.ArgumentParser):
    """A parser that raises; the caller chooses the exit status."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (nb-compare -h explains)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; return its exit status."""
    try:
        return _nb_compare(list(sys.argv[1:] if argv is None else argv))
    except ParityError as error:
        print(f"nb-compare: {error}", file=sys.stderr)
        return _status_of(error)
    except OSError as error:
        print(f"nb-compare: {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
        return Status.NOT_WRITTEN


def _status_of(error: ParityError) -> Status:
    if isinstance(error, RunnerError):
        return Status.RUNNER_FAILED
    return Status.NOT_WRITTEN if isinstance(error, NotWrittenError) else Status.USAGE


def _parser(limits: NbCompareLimits) -> _Parser:
    parser = _Parser(
        prog="nb-compare",
        usage="nb-compare [options] -- ARGS...",
        description="Run two diffraction programs with the same ARGS and compare their float images.",
        epilog=(
            "Options of ARGS that name an output file are left out; the float images are c_float.bin and"
            " py_float.bin. Where the images are not bit-identical, both programs are run again with each"
            " known cause taken away. Exit status, which no explanation changes: 0 agreement, 1 usage, 2 a"
            " program failed, 3 correlation below the threshold or sums on another scale, 4 shapes differ"
            " without --resample, 5 a file could not be read or written."
        ),
    )
    parser.add_argument("--outdir", type=Path, default=Path("comparisons"), help="default: %(default)s")
    parser.add_argument(
        "--roi",
        type=int,
        nargs=4,
        metavar=("xmin", "xmax", "ymin", "ymax"),
        help="compare and picture these pixels of C's image, fast x and slow y, inclusive; all are rendered",
    )
    parser.add_argument(
        "--threshold",
        type=float,
        default=limits.min_correlation,
        help="smallest Pearson correlation that is agreement (default: %(default)s)",
    )
    parser.add_argument(
        "--resample",
        action="store_true",
        help="bring the image of py to the shape of C's where they differ, by area, photons kept",
    )
    parser.add_argument(
        "--png-scale",
        type=float,
        default=limits.png_percentile,
        metavar="PCTL",
        help="percentile of C's positive pixels that is white (default: %(default)s)",
    )
    parser.add_argument("--save-diff", action="store_true", help="write diff.png")
    parser.add_argument("--no-explain", action="store_true", help="do not look for the cause of a difference")
    parser.add_argument(
        "--c-bin", metavar="PATH", help="any nanoBragg (default: $NB_C_BIN, or ours with the old defects)"
    )
    parser.add_argument("--py-bin", metavar="PATH", help="default: python -m nanobrag_torch")
    parser.add_argument(
        "--time-limit",
        type=float,
        default=TIME_LIMIT_S,
        metavar="S",
        help="seconds per program (default: %(default)g)",
    )
    return parser


def _nb_compare(argv: list[str]) -> Status:
    limits = load_nb_compare()
    parser = _parser(limits)
    own, args = _split(argv)
    options = parser.parse_args(own)
    if not args:
        raise UsageError("expected -- and after it the ARGS of both programs (nb-compare -h explains)")
    _check(options)
    programs = locate(ROOT, c_bin=options.c_bin, py_bin=options.py_bin)
    _build(programs)
    job = Job(
        root=ROOT,
        args=args,
        home=Path.cwd(),
        c=programs.c,
        py=programs.py,
        roi=as_roi(options.roi),
        resample=options.resample,
        png_percentile=options.png_scale,
        save_diff=options.save_diff,
        limits=limits,
        time_limit_s=options.time_limit,
        explain=not options.no_explain,
    )
    for option in side_by_side.left_out(args):
        print(f"nb-compare: {option} of ARGS is left out: only float images are compared", file=sys.stderr)
    return _run(job, options.outdir, options.threshold)


def _split(argv: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return what stands before and after the first ``--``."""
    if "--" not in argv:
        return argv, ()
    place = argv.index("--")
    return argv[:place], tuple(argv[place + 1 :])


def _check(options: argparse.Namespace) -> None:
    """Raise UsageError for a value that means nothing, before anything runs."""
    if options.roi and not (0 <= options.roi[0] <= options.roi[1] and 0 <= options.roi[2] <= options.roi[3]):
        found = " ".join(map(str, options.roi))
        raise UsageError(f"--roi {found}: expected 0 <= xmin <= xmax and 0 <= ymin <= ymax")
    if not -1 <= options.threshold <= 1:
        raise UsageError(f"--threshold {options.threshold:g}: expected a correlation, -1 to 1")
    if not 0 < options.png_scale <= 100:
        raise UsageError(f"--png-scale {options.png_scale:g}: expected a percentile above 0, up to 100")
    if not options.time_limit > 0:
        raise UsageError(f"--time-limit {options.time_limit:g}: expected seconds above 0")
    side_by_side.require_packages()


def _build(programs: Programs) -> None:
    """Bring our own C program up to date, if it is the one to run."""
    command = build_command(ROOT)
    ours = is_built_here(programs.c, ROOT) and prebuilt_log(ROOT) is None
    if ours and not (Path(command[-1]) / "Makefile").is_file():
        raise UsageError("no C program: name one with --c-bin or NB_C_BIN; only a checkout builds its own")
    if not ours:
        return
    try:
        # as for the other runs: make does not know of another one in the same folder
        with locks.exclusive(Path(command[-1])):
            made = subprocess.run([command[0], "-s", *command[1:]], capture_output=True, text=True)
    except OSError as error:
        raise RunnerError(f"c cannot be built: {command[0]}: {error.strerror}") from None
    if made.returncode != 0:
        last = ((made.stderr.strip() or made.stdout.strip()).splitlines() or ["it printed nothing"])[-1]
        raise RunnerError(f"c cannot be built: make ended with {made.returncode}: {last}")


def _run(job: Job, outdir: Path, threshold: float) -> Status:
    """Compare, put the folder into place and print what came out; a failed runner leaves its output there."""
    name = f"{datetime.now(UTC).strftime(STAMP)}-{side_by_side.digest(job.args)}"
    with bundle.building(outdir.absolute(), folders=()) as folder:
        try:
            result = side_by_side.compare_programs(job, folder)
        except RunnerError as error:
            placed = bundle.place(folder, name)
            raise RunnerError(f"{error} (see {from_here(placed)})") from None
        placed = bundle.place(folder, name)
    status, outcome = judge(result, threshold, job.limits)
    print(summary_line(result, threshold, outcome, from_here(placed)))
    print(table(result), end="")
    print(words(result.explanation), end="")
    return status


def judge(result: Result, threshold: float, limits: NbCompareLimits) -> tuple[Status, str]:
    """Return the exit status and what to call it."""
    if result.peaks is None:
        return Status.SHAPES_DIFFER, "SHAPES DIFFER"
    if not result.correlates(threshold):
        return Status.DISAGREE, "BELOW THRESHOLD"
    if not result.same_scale(limits.max_sum_factor):
        return Status.DISAGREE, "OTHER SCALE"
    return Status.OK, "agreement"


def from_here(path: Path) -> Path:
    """Return a path below the working folder without it, any other as it is."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def summary_line(result: Result, threshold: float, words: str, folder: Path) -> str:
    """Return the outcome in one line; a correlation never without the ratio of the sums."""
    pair = result.pair
    if pair.problem:
        return f"nb-compare: {words}: {pair.problem}: {folder}"
    return (
        f"nb-compare: {words}: correlation {_number(pair.correlation)} (threshold {threshold:g}),"
        f" sum py / c {_number(pair.sum_ratio)}, {pair.differing_pixels} of {pair.pixels} pixels differ:"
        f" {folder}"
    )


def table(result: Result) -> str:
    """Return the figures as a small table."""
    pair, peaks = result.pair, result.peaks
    rows = [
        ("", "c", "py"),
        ("run time (ms)", *(f"{1e3 * result.wall_s[side]:.0f}" for side in side_by_side.SIDES)),
        ("sum (photons)", _number(pair.sum_r), _number(pair.sum_x)),
    ]
    if peaks is not None:
        matched = (f"{peaks.matched_c} of {peaks.peaks_c}", f"{peaks.matched_py} of {peaks.peaks_py}")
        rows.append((f"peaks matched within {peaks.gate_px:g} px", *matched))
    lines = [f"  {name:28} {c:>14} {py:>14}\n" for name, c, py in rows]
    alone = [
        ("bit-identical fraction", pair.bit_identical_fraction),
        ("largest distance (ULP)", pair.max_ulp),
        ("RMSE (photons)", pair.rmse),
        ("largest difference", pair.max_difference),
        ("median peak shift (px)", None if peaks is None else peaks.median_px),
    ]
    return "".join(lines) + "".join(f"  {name:28} {_number(value):>29}\n" for name, value in alone)


def _number(value: float | int | None) -> str:
    return "-" if value is None else f"{value:.9g}"


if __name__ == "__main__":
    sys.exit(main())
