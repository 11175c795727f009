"""Print which golden case and which test module exercises each option; exit status 1 if one has neither.

    python -P tests/flag_table.py

The options come from the simulator's table, the cases from golden_suite_generator/golden/cases.toml. A test
module counts if the option stands in it as a word.
"""

import re
import shlex
import sys
import tomllib
from pathlib import Path

from nanobrag_torch.command_line.flags import FLAGS

ROOT = Path(__file__).resolve().parents[1]
CASES = ROOT / "golden_suite_generator" / "golden" / "cases.toml"
SHOWN = 3


def words_of_cases() -> dict[str, set[str]]:
    """Case -> the arguments of its command line."""
    data = tomllib.loads(CASES.read_text(encoding="utf-8"))
    return {
        case["id"]: {*shlex.split(data["base"][case["base"]]), *shlex.split(case["argv"])}
        for case in data["case"]
    }


def words_of_tests() -> dict[str, set[str]]:
    """Test module -> everything in it that looks like an option."""
    return {
        path.relative_to(ROOT / "tests").as_posix(): set(
            re.findall(r"(?<![\w-])--?[A-Za-z4]\w*", path.read_text(encoding="utf-8"))
        )
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
    }


def some(names: list[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more or "-"


def main() -> int:
    """Print the table; the exit status."""
    cases, tests = words_of_cases(), words_of_tests()
    print("| option | row | golden cases | test modules |\n|---|---|---|---|")
    empty = []
    for flag in FLAGS:
        by_case = [name for name, words in cases.items() if words.intersection(flag.spellings)]
        by_test = [name for name, words in tests.items() if words.intersection(flag.spellings)]
        print(f"| `{flag.name}` | {flag.source} | {some(by_case)} | {some(by_test)} |")
        if not by_case and not by_test:
            empty.append(flag.name)
    print(f"\n{len(FLAGS)} options, without a case or a test: {', '.join(empty) or 'none'}")
    return 1 if empty else 0


if __name__ == "__main__":
    sys.exit(main())
