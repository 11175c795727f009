"""What a bundle holds and under which name."""

from dataclasses import dataclass
from pathlib import Path

from . import packed
from .errors import UsageError

FORMAT = 2
"""Of a bundle: another one where what is recorded, or what is derived from it, is no longer the same."""
ANALYSIS = "analysis.md"
SUMMARY = "results/summary.json"
REPORT = "results/report.html"
HASHES = "sha256.txt"
INPUT_HASHES = "inputs/sha256.txt"
IMAGE_HASHES = "inputs/images_sha256.txt"
PROVENANCE = "provenance.json"
SIGNATURE = "provenance.dsse.json"
LEDGER = "ledger_entry.md"
SBOM = "inputs/sbom.cdx.json"
ENV = "inputs/env.txt"
MACHINE = "inputs/machine.txt"
VERSION = "inputs/version.txt"
GIT = "inputs/git_sha.txt"
BUILD_LOG = "inputs/c_build.log"
COMMANDS = "inputs/commands.txt"
RUN = "inputs/run.json"
PYTEST_LOG = "tests/pytest_cpu.log"
COLLECT_LOG = "tests/pytest_collect_only.log"
IMAGES = ("c", "c_spec", "py")
GPU = "py_cuda"

# What people read of a bundle; a cause may be named in them only if its experiment was run.
TEXTS = (ANALYSIS, SUMMARY, REPORT, LEDGER)

# Lists within inputs/, derived from the files there.
LISTS = (INPUT_HASHES, IMAGE_HASHES)
ALWAYS = (ANALYSIS, SUMMARY, REPORT, LEDGER, PROVENANCE, HASHES, *LISTS, ENV, MACHINE, GIT, RUN)
COMPLETE = (*ALWAYS, SBOM, VERSION, COMMANDS, PYTEST_LOG)
# Files that only a bundle has; a record of `nbparity n2` has a hash list of the same name as its own.
MARKS = (RUN, INPUT_HASHES, PROVENANCE)
# Added to a finished bundle by `nbparity sign`, so no other file of it may depend on them.
ADDED_LATER = frozenset({SIGNATURE})
# A folder of such a name is being built, or was left by a run that was killed: it is no bundle.
UNFINISHED = ".unfinished-"
# Between the program and the cause in the name of a run with a cause switched off.
WITHOUT = " without "
# Working folders of the programs, within the folder that is being built.
SCRATCH = ".scratch-"

WHAT = {
    ANALYSIS: "this text",
    SUMMARY: "every figure, for programs",
    REPORT: "this text with pictures, one file for a browser",
    HASHES: "SHA-256 of every other file; check with `sha256sum -c sha256.txt` in the bundle's folder",
    INPUT_HASHES: "SHA-256 of every other file of inputs/; check with `sha256sum -c sha256.txt` in there",
    IMAGE_HASHES: "SHA-256 of each float image as the program wrote it, which `gunzip` gives again",
    PROVENANCE: "who made this of what: in-toto Statement with the SLSA v1 provenance predicate",
    LEDGER: "the entry of this run for the ledger, before it has a number",
    SBOM: "the packages of the Python environment, CycloneDX",
    ENV: "what pinning controls; the same on every machine",
    MACHINE: "what belongs to the machine",
    VERSION: "what each program printed for --version",
    GIT: "the commit, and the paths that differ from it",
    BUILD_LOG: "how the C programs were built",
    COMMANDS: "each command: name, UTC start and end, exit status, verbatim",
    RUN: "the experiment, the thresholds and the facts of the run that no other file holds",
    PYTEST_LOG: "pytest -v -rs of the tests at phi = 0",
    COLLECT_LOG: "pytest --collect-only -q",
}


def float_file(name: str) -> str:
    """Return the name of a program's float image: float32, little-endian, the whole detector."""
    return f"{name}_float.bin"


def image(name: str) -> str:
    """Return that image as it lies in a bundle, packed."""
    return f"inputs/{float_file(name)}{packed.SUFFIX}"


def command_log(name: str) -> str:
    """Return the log of a program, standard output and error verbatim."""
    return f"inputs/{name}_command.log"


def ablated_roi(name: str, cause: str) -> str:
    """Return the region of interest of a program with a cause switched off, NumPy format."""
    return f"inputs/ablation/{cause}/{name}_roi.npy"


def ablated_log(name: str, cause: str) -> str:
    """Return the log of that run."""
    return f"inputs/ablation/{cause}/{name}_command.log"


def ablated_label(name: str, cause: str) -> str:
    """Return the name of that run in ``commands.txt``."""
    return f"{name}{WITHOUT}{cause}"


def version_label(name: str) -> str:
    """Return the name in ``commands.txt`` under which a program was asked for its version."""
    return f"version {name}"


def trace_log(name: str) -> str:
    """Return the output of a program with the trace of one pixel."""
    return f"inputs/trace/{name}_command.log"


def trace_label(name: str) -> str:
    """Return the name of that run in ``commands.txt``."""
    return f"trace {name}"


def what(name: str) -> str:
    """Say in words what a file of a bundle is."""
    if name in WHAT:
        return WHAT[name]
    stem = Path(name).name
    kind = {
        f"_float.bin{packed.SUFFIX}": "float32 image, whole detector, packed by gzip",
        "_roi.npy": f"region of interest with {Path(name).parent.name} switched off",
        "_command.log": "standard output and error, verbatim",
    }
    return next((text for end, text in kind.items() if stem.endswith(end)), "not a file of a bundle")


@dataclass(frozen=True)
class CommandRow:
    """A row of ``commands.txt``."""

    label: str
    started: str
    ended: str
    status: int
    command: str

    @property
    def text(self) -> str:
        """Return the row as it stands in the file; UsageError for a command that is no line of text.

        A path may hold line ends, or bytes that are no text; a row with them could not be read back.
        """
        row = "\t".join((self.label, self.started, self.ended, str(self.status), self.command))
        if row.splitlines() != [row] or row != row.encode("utf-8", "replace").decode("utf-8"):
            raise UsageError(f"command {self.command!a}: expected paths on one line, in UTF-8")
        return row + "\n"


def read_commands(bundle: Path) -> list[CommandRow]:
    """Read the commands of a bundle, none where it has no such file."""
    path = bundle / COMMANDS
    return parse_commands(path.read_text(encoding="utf-8")) if path.is_file() else []


def parse_commands(text: str) -> list[CommandRow]:
    """Read ``commands.txt``; ValueError for a row that is not of its format."""
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split("\t", 4)
        if len(fields) != 5:
            raise ValueError(f"{COMMANDS}:{number}: expected name, start, end, exit status, command")
        rows.append(CommandRow(fields[0], fields[1], fields[2], int(fields[3]), fields[4]))
    return rows
