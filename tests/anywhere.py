"""Run the everyday tests under conditions that a machine may have and this project does not set.

    python -P tests/anywhere.py [LEG ...] [--seed N] [--keep] -- OPTIONS OF PYTEST

Each leg runs them in an order drawn from the seed, which is printed. The table at the end has a row for each
leg; exit status 1 if a leg was not run or a test failed in it. What a leg makes lies in a temporary folder
(below TMPDIR; up to 6 GB for a leg with another torch), which ``--keep`` leaves there.
"""

import argparse
import os
import pwd
import random
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import tomllib
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements" / "dev.txt"
TABLES = tomllib.loads((ROOT / "nbparity" / "environment.toml").read_text(encoding="utf-8"))
PINNED: dict[str, str] = TABLES["pinned"]
ACCOUNT = "nobody"
"""Every Linux has it, and it owns nothing."""
AUDITOR = "unsigned int la_version(unsigned int version) { return version; }\n"
UNOPTIMIZED = ("-W", "ignore:assertions not in test modules:pytest.PytestConfigWarning")
"""PYTHONOPTIMIZE takes the assertions out of programs; pytest writes those of test modules itself."""
SETTINGS = {
    ".gitconfig": "[commit]\n gpgSign = true\n[core]\n autocrlf = true\n hooksPath = /nonexistent\n",
    ".config/matplotlib/matplotlibrc": "backend: svg\nfigure.dpi: 30\nfont.size: 30\naxes.grid: True\n",
}
"""What an ordinary HOME may hold: file -> its text."""
DATA = {"NB_GOLDEN_DIR": "golden", "NB_SUPERVISOR_DIR": "supervisor"}
"""Variable -> folder beside the checkout where the data are that it names."""


COLUMNS = ("passed", "skipped", "failed")


@dataclass(frozen=True)
class Leg:
    """How the tests are started: interpreter, folder, variables, and what else differs."""

    python: str
    root: Path
    environment: dict[str, str]
    says: str
    options: tuple[str, ...] = ()
    umask: int = 0o022
    user: pwd.struct_passwd | None = None


@dataclass(frozen=True)
class Result:
    """A row of the table."""

    leg: str
    says: str
    counts: dict[str, int]
    seconds: float
    good: bool


class CannotRunError(Exception):
    """A leg needs what is not here; the message says what."""


def reduced(python: Path) -> dict[str, str]:
    """The environment of ``nox -s tests``: PATH, HOME and the pinned variables."""
    path = os.pathsep.join([str(python.parent), os.environ["PATH"]])
    return {"PATH": path, "HOME": os.environ["HOME"], **PINNED}


# --- the leg "environment" ---------------------------------------------------------------------------------


def other_values(scratch: Path) -> dict[str, str]:
    """Every variable of environment.toml -> a value that a machine may have and that is not ours."""
    empty = scratch / "empty"
    empty.mkdir(exist_ok=True)
    return {
        # pinned
        "OMP_NUM_THREADS": "3",
        "MKL_NUM_THREADS": "3",
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_CBWR": "AUTO",
        "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
        "KMP_DUPLICATE_LIB_OK": "FALSE",
        "LC_ALL": other_locale(),
        "TZ": "NPT-5:45",
        "PYTHONHASHSEED": "random",
        # recorded
        "NB_C_BIN": shutil.which("false") or "/bin/false",
        "MKL_DYNAMIC": "FALSE",
        "NPY_DISABLE_CPU_FEATURES": "",
        "OMP_DYNAMIC": "TRUE",
        "LD_PRELOAD": "libm.so.6",
        # recorded_if_set
        "LD_LIBRARY_PATH": str(empty),
        "LD_AUDIT": str(auditor(scratch)),
        "PYTHONPATH": str(empty),
        "PYTHONHOME": sys.base_prefix,
        "PYTHONUSERBASE": str(empty),
        "PYTHONNOUSERSITE": "1",
        "TORCH_DEVICE_BACKEND_AUTOLOAD": "0",
        "CPATH": str(empty),
        "C_INCLUDE_PATH": str(empty),
        "CPPFLAGS": "-DANYWHERE",
        "LDLIBS": "-lm -ldl",
        "LIBRARY_PATH": str(empty),
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "MKL_DEBUG_CPU_TYPE": "5",
        "OPENBLAS_CORETYPE": "Nehalem",
        "DNNL_MAX_CPU_ISA": "SSE41",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "CUBLAS_WORKSPACE_CONFIG": ":16:8",
        "NVIDIA_TF32_OVERRIDE": "1",
        "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1",
        # removed
        "PYTEST_ADDOPTS": "--color=no",
        "PYTEST_PLUGINS": "colorsys",
        "PYTHONOPTIMIZE": "1",
        "PYTHONWARNINGS": "default",
    }


