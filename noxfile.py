"""The developer's day: ``nox -l`` is its table of contents, and CI runs the same sessions."""

import argparse
import difflib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import nox
from nox.command import CommandFailed

ROOT = Path(__file__).parent
GENERATOR = "golden_suite_generator"
LOCKS = ("cpu", "cuda", "dev")
PYTHON_FILES = ("nanobrag_torch", "nbparity", "docker", "tests", "noxfile.py", GENERATOR)
TYPED_FILES = (
    "nanobrag_torch",
    "nbparity",
    "noxfile.py",
    "docker/build.py",
    "docker/entrypoint.py",
    "docker/packages.py",
    f"{GENERATOR}/experiments/make_cro.py",
    f"{GENERATOR}/golden/make_inputs.py",
)
# The environment that decides numbers is data, shared with the harness.
PINNED: dict[str, str] = tomllib.loads((ROOT / "nbparity" / "environment.toml").read_text(encoding="utf-8"))[
    "pinned"
]

# Everything that has a session of its own is left out.
EVERYDAY = ("-m", "not slow and not gpu and not faults and not browser and not image")
# All cores; neighbours share what a module makes once, and a process without work takes over from the others.
PARALLEL = ("-n", "auto", "--maxprocesses", "8", "--dist", "worksteal")

nox.options.sessions = ["lint", "typecheck", "tests"]
nox.options.reuse_existing_virtualenvs = True
if Path(sys.prefix).resolve() == (ROOT / ".venv").resolve():
    # Started from the environment that make prepared: sessions run in it, nothing is installed twice.
    nox.options.default_venv_backend = "none"
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ["PATH"]])


def prepare(session: nox.Session) -> None:
    """Install the dev lock and this checkout, unless the environment is prepared already."""
    session.env.update(PINNED)
    if session.venv_backend != "none":
        session.install("--require-hashes", "-r", "requirements/dev.txt")
        session.install("--no-deps", "--no-build-isolation", "--editable", ".")


def harness(session: nox.Session, *arguments: str) -> None:
    """Run the harness and end with its exit status, which says more than "failed"."""
    run_to_its_end(session, "-m", "nbparity", *arguments)


def run_to_its_end(session: nox.Session, *arguments: str) -> None:
    """Run Python, wait for it even after Ctrl-C, and end with its exit status."""
    environment = {**os.environ, **{name: value for name, value in session.env.items() if value is not None}}
    python = shutil.which("python", path=environment["PATH"]) or sys.executable
    process = subprocess.Popen([python, *arguments], env=environment, cwd=ROOT)
    while process.poll() is None:
        try:
            process.wait()
        except KeyboardInterrupt:
            # It may have to put things in order, remove a container for example, before it ends.
            process.send_signal(signal.SIGINT)
    status = process.returncode
    if status:
        raise SystemExit(status)


def build_c(session: nox.Session, *arguments: str) -> None:
    """Build in the folder of the C reference, unless an image brought the programs along."""
    if not arguments and (ROOT / GENERATOR / "build" / "prebuilt.log").is_file():
        return
    session.run("make", "-s", "-C", GENERATOR, *arguments, external=True)


@nox.session
def lock(session: nox.Session) -> None:
    """Write requirements/*.txt, docker/debian.lock from *.in; -- --check compares, -- --upgrade renews."""
    prepare(session)
    parser = argparse.ArgumentParser(prog="nox -s lock --")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--upgrade", action="store_true")
    options = parser.parse_args(session.posargs)
    with tempfile.TemporaryDirectory() as scratch:
        folder = ROOT / "requirements"
        if options.check:
            folder = Path(shutil.copytree(folder, Path(scratch) / "requirements"))
        for name in LOCKS:
            compile_lock(session, folder, name, upgrade=options.upgrade)
        if options.check:
            require_same_locks(session, folder)
    action = "--check" if options.check else "--upgrade" if options.upgrade else "--update"
    run_to_its_end(session, "docker/debian.py", action)


def compile_lock(session: nox.Session, folder: Path, name: str, *, upgrade: bool) -> None:
    """Resolve one *.in file; versions already locked stay unless upgraded."""
    environment: dict[str, str | None] = {"CUSTOM_COMPILE_COMMAND": "nox -s lock"}
    if name == "cuda":
        # Wheel folders set up for the CPU build would shadow the CUDA build.
        environment |= {"PIP_FIND_LINKS": None, "PIP_EXTRA_INDEX_URL": None, "PIP_CONFIG_FILE": os.devnull}
    options = [
        "--quiet",
        "--generate-hashes",
        "--allow-unsafe",
        "--no-strip-extras",
        *(["--upgrade"] if upgrade else []),
    ]
    with session.chdir(folder.parent):
        session.run(
            "pip-compile",
            *options,
            "--output-file",
            f"requirements/{name}.txt",
            f"requirements/{name}.in",
            env=environment,
        )
    drop_option_lines(folder / f"{name}.txt")


