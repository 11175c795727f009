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


def usage_text() -> str:
    """Every option with its synonyms, unit, default and range."""
    head = (
        f"usage: {PROGRAM} -hkl <file> -mat <file> [options]\n"
        f"       {PROGRAM} -default_F <real> -cell <a> [b c alpha beta gamma] [options]"
    )
    return "\n".join([head, *_option_lines()]) + "\n"


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
