"""One strict scan over the arguments: which options were met, with which values (C8.1, C8.4)."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from nanobrag_torch.command_line.flags import BY_SPELLING, OUTPUT_FILES, Flag, Kind
from nanobrag_torch.constants import LARGEST_COUNT
from nanobrag_torch.errors import UsageError
from nanobrag_torch.formats.unit_cell import impossible_angles

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+(\.0*)?")
MOST_SUGGESTIONS = 5
LETTERS = {spelling: Counter(spelling) for spelling in BY_SPELLING}
"""How often each letter occurs in a spelling: this rules out most of them before their order is looked at."""


@dataclass(frozen=True, slots=True)
class Met:
    """An option met in the scan: its row, the spelling used, and its values, converted.

    ``values`` are the stored numbers in SI units, file names or words, one entry
    per argument; ``-cell`` has always six, 0 where not given.
    """

    flag: Flag
    spelling: str
    values: tuple[object, ...]


class StopEarly(Exception):  # noqa: N818 - not an error
    """``-h``, ``--help`` or ``--version`` was met; ``option`` is the canonical spelling (C8.5)."""

    def __init__(self, option: str) -> None:
        super().__init__(option)
        self.option = option


def scan(argv: Sequence[str]) -> list[Met]:
    """Options in the order met, values checked and converted.

    Raises: UsageError at the first argument that is wrong; StopEarly for the
    options that print a text and stop. Source: C8.1, C8.4.
    """
    met: list[Met] = []
    position = 0
    while position < len(argv):
        flag = _flag_at(argv, position, met)
        if flag.name in ("-h", "--version"):
            raise StopEarly(flag.name)
        spelling = argv[position]
        texts = _value_texts(flag, spelling, argv[position + 1 :])
        met.append(Met(flag, spelling, _values(flag, spelling, texts)))
        position += 1 + len(texts)
    return met


def _flag_at(argv: Sequence[str], position: int, met: Sequence[Met]) -> Flag:
    text = argv[position]
    flag = BY_SPELLING.get(text)
    if flag is not None:
        return flag
    if len(text) > 1 and text.startswith("-") and not NUMBER.fullmatch(text):
        raise UsageError(f"unknown option {text!r}{_did_you_mean(text)}")
    before = f"after {met[-1].spelling}" if met else "at the start of the command line"
    raise UsageError(f"stray argument {text!r} {before}")


def _did_you_mean(text: str) -> str:
    names = nearest_spellings(text)
    return f"; nearest options: {' '.join(names)}" if names else ""


def nearest_spellings(text: str) -> list[str]:
    """Known spellings that resemble ``text``, the most similar first, at most five (C8.4)."""
    allowed = max(2, len(text) // 4)
    letters = Counter(text)
    ranked = []
    for name, own in LETTERS.items():
        difference = abs(len(text) - len(name))
        if len(text) > 2 and (name in text or text in name):
            ranked.append((difference, name))  # exactly as many edits as the lengths differ
        elif difference <= allowed and _least_edits(letters, own) <= allowed:
            distance = _edit_distance(text, name)
            if distance <= allowed:
                ranked.append((distance, name))
    return [name for _, name in sorted(ranked)[:MOST_SUGGESTIONS]]


def _least_edits(a: Counter[str], b: Counter[str]) -> int:
    """Edits that two texts of these letters need at least, in whatever order the letters stand.

    Each edit removes one letter that is too many, adds one that is missing, or does both.
    """
    common = sum(min(count, b[letter]) for letter, count in a.items() if letter in b)
    return max(a.total(), b.total()) - common


def _edit_distance(a: str, b: str) -> int:
    """Insertions, deletions and replacements that turn ``a`` into ``b``."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


def _value_texts(flag: Flag, spelling: str, rest: Sequence[str]) -> list[str]:
    """Arguments that belong to the option; how many is fixed except for two options."""
    if flag.kind is Kind.SWITCH:
        return []
    if flag.kind is Kind.CELL:
        return _cell_texts(flag, spelling, rest)
    arity = flag.arity
    if flag.kind is Kind.MISSET and rest and not NUMBER.fullmatch(rest[0]):
        arity = 1
    if len(rest) < arity:
        raise UsageError(f"{spelling}: expected {_count(arity)}{_unit(flag)}, found {len(rest)}")
    return list(rest[:arity])


def _cell_texts(flag: Flag, spelling: str, rest: Sequence[str]) -> list[str]:
    if not rest:
        raise UsageError(f"{spelling}: expected 1 to {flag.arity} values{_unit(flag)}, found 0")
    texts = list(rest[: flag.arity])
    for given, text in enumerate(texts):
        if given and not NUMBER.fullmatch(text):
            return texts[:given]
    return texts


def _count(arity: int) -> str:
    return "1 value" if arity == 1 else f"{arity} values"


