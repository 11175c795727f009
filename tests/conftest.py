"""What every test shares: the repository, its C programs, and an environment without the user's overrides."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nbparity import locks

ROOT = Path(__file__).resolve().parents[1]
GENERATOR = ROOT / "golden_suite_generator"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests counted, in whichever process they ran: their property ``counted``."""
    reports = [report for name in ("passed", "failed") for report in terminalreporter.getreports(name)]
    lines = [value for report in reports for name, value in report.user_properties if name == "counted"]
    if lines:
        terminalreporter.section("counts")
        terminalreporter.write_line("\n".join(sorted(lines)))


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session", autouse=True)
def without_overrides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What decides no test, nor what tests share: another program as C reference, and another repository.

    A hook of git names its repository to all it starts; and a temporary folder may lie in one.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in ("NB_C_BIN", *(name for name in os.environ if name.startswith("GIT_"))):
            patch.delenv(name, raising=False)
        patch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path_factory.getbasetemp()))
        yield


@pytest.fixture(scope="session")
def make_c() -> Callable[..., Path]:
    """Run make in the folder of the C reference, skipping where there is no compiler; its folder ``build``.

    One process at a time, as for every build of the harness: tests run in several.
    """

    def make(*variables: str) -> Path:
        build = GENERATOR / "build"
        if not variables and (build / "prebuilt.log").is_file():
            return build  # an image brings them along, and no compiler
        compiler = os.environ.get("CC", "gcc")
        if shutil.which("make") is None or shutil.which(compiler) is None:
            pytest.skip(f"no make or no C compiler ({compiler}): the C reference cannot be built")
        command = ["make", "-s", "-j2", "-C", str(GENERATOR), f"CC={compiler}", *variables]
        with locks.exclusive(GENERATOR):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return build

    return make
