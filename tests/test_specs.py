"""The rules of specs/ have one number each, and the tables of the defects agree."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SPECS = sorted((ROOT / "specs").glob("*.md"))
DEFECTS = ROOT / "docs" / "bugs" / "verified_c_bugs.md"
ID = r"(?:HD-[A-Z]+-[0-9]+|C-PARITY-[0-9]+)"


def rows(text: str) -> dict[str, list[str]]:
    """The cells of each row of a table that begins with the ID of a defect; the first row of an ID."""
    found: dict[str, list[str]] = {}
    for name, rest in re.findall(rf"^\| ({ID}) \|(.*)\|$", text, flags=re.MULTILINE):
        found.setdefault(name, [cell.strip() for cell in rest.split("|")])
    return found


def said_at_run_time() -> dict[str, str]:
    """ID -> the cell "said" of the table of C10.9, ranges such as HD-STAT-1 to 4 spread out."""
    _, _, table = (ROOT / "specs" / "cli.md").read_text(encoding="utf-8").partition("**C10.9 ")
    said: dict[str, str] = {}
    for names, cell in re.findall(r"^\| ((?:HD|C-PARITY)[^|]*) \| ([^|]*) \|", table, flags=re.MULTILINE):
        for first, last in re.findall(rf"({ID})(?: to ([0-9]+))?", names):
            stem, _, number = first.rpartition("-")
            ends = range(int(number), int(last or number) + 1)
            said |= {first if not last else f"{stem}-{end}": cell for end in ends}
    return said


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_no_two_rules_have_one_number(path: Path) -> None:
    """A number that tests cite must lead to one rule."""
    text = path.read_text(encoding="utf-8")
    rules = re.findall(r"^\*\*([A-Z][0-9]+(?:\.[0-9]+)+)(?![0-9])", text, flags=re.MULTILINE)
    assert rules and max(Counter(rules).values()) == 1, Counter(rules).most_common(3)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_contents_name_every_section(path: Path) -> None:
    """In their order."""
    text = path.read_text(encoding="utf-8")
    sections = re.findall(r"^## ([A-Z][0-9]+) ", text, flags=re.MULTILINE)
    contents = re.search(r"^Contents: (.*?)\.(?:\n\n| What a)", text, flags=re.MULTILINE | re.DOTALL)
    assert contents and re.findall(r"\b([PCFR][0-9]+)\s", contents[1]) == sections


def test_the_tables_of_the_defects_agree() -> None:
    """P8.3 decides, verified_c_bugs.md explains, C10.9 says what a run tells of each."""
    normative = rows((ROOT / "specs" / "physics.md").read_text(encoding="utf-8"))
    explained, said = rows(DEFECTS.read_text(encoding="utf-8")), said_at_run_time()
    assert len(normative) > 50 and set(normative) == set(said)
    assert set(normative) - set(explained) <= {"C-PARITY-001"}  # which has a section of its own
    for name, (*_, behaviour, kind) in explained.items():
        correction = normative[name][-1]
        assert correction.startswith("keep") == (kind == "kept") or kind == "image", name
        if kind == "kept":
            warns = said[name] != "no"
            assert ("warn" in correction, "warns" in behaviour) == (warns, warns), name