def drop_option_lines(path: Path) -> None:
    """Remove where packages were found from a lock: that belongs to the machine, the hashes do not."""
    text = re.sub(r"^--.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    path.write_text(text.replace("#\n\n", "#\n", 1), encoding="utf-8")


def require_same_locks(session: nox.Session, folder: Path) -> None:
    """Fail with the difference if a regenerated lock is not the committed one."""
    wrong = []
    for name in LOCKS:
        committed = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        fresh = (folder / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        difference = list(difflib.unified_diff(committed, fresh, "committed", "regenerated", lineterm=""))
        if difference:
            wrong.append(name)
            print("\n".join(difference[:40]))
    if wrong:
        session.error(
            f"not what nox -s lock writes: {', '.join(f'requirements/{name}.txt' for name in wrong)}"
        )


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format with ruff, and the workflows against their schema and for unsafe steps."""
    prepare(session)
    session.run("ruff", "check", *PYTHON_FILES)
    session.run("ruff", "format", "--check", *PYTHON_FILES)
    workflows = sorted(map(str, Path(".github", "workflows").glob("*.yml")))
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    session.run("zizmor", "--offline", "--no-progress", "--quiet", *workflows)


@nox.session
def typecheck(session: nox.Session) -> None:
    """Check types with mypy, strict."""
    prepare(session)
    session.run("mypy", *TYPED_FILES)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests that need neither minutes nor a GPU, on all cores, with branch coverage."""
    prepare(session)
    coverage = ("--cov", "--cov-report=term")
    # Nothing of the machine's environment reaches them: it could hide a failure, or cause one.
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    session.run(
        *("python", "-m", "pytest", *EVERYDAY, *PARALLEL, *coverage, *session.posargs),
        env=environment,
        include_outer_env=False,
    )


@nox.session
def tests_anywhere(session: nox.Session) -> None:
    """Run them with all variables set, as an ordinary user, with older and newer torch; -- LEG for one."""
    prepare(session)
    session.run("python", "-P", "tests/anywhere.py", *session.posargs, "--", "-q", *EVERYDAY, *PARALLEL)


@nox.session
def tests_slow(session: nox.Session) -> None:
    """Run the tests that render full frames or build programs."""
    prepare(session)
    build_c(session)
    run_pytest(session, "slow and not gpu and not image")


@nox.session
def faults(session: nox.Session) -> None:
    """Kill runs, fill disks, set clocks back: the tests that take minutes or need root."""
    prepare(session)
    run_pytest(session, "faults", "-s")


@nox.session
def tests_gpu(session: nox.Session) -> None:
    """Run the tests that need a CUDA device."""
    prepare(session)
    run_pytest(session, "gpu")


@nox.session
def tests_browser(session: nox.Session) -> None:
    """Open a report in Chromium: the Debian package chromium, or the program that NB_CHROMIUM names."""
    prepare(session)
    run_pytest(session, "browser")


def run_pytest(session: nox.Session, marker: str, *options: str) -> None:
    """Run pytest on the tests with a marker; arguments after -- replace nothing, they are added."""
    session.run("python", "-m", "pytest", "-m", marker, *options, *session.posargs)


@nox.session
def golden(session: nox.Session) -> None:
    """Check the golden suite with c_spec and py, byte by byte; -- --write makes it anew with c_spec."""
    prepare(session)
    session.run("python", f"{GENERATOR}/golden/make_inputs.py", "--check")
    build_c(session)
    harness(session, "golden", *session.posargs)


@nox.session
def parity_matrix(session: nox.Session) -> None:
    """Run every case with the three programs, one table in reports/; -- --case ID for one of them."""
    prepare(session)
    build_c(session)
    harness(session, "matrix", *session.posargs)


@nox.session
def trace(session: nox.Session) -> None:
    """Set the traces of a pixel side by side: -- --experiment ID --pixel SLOW FAST, or -- --bundle BUNDLE."""
    prepare(session)
    build_c(session)
    harness(session, "trace", *session.posargs)


@nox.session
def flags(session: nox.Session) -> None:
    """Print which golden case and which test exercises each option; fails if something is missing."""
    prepare(session)
    session.run("python", "-P", "tests/flag_table.py")


@nox.session
def historical(session: nox.Session) -> None:
    """Compare all programs with stored output of the historical nanoBragg (data: NB_GOLDEN_DIR)."""
    prepare(session)
    build_c(session)
    harness(session, "historical", *session.posargs)


@nox.session
def experiments(session: nox.Session) -> None:
    """Regenerate the inputs of the cro experiment; with -- --check compare with the committed ones."""
    prepare(session)
    session.run("python", f"{GENERATOR}/experiments/make_cro.py", *session.posargs)


@nox.session
def sanitize(session: nox.Session) -> None:
    """Build the C programs with sanitizers and warnings as errors, and run the C tests on them."""
    prepare(session)
    build_c(session, "SANITIZE=1", "check")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Feed mutated files and random command lines to every parser; -- --minutes M, --seed N."""
    prepare(session)
    build_c(session, "SANITIZE=1")
    session.run("python", "tests/fuzz/fuzz.py", *session.posargs)


@nox.session
def fuzz_guided(session: nox.Session) -> None:
    """Fuzz each reader by itself, guided by coverage; -- --runs N, --only READER, --judge."""
    prepare(session)
    if shutil.which("clang") is None:
        session.error("clang is missing, which builds the readers of the C programs (Debian package clang)")
    build_c(session, "SANITIZE=1")
    failed = []
    for driver in ("tests/fuzz/guided.py", "tests/fuzz/c/run.py"):
        try:
            session.run("python", driver, *session.posargs)
        except CommandFailed:
            failed.append(driver)
    if failed:
        session.error(f"failures, see above: {' '.join(failed)}")


@nox.session
def coverage_c(session: nox.Session) -> None:
    """Run the C tests and the golden suite on C programs that count, and print lines and branches covered."""
    prepare(session)
    folder = ROOT / GENERATOR / "build" / "coverage"
    shutil.rmtree(folder, ignore_errors=True)
    build_c(session, "COVERAGE=1")
    parts = ("command_line", "files", "vectors")
    tests = [f"tests/golden_suite_generator/test_c_{part}.py" for part in parts]
    session.run("python", "-m", "pytest", "-q", *tests, env={"NB_COVERAGE": "1"})
    programs = {"c": "nanoBragg", "spec": "nanoBragg-spec", "py": "nanoBragg-spec"}
    bins = [f"--{option}-bin={folder / name}" for option, name in programs.items()]
    with tempfile.TemporaryDirectory() as scratch:
        harness(session, "matrix", *bins, f"--reports={scratch}")
    session.run("gcovr", str(folder), "--root", GENERATOR, "--txt-metric", "branch", "--print-summary")


@nox.session
def parity_n1(session: nox.Session) -> None:
    """Run each experiment with the three programs and write an evidence bundle for each below reports/."""
    prepare(session)
    harness(session, "n1", *session.posargs)


@nox.session
def parity_n2(session: nox.Session) -> None:
    """Compare anew over the newest complete bundle of parity_n1, or over -- BUNDLE."""
    prepare(session)
    build_c(session)
    harness(session, "n2", *session.posargs)


@nox.session
def parity_o1(session: nox.Session) -> None:
    """Prove parity on the full frame of the supervisor experiment, or of cro where its data are not."""
    prepare(session)
    harness(session, "o1", *session.posargs)


@nox.session
def parity(session: nox.Session) -> None:
    """Run parity_n1, parity_n2 and parity_o1 in this order and stop at the first that fails."""
    prepare(session)
    harness(session, "parity", *session.posargs)


@nox.session
def causes(session: nox.Session) -> None:
    """Run the experiments on all known causes of differences on cro and print their table."""
    prepare(session)
    build_c(session)
    harness(session, "causes", *session.posargs)


@nox.session
def replay(session: nox.Session) -> None:
    """Run what a bundle ran, here and now, and compare: nox -s replay -- BUNDLE."""
    prepare(session)
    build_c(session)
    harness(session, "replay", *session.posargs)


@nox.session
def ledger(session: nox.Session) -> None:
    """Enter a bundle into docs/fix_plan.md and the plan that waits for it: nox -s ledger -- BUNDLE."""
    prepare(session)
    harness(session, "ledger", *session.posargs)


@nox.session
def artifact(session: nox.Session) -> None:
    """Collect the newest bundle of each experiment in build/artifact, reports first; or those after --."""
    prepare(session)
    harness(session, "artifact", *session.posargs)


@nox.session
def image(session: nox.Session) -> None:
    """Build and load nbparity:cpu or :cuda: -- cpu; with -- cpu --check build twice and compare the ids."""
    prepare(session)
    run_to_its_end(session, "docker/build.py", *session.posargs)


@nox.session
def image_tests(session: nox.Session) -> None:
    """Run the tests that need a Docker engine and nbparity:cpu."""
    prepare(session)
    run_pytest(session, "image")


@nox.session
def bench(session: nox.Session) -> None:
    """Time the full frame, simulator against C, with one and two threads."""
    prepare(session)
    build_c(session)
    harness(session, "bench", *session.posargs)


@nox.session
def verify(session: nox.Session) -> None:
    """Check that bundles are complete, unchanged and true: all below reports/, or nox -s verify -- BUNDLE."""
    prepare(session)
    harness(session, "verify", *session.posargs)
