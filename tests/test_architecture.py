"""The rules of docs/architecture.md, read from its tables and checked on the files."""

import ast
import math
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SIMULATOR, HARNESS = ROOT / "nanobrag_torch", ROOT / "nbparity"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
ROOT_ENTRIES = {
    ".ci",
    ".github",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "docker",
    "docs",
    "golden_suite_generator",
    "nanobrag_torch",
    "nbparity",
    "noxfile.py",
    "plans",
    "pyproject.toml",
    "reports",
    "requirements",
    "specs",
    "tests",
}
OPTIONAL = {
    SIMULATOR / "formats" / "crystallographic.py": {"gemmi"},
    SIMULATOR / "formats" / "coordinates.py": {"gemmi"},
    SIMULATOR / "formats" / "reflections.py": {"gemmi"},
    SIMULATOR / "formats" / "symmetry.py": {"gemmi"},
    SIMULATOR / "formats" / "unit_cell.py": {"gemmi"},
    HARNESS / "pictures.py": {"matplotlib"},
    HARNESS / "report.py": {"jinja2", "markdown_it"},
    HARNESS / "provenance.py": {"google", "in_toto_attestation"},
    HARNESS / "signing.py": {"cryptography", "securesystemslib"},
    HARNESS / "png.py": {"PIL"},
    HARNESS / "registration.py": {"scipy"},
    HARNESS / "container.py": {"docker"},
}
LEAVES_THE_DEVICE = {"cpu", "item", "tolist", "numpy"}


def table_rows(heading: str) -> list[list[str]]:
    """The rows of the first table whose head starts with a word."""
    text = ARCHITECTURE.read_text(encoding="utf-8")
    match = re.search(rf"^\| {heading} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, flags=re.MULTILINE)
    assert match, f"{ARCHITECTURE}: no table that starts with '{heading}'"
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in match[1].splitlines()]


def allowed_imports() -> dict[str, set[str]]:
    """Part -> the parts it may import, from the table 'part'."""
    allowed: dict[str, set[str]] = {}
    for part, _, may_import in table_rows("part"):
        names = set(re.findall(r"`(\w+)`", may_import))
        allowed[part.strip("`")] = set(allowed) if may_import == "all of the above" else names
    return allowed


ALLOWED = allowed_imports()


def part_files(part: str) -> list[Path]:
    folder, module = SIMULATOR / part, SIMULATOR / f"{part}.py"
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [module]


def imported_modules(path: Path, package_root: Path) -> Iterator[str]:
    """The absolute name of every module a file imports, relative imports resolved."""
    package = [package_root.name, *path.relative_to(package_root).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base += node.module.split(".") if node.module else []
            yield from (".".join([*base, alias.name]) for alias in node.names)


def parts_used(path: Path) -> set[str]:
    """The parts of the simulator a file of it imports."""
    names = [name.split(".") for name in imported_modules(path, SIMULATOR)]
    return {name[1] for name in names if name[0] == SIMULATOR.name and len(name) > 1}


@pytest.mark.parametrize("part", ALLOWED)
def test_imports_point_downwards(part: str) -> None:
    """A part of the simulator imports only the parts listed for it."""
    for path in part_files(part):
        beyond = parts_used(path) - ALLOWED[part] - {part, "__version__"}
        assert not beyond, f"{path.relative_to(ROOT)} imports {beyond}, {part} may import {ALLOWED[part]}"


def test_every_part_is_in_the_table() -> None:
    """A new module of the simulator starts in docs/architecture.md."""
    present = {
        path.stem for path in SIMULATOR.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert present - {"__init__"} == set(ALLOWED)


def test_every_module_of_advice_is_in_its_table() -> None:
    """What a run may say is found from docs/architecture.md, and what stands there is there."""
    named = {name for first, *_ in table_rows("advice of") for name in re.findall(r"`([^`]+)`", first)}
    assert all((SIMULATOR / name).is_file() for name in named), named
    assert {str(path.relative_to(SIMULATOR)) for path in SIMULATOR.rglob("*_advice.py")} <= named


@pytest.mark.parametrize(
    ("package", "third_party"),
    [(SIMULATOR, {"torch", "numpy"}), (HARNESS, {"numpy"})],
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_packages_need_only_what_is_listed(package: Path, third_party: set[str]) -> None:
    """The simulator stands on torch and numpy, the harness on numpy; neither imports the other.

    What is optional is imported by the one module that cannot do without it.
    """
    for path in package.rglob("*.py"):
        names = {name.split(".")[0] for name in imported_modules(path, package)}
        beyond = names - third_party - {package.name} - set(sys.stdlib_module_names)
        assert beyond == OPTIONAL.get(path, set()), f"{path.relative_to(ROOT)} imports {beyond}"


@pytest.mark.parametrize("path", OPTIONAL, ids=lambda path: path.stem)
def test_an_optional_package_is_imported_where_it_is_used(path: Path) -> None:
    """Importing the module must not take the package: an import at its top level is for type checkers."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            assert not {name.split(".")[0] for name in names} & OPTIONAL[path], ast.unparse(node)


def test_the_generator_imports_neither_package() -> None:
    """The experiments are made without the programs that they test."""
    folder = ROOT / "golden_suite_generator"
    for path in folder.rglob("*.py"):
        names = {name.split(".")[0] for name in imported_modules(path, folder)}
        assert not names & {"nanobrag_torch", "nbparity"}, path


def render_path() -> list[Path]:
    return [*part_files("physics"), *part_files("render")]


def test_the_render_path_stays_on_the_device() -> None:
    """No step of the pixel loop moves a tensor to the host or reads a value out of it."""
    for path in render_path():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in LEAVES_THE_DEVICE:
                pytest.fail(f"{path.relative_to(ROOT)}:{node.lineno}: .{node.attr} leaves the device")


def test_the_root_holds_only_what_a_visitor_must_see() -> None:
    """Every tracked or untracked entry of the root that git does not ignore is on the list."""
    try:
        listed = subprocess.run(
            ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout, so there is no telling what is ignored")
    assert {line.split("/")[0] for line in listed.splitlines()} <= ROOT_ENTRIES


def test_the_data_that_packages_promise_are_there() -> None:
    """A marker that pyproject.toml names and nobody wrote leaves users without types, and nobody is told."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for package, patterns in project["tool"]["setuptools"]["package-data"].items():
        for pattern in patterns:
            assert list((ROOT / package).glob(pattern)), f"{package} has no {pattern}"


def number_divisions(path: Path) -> Iterator[int]:
    """Lines on which a bare number other than 1 or a power of two is divided by something."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Div)
            and isinstance(node.left, ast.Constant)
        ):
            if math.frexp(node.left.value)[0] != 0.5:
                yield node.lineno


def test_no_number_is_divided_by_a_tensor() -> None:
    """Torch multiplies it by the reciprocal instead, which rounds twice (P9.2); 1/x and 0.5/x stay exact."""
    for part in ("physics", "setup", "render"):
        for path in part_files(part):
            lines = list(number_divisions(path))
            assert not lines, f"{path.relative_to(ROOT)}:{lines}: make the number a tensor"


def test_the_rule_of_division_sees_a_violation(tmp_path: Path) -> None:
    """The check above finds what it is there for, and nothing else."""
    (tmp_path / "x.py").write_text("a = 1e-10 / b\nc = 1.0 / b + b / 3.0\nd = 0.5 / b\n")
    assert list(number_divisions(tmp_path / "x.py")) == [1]
