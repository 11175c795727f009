"""The command lines of a run: what ``n1`` starts, and what ``verify`` expects in ``commands.txt``."""

from collections.abc import Sequence
from pathlib import Path

from . import layout
from .programs import Program

PHI0_TESTS = "tests/test_cli_scaling_phi0.py"
PYTEST = ("-m", "pytest", "-p", "no:cacheprovider")
# Validation takes seconds and would find the same every time; a test of the harness does it.
PACKAGE_LIST = ("-m", "cyclonedx_py", "environment", "--output-reproducible", "--no-validate")
ON_GPU = ("-device", "cuda")
ABLATED_IMAGE = "float.bin"
"""The file that a program with a cause switched off writes; the bundle keeps its region of interest."""

Command = tuple[str, ...]


def list_packages(python: str) -> Command:
    """Return the command that lists the packages, into the folder in which it runs."""
    return python, *PACKAGE_LIST, "--output-file", Path(layout.SBOM).name


def run_tests(python: str) -> Command:
    """Return the command that runs the phi = 0 tests; -rs has the reasons of skipped ones printed whole."""
    return python, *PYTEST, "-v", "-rs", PHI0_TESTS


def collect_tests(python: str) -> Command:
    """Return the command that lists the phi = 0 tests."""
    return python, *PYTEST, "--collect-only", "-q", PHI0_TESTS


def version(program: Program) -> Command:
    """Return the command that asks a program for its version."""
    return *program.command, "--version"


def render(program: Program, args: Sequence[str], float_file: str) -> Command:
    """Return the command that renders an image into a file of the folder in which it runs."""
    return *program.command, *args, "-floatfile", float_file


def render_on_gpu(py: Program, roi_args: Sequence[str]) -> Command:
    """Return the command of the GPU leg."""
    return render(py, (*roi_args, *ON_GPU), layout.float_file(layout.GPU))
