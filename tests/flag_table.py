"""Where each option, shape, convention and file format is specified and exercised, and what is not.

    python -P tests/flag_table.py

prints a table of the options and what is missing; exit status 1 if something is. Everything is derived: the
options from the simulator's table, shapes and conventions from its enumerations, file kinds from its readers,
the specification from the tables of specs/, the cases from golden_suite_generator/golden/cases.toml as the
simulator's own parser reads them. A test module counts as using an option if that stands in it as a word.
"""

import contextlib
import json
import re
import sys
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cache
from pathlib import Path

from nanobrag_torch.command_line import request as requests
from nanobrag_torch.command_line.flags import FLAGS, Flag
from nanobrag_torch.command_line.flags import Kind as ValueKind
from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.formats.crystallographic import Kind as FileKind
from nbparity import cases

ROOT = Path(__file__).resolve().parents[1]
SPECS = ROOT / "specs"
INPUTS = ROOT / cases.FOLDER / cases.INPUTS
OUTPUTS = ROOT / cases.FOLDER / "outputs.json"
SHOWN = 3

# Options and their words that no golden case can have, since c_spec does not write an image with them: the
# test that exercises each, as pytest names it.
ELSEWHERE = {
    "-h": "nanobrag_torch/command_line/test_usage.py::test_usage_names_every_spelling",
    "--version": "nanobrag_torch/command_line/test_usage.py::test_version_is_one_line",
    "-hkl_column": "nanobrag_torch/formats/test_crystallographic.py::test_the_amplitude_column_is_named",
    "-dtype float32": "nanobrag_torch/render/test_image.py::test_float32_lowers_only_what_follows_the_index",
    "-device cuda": "nanobrag_torch/test_cuda.py::test_images_are_those_of_the_c_reference",
}
# Enumeration of a request -> its field, and the paragraph whose table has a row or column for each member.
ENUMERATIONS: dict[type[Enum], tuple[str, str]] = {
    requests.CrystalShape: ("shape", "P6.9"),
    requests.Convention: ("convention", "P2.4"),
    requests.Pivot: ("pivot", "P2.4"),
}


# --- the specification -------------------------------------------------------------------------------------


@cache
def specified() -> dict[str, tuple[str, str]]:
    """Spelling -> the row of cli.md that introduces it, and the text of that row."""
    text = (SPECS / "cli.md").read_text(encoding="utf-8")
    found: dict[str, tuple[str, str]] = {}
    for row, spellings, rest in re.findall(
        r"^\| (C(?:3|8\.5)\.\d+) \| ([^|]*)\|(.*)", text, flags=re.MULTILINE
    ):
        found |= {spelling: (row, rest) for spelling in re.findall(r"`(-[^`]+)`", spellings)}
    for spellings, rest in re.findall(r"^\| ([^|]*) \|(.*)", section(text, "C8.3"), flags=re.MULTILINE):
        for spelling in re.findall(r"`(-[^`]+)`", spellings):
            found.setdefault(spelling, ("C8.3", rest))
    return found


def section(text: str, number: str) -> str:
    """The paragraph with a number in bold, up to the next such paragraph or heading."""
    match = re.search(
        rf"^\*\*{re.escape(number)}[ .].*?(?=^\*\*[A-Z]\d|^#|\Z)", text, flags=re.MULTILINE | re.DOTALL
    )
    return match[0] if match else ""


def rows_of(name: str, number: str) -> list[str]:
    """The rows of the tables of a numbered paragraph."""
    return [
        line
        for line in section((SPECS / name).read_text(encoding="utf-8"), number).splitlines()
        if line[:1] == "|"
    ]


# --- what exercises it -------------------------------------------------------------------------------------


@cache
def golden_cases() -> dict[str, tuple[str, ...]]:
    """Case -> the arguments of its command line."""
    return {case.id: case.args for case in cases.load(ROOT)}


@cache
def golden_requests() -> dict[str, requests.Request]:
    """Case -> what the parser makes of its command line."""
    with contextlib.chdir(INPUTS):
        return {name: parse(args)[0] for name, args in golden_cases().items()}


@cache
def words_of_tests() -> dict[str, set[str]]:
    """Test module -> everything in it that looks like an option or a member of an enumeration."""
    return {
        path.relative_to(ROOT / "tests").as_posix(): set(
            re.findall(r"(?<![\w-])--?[A-Za-z4]\w*|\bKind\.\w+", path.read_text(encoding="utf-8"))
        )
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
    }