def other_locale() -> str:
    """A locale of this machine that is neither C nor English, or else the one without UTF-8."""
    listed = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=False).stdout.split()
    return next((name for name in listed if not name.startswith(("C", "POSIX", "en"))), "POSIX")


def auditor(scratch: Path) -> Path:
    """A library that the dynamic linker reports to, which does nothing."""
    if shutil.which("gcc") is None:
        raise CannotRunError("no gcc, which makes the library that LD_AUDIT names")
    source, library = scratch / "auditor.c", scratch / "auditor.so"
    source.write_text(AUDITOR, encoding="utf-8")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    return library


def environment_leg(scratch: Path) -> Leg:
    """Every variable that the harness knows, a HOME with settings, and files that nobody else may read."""
    home = scratch / "home"
    for name, text in SETTINGS.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")
    python = Path(sys.executable)
    values = other_values(scratch)
    says = f"{len(values)} variables, LC_ALL={values['LC_ALL']}, TZ={values['TZ']}, umask 077"
    environment = reduced(python) | {"HOME": str(home)} | values
    return Leg(str(python), ROOT, environment, f"{says}, settings in HOME", UNOPTIMIZED, umask=0o077)


# --- the leg "user" ----------------------------------------------------------------------------------------


def user_leg(scratch: Path) -> Leg:
    """An ordinary user, a copy of the checkout without its history, and an empty HOME."""
    user = pwd.getpwnam(ACCOUNT) if os.geteuid() == 0 else None
    scratch.chmod(0o755)
    checkout = scratch / "checkout"
    copy_checkout(checkout)
    python = own_environment(scratch, checkout)
    home = scratch / "home"
    home.mkdir()
    for name, folder in DATA.items():
        if name not in os.environ and (ROOT.parent / "shared" / folder).is_dir():
            shutil.copytree(ROOT.parent / "shared" / folder, scratch / "shared" / folder)
    if user is not None:
        for path in (checkout, home, *checkout.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    name = pwd.getpwuid(os.geteuid()).pw_name if user is None else ACCOUNT
    says = f"as {name}, in a copy without .git, HOME empty"
    return Leg(str(python), checkout, reduced(python) | {"HOME": str(home)}, says, user=user)


def copy_checkout(target: Path) -> None:
    """Copy what git knows and what it does not ignore."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, capture_output=True, check=True).stdout.split(b"\0")
    for name in sorted(set(map(os.fsdecode, filter(None, names)))):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def own_environment(scratch: Path, checkout: Path) -> Path:
    """A virtual environment that an ordinary user can read, with the packages of this one and the copy.

    The interpreter and the packages may lie in the home of root: they are linked, or else copied.
    """
    interpreter = scratch / "python"
    shutil.copytree(sys.base_prefix, interpreter, symlinks=True, copy_function=link)
    base = interpreter / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    if not base.is_file():
        raise CannotRunError(f"no interpreter below {sys.base_prefix}/bin, expected {base.name}")
    subprocess.run([str(base), "-m", "venv", "--without-pip", str(checkout / ".venv")], check=True)
    (packages,) = (checkout / ".venv" / "lib").glob("python*/site-packages")
    shutil.copytree(
        sysconfig.get_path("purelib"), packages, symlinks=True, copy_function=link, dirs_exist_ok=True
    )
    for finder in packages.glob("__editable__*"):
        finder.unlink()
    (packages / "checkout.pth").write_text(f"{checkout}\n", encoding="utf-8")
    return checkout / ".venv" / "bin" / "python"


def link(source: str, target: str) -> None:
    """Make a hard link, which costs nothing, or a copy on another disk."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


# --- the legs with another torch ---------------------------------------------------------------------------


def torch_leg(wanted: str) -> Callable[[Path], Leg]:
    """The locked environment with another torch, from wherever pip is set up to find it."""

    def make(scratch: Path) -> Leg:
        subprocess.run([sys.executable, "-m", "venv", str(scratch / "venv")], check=True)
        python = scratch / "venv" / "bin" / "python"
        block = re.compile(r"^torch==.*\\\n(?:    .*\n)+", flags=re.MULTILINE)
        text = block.sub("", LOCK.read_text(encoding="utf-8"))
        (scratch / "without_torch.txt").write_text(text, encoding="utf-8")
        pip(python, "--no-deps", "--require-hashes", "-r", str(scratch / "without_torch.txt"))
        pip(python, wanted)
        pip(python, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
        version = installed_torch(python)
        if version == installed_torch(Path(sys.executable)):
            raise CannotRunError(f"{wanted} gives {version}, the torch of the lock: pip finds no newer one")
        return Leg(str(python), ROOT, reduced(python), f"torch {version}")

    return make


def pip(python: Path, *arguments: str) -> None:
    """Install with the user's own settings: they say where packages are found."""
    options = ("--disable-pip-version-check", "--quiet", "--no-cache-dir", "--progress-bar", "off")
    command = [str(python), "-m", "pip", "install", *options, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotRunError(f"pip cannot install {arguments[-1]}: {done.stderr.strip().splitlines()[-1]}")


def installed_torch(python: Path) -> str:
    """The version that an interpreter has."""
    command = [str(python), "-c", "from importlib.metadata import version; print(version('torch'))"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def oldest_torch() -> str:
    """The requirement of pyproject.toml as the series it begins with."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (wanted,) = (name for name in project["dependencies"] if name.startswith("torch>="))
    return f"torch=={wanted.removeprefix('torch>=')}.*"


LEGS: dict[str, Callable[[Path], Leg]] = {
    "environment": environment_leg,
    "user": user_leg,
    "torch-oldest": torch_leg(oldest_torch()),
    "torch-newest": torch_leg("torch"),
}


# --- running -----------------------------------------------------------------------------------------------


def run(name: str, options: list[str], *, keep: bool) -> Result:
    """Make what the leg needs, run the tests, and count."""
    scratch = Path(tempfile.mkdtemp(prefix=f"nanobrag-{name}-"))
    try:
        leg = LEGS[name](scratch)
        identity: dict[str, Any] = {}
        record = scratch / "record"
        record.mkdir()
        if leg.user is not None:
            os.chown(record, leg.user.pw_uid, leg.user.pw_gid)
            identity = {"user": leg.user.pw_uid, "group": leg.user.pw_gid, "extra_groups": []}
        command = [leg.python, "-m", "pytest", f"--junitxml={record / 'junit.xml'}", *options, *leg.options]
        print(f"== {name}: {leg.says}", flush=True)
        started = time.monotonic()
        status = subprocess.run(
            command,
            cwd=leg.root,
            env=leg.environment,
            umask=leg.umask,
            check=False,
            **identity,
        ).returncode
        seconds = time.monotonic() - started
        return Result(name, leg.says, counts(record / "junit.xml"), seconds, status == 0)
    except CannotRunError as error:
        return Result(name, f"NOT RUN: {error}", {}, 0.0, False)
    finally:
        if not keep:
            shutil.rmtree(scratch)


def counts(path: Path) -> dict[str, int]:
    """Outcomes as pytest counted them; none if it did not come to its end."""
    if not path.is_file():
        return {}
    (suite,) = ElementTree.parse(path).getroot().iter("testsuite")
    tests, skipped, *bad = (int(suite.get(key, "0")) for key in ("tests", "skipped", "failures", "errors"))
    return {"passed": tests - skipped - sum(bad), "skipped": skipped, "failed": sum(bad)}


def table(results: list[Result]) -> str:
    """The rows as Markdown."""
    rows = [
        f"| {row.leg} | {' | '.join(str(row.counts.get(key, '-')) for key in COLUMNS)} | {row.seconds:.0f}"
        f" | {'pass' if row.good else 'FAIL'} | {row.says} |"
        for row in results
    ]
    head = ["leg", *COLUMNS, "s", "result", "conditions"]
    return "\n".join([f"| {' | '.join(head)} |", "|---" * len(head) + "|", *rows])


def main() -> int:
    """Run the legs and print the table; the exit status."""
    words = sys.argv[1:]
    split = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(prog="nox -s tests_anywhere --")
    parser.add_argument("legs", nargs="*", metavar="LEG", help=f"{', '.join(LEGS)}; all if none is named")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--keep", action="store_true")
    chosen = parser.parse_args(words[:split])
    unknown = [name for name in chosen.legs if name not in LEGS]
    if unknown:
        parser.error(f"unknown leg {unknown[0]}: expected {', '.join(LEGS)}")
    print(f"== order of the tests: --seed {chosen.seed}", flush=True)
    order = ["--random-order-bucket=global", f"--random-order-seed={chosen.seed}"]
    options = [*words[split + 1 :], *order]
    results = [run(name, options, keep=chosen.keep) for name in chosen.legs or LEGS]
    print(f"\n{table(results)}")
    return 0 if all(row.good for row in results) else 1


if __name__ == "__main__":
    sys.exit(main())
