"""Texts of ``-h`` and ``--version``, made from the table of options (C8.5)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from nanobrag_torch import __version__
from nanobrag_torch.command_line.flags import FLAGS, Flag, Kind

PROGRAM = "nanobrag_torch"
LINE_WIDTH = 100
HELP_INDENT = " " * 8
PLACEHOLDERS = {Kind.REAL: "<real>", Kind.INTEGER: "<integer>", Kind.FILE: "<file>"}


USAGES = (
    f"usage: {PROGRAM} -hkl <file> -mat <file> [options]\n"
    f"       {PROGRAM} -default_F <real> -cell <a> [b c alpha beta gamma] [options]\n"
)


def usage_text() -> str:
    """Every option with its synonyms, unit, default and range."""
    return USAGES + "\n".join(_option_lines()) + "\n"


def short_text() -> str:
    """What a program without arguments says: five lines, and where the rest is (C10.7)."""
    return (
        f"{PROGRAM} {__version__}: X-ray diffraction images of small crystals, as the program nanoBragg\n"
        f"{USAGES}"
        f"try:   {PROGRAM} -default_F 100 -cell 50 60 70 90 90 90 -N 5 -detpixels 256\n"
        f"more:  {PROGRAM} -h lists every option; README.md and specs/cli.md tell the rest\n"
    )


def version_text() -> str:
    """Program name and version in one line."""
    return f"{PROGRAM} {__version__}\n"


def text_for(option: str) -> str:
    """What to print when the scan stopped early at ``option`` (see ``scan.StopEarly``)."""
    return version_text() if option == "--version" else usage_text()


def _option_lines() -> Iterator[str]:
    group = ""
    for flag in FLAGS:
        if flag.group != group:
            group = flag.group
            yield f"\n{group}:"
        yield from _wrapped(f"{' '.join(flag.spellings)} {_placeholder(flag)}".rstrip(), "  ")
        yield from _wrapped(_description(flag), HELP_INDENT)


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        LINE_WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_on_hyphens=False,
    )


def _placeholder(flag: Flag) -> str:
    if flag.values:
        return flag.values
    if flag.words:
        return " | ".join(flag.words)
    return PLACEHOLDERS.get(flag.kind, "")


def _description(flag: Flag) -> str:
    notes = [flag.unit, flag.within.text if flag.within.text != "finite" else ""]
    notes.append(f"default {flag.default}" if flag.default else "")
    shown = "; ".join(note for note in notes if note)
    return f"{flag.help} ({shown})" if shown else flag.help