def cases_with(spellings: Iterable[str], word: str = "") -> list[str]:
    """The golden cases that have one of the spellings, followed by a word if one is given."""
    wanted = set(spellings)
    return [
        name
        for name, args in golden_cases().items()
        if any(
            arg in wanted and (not word or word == after)
            for arg, after in zip(args, (*args[1:], ""), strict=True)
        )
    ]


def is_test(node: str) -> bool:
    """Whether there is a test of that name."""
    module, _, name = node.partition("::")
    path = ROOT / "tests" / module
    return path.is_file() and f"def {name}(" in path.read_text(encoding="utf-8")


# --- what is missing ---------------------------------------------------------------------------------------


def missing_options(flags: Iterable[Flag] = FLAGS) -> list[str]:
    """Spellings that the specification has not or has elsewhere; options and words without a case or test."""
    complaints = []
    for flag in flags:
        for spelling in flag.spellings:
            row = specified().get(spelling, ("no row", ""))[0]
            if row != flag.source:
                complaints.append(f"{spelling}: {row} of specs/cli.md, expected {flag.source}")
        for word in ("", *flag.words):
            what = f"{flag.name} {word}".rstrip()
            if not cases_with(flag.spellings, word) and not is_test(ELSEWHERE.get(what, "")):
                complaints.append(f"{what}: in no golden case, and no test is named for it")
            if word and f"`{word}`" not in specified().get(flag.name, ("", ""))[1] and flag.name != "-pivot":
                complaints.append(f"{what}: not in its row of specs/cli.md")
    known = {spelling for flag in FLAGS for spelling in flag.spellings}
    complaints += [
        f"{spelling}: in {row} of specs/cli.md, and no option"
        for spelling, (row, _) in specified().items()
        if spelling not in known
    ]
    return complaints


def missing_members(enumerations: Mapping[type[Enum], tuple[str, str]] = ENUMERATIONS) -> list[str]:
    """Shapes, conventions and pivots without a place in their table, or without a golden case."""
    complaints = []
    for kind, (name, number) in enumerations.items():
        table = " ".join(rows_of("physics.md", number))
        used = {getattr(request, name) for request in golden_requests().values()}
        complaints += [
            f"{member}: not in {number} of specs/physics.md"
            for member in kind
            if not re.search(rf"\b{member.name}\b", table)
        ]
        complaints += [f"{member}: in no golden case" for member in kind if member not in used]
    unknown = {
        value for value in vars(requests).values() if isinstance(value, type) and issubclass(value, Enum)
    }
    complaints += [
        f"{kind.__name__}: no table is named for it" for kind in unknown - {Enum} - set(enumerations)
    ]
    return complaints


def missing_formats(flags: Iterable[Flag] = FLAGS, kinds: Iterable[Enum] = FileKind) -> list[str]:
    """Options for files without a section of formats.md, outputs in no case, kinds without row or test."""
    text = (SPECS / "formats.md").read_text(encoding="utf-8")
    written = {name for files in json.loads(OUTPUTS.read_text(encoding="utf-8")).values() for name in files}
    complaints = []
    for flag in flags:
        if flag.kind is not ValueKind.FILE or flag.no_effect:
            continue
        numbers = re.findall(r"\bF\d+\b", specified().get(flag.name, ("", ""))[1])
        if not numbers or not all(
            re.search(rf"^## {number} ", text, flags=re.MULTILINE) for number in numbers
        ):
            complaints.append(f"{flag.name}: its row of specs/cli.md names no section of specs/formats.md")
        if flag.default and flag.default not in written:
            complaints.append(f"{flag.name}: no golden case writes {flag.default}")
    first_cells = [row.split("|")[1] for row in rows_of("formats.md", "F2.8")]
    tests = set().union(*words_of_tests().values())
    for kind in kinds:
        words = set(re.findall(r"\w+", kind.value)) - {"a", "an", "file", "of"}
        if not any(words <= set(re.findall(r"\w+", cell)) for cell in first_cells):
            complaints.append(f"{kind}: no row of F2.8 in specs/formats.md for {kind.value}")
        if f"Kind.{kind.name}" not in tests:
            complaints.append(f"{kind}: in no test")
    return complaints


def some(names: list[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more or "-"


def main() -> int:
    """Print the table; the exit status."""
    print("| option | row | golden cases | test modules |\n|---|---|---|---|")
    for flag in FLAGS:
        by_test = [name for name, words in words_of_tests().items() if words.intersection(flag.spellings)]
        print(f"| `{flag.name}` | {flag.source} | {some(cases_with(flag.spellings))} | {some(by_test)} |")
    missing = [*missing_options(), *missing_members(), *missing_formats()]
    print(f"\n{len(FLAGS)} options; missing: {len(missing) or 'nothing'}", *missing, sep="\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