def _unit(flag: Flag) -> str:
    return f" ({flag.unit})" if flag.unit else ""


def _values(flag: Flag, spelling: str, texts: Sequence[str]) -> tuple[object, ...]:
    if flag.kind is Kind.SWITCH:
        return ()
    if flag.kind in (Kind.FILE, Kind.NAME, Kind.WORD):
        return (_word(flag, spelling, texts[0]),)
    if flag.kind is Kind.MISSET and len(texts) == 1 and "rand" in _word(flag, spelling, texts[0]):
        return ("random",)
    if flag.kind is Kind.DEPTH and "inf" in texts[0] and not texts[0].startswith("-"):
        return ("inf",)
    numbers = _numbers(flag, spelling, texts)
    if not flag.within.holds(numbers):
        shown = " ".join(texts)
        raise UsageError(f"{spelling}: value {shown!r} is out of range, expected {flag.within.text}")
    if flag.kind is Kind.DEPTH and numbers[0] == 0:
        return ("inf",)
    if flag.kind is Kind.CELL:
        return _cell(flag, spelling, numbers)
    return tuple(_converted(flag, spelling, number) for number in numbers)


def _word(flag: Flag, spelling: str, text: str) -> str:
    if text.startswith("-") and not (text == "-" and flag.name in OUTPUT_FILES):
        hint = "; a file can be named './-x'" if flag.kind is Kind.FILE else ""
        raise UsageError(f"{spelling}: value {text!r} begins with a minus sign{hint}")
    if not text:
        raise UsageError(f"{spelling}: value {text!r} is empty")
    if flag.kind in (Kind.FILE, Kind.NAME, Kind.MISSET):
        return text
    if flag.name == "-pivot":
        return _pivot_word(spelling, text)
    if text not in flag.words:
        raise UsageError(f"{spelling}: value {text!r} is unknown, expected {' or '.join(flag.words)}")
    return text


def _pivot_word(spelling: str, text: str) -> str:
    """A word that contains ``beam`` or ``sample``; ``beam`` if both (C3.80)."""
    for word in ("beam", "sample"):
        if word in text:
            return word
    raise UsageError(f"{spelling}: value {text!r} is unknown, expected sample or beam")


def _numbers(flag: Flag, spelling: str, texts: Sequence[str]) -> tuple[float, ...]:
    whole = flag.kind is Kind.INTEGER
    numbers: list[float] = []
    for position, text in enumerate(texts, start=1):
        place = f"{spelling}: value {position} of {len(texts)}, {text!r},"
        if not NUMBER.fullmatch(text):
            raise UsageError(f"{place} is not a number{_random_hint(flag)}")
        if whole and not WHOLE_NUMBER.fullmatch(text):
            raise UsageError(f"{place} is not an integer")
        number = _whole(text) if whole else float(text)
        if not math.isfinite(number):
            raise UsageError(f"{place} is out of range, expected a finite number")
        if whole and not -LARGEST_COUNT - 1 <= number <= LARGEST_COUNT:
            raise UsageError(f"{place} is out of range, expected {-LARGEST_COUNT - 1} to {LARGEST_COUNT}")
        numbers.append(number)
    return tuple(numbers)


def _whole(text: str) -> float:
    """Integer of digits that a point and zeros may follow.

    Absurdly large numbers become infinite: converting them would take quadratic time.
    """
    significant = text.partition(".")[0].lstrip("+-0") or "0"
    magnitude = int(significant) if len(significant) < 32 else math.inf
    return -magnitude if text.startswith("-") else magnitude


def _random_hint(flag: Flag) -> str:
    return " (three angles or the word random)" if flag.kind is Kind.MISSET else ""


def _converted(flag: Flag, spelling: str, number: float) -> object:
    """Number in stored units; a conversion must not overflow, nor give a 0 where 0 is out of range."""
    try:
        stored = flag.convert(number)
    except ZeroDivisionError:
        stored = math.inf
    vanished = stored == 0 and number != 0 and not flag.within.holds((0.0,))
    if vanished or (isinstance(stored, float) and math.isinf(stored)):
        raise UsageError(f"{spelling}: value {number!r} is out of range, it cannot be converted")
    return stored


def _cell(flag: Flag, spelling: str, numbers: tuple[float, ...]) -> tuple[object, ...]:
    """Edges and angles in stored units, 0 where not given. Raises: UsageError for no cell (C10.3)."""
    alpha, beta, gamma = (*numbers[3:], 90.0, 90.0, 90.0)[:3]
    reason = impossible_angles(alpha, beta, gamma)
    if reason is not None:
        raise UsageError(f"{spelling}: {reason}")
    angles = tuple(_converted(flag, spelling, number) for number in numbers[3:])
    given = (*numbers[:3], *angles)
    return given + (0.0,) * (flag.arity - len(given))
