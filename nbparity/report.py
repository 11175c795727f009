"""``results/report.html``: the analysis of a bundle with pictures, in one file that loads nothing.

The words and tables are those of ``analysis.md``, typeset; the pictures stand below the title of the part
they belong to. So the report says nothing that the analysis does not say.
"""

import base64
import importlib.util
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import analysis, layout, pictures
from .checks import FAIL, INFO, PASS, SKIPPED
from .errors import BlockedError
from .outcome import PASS as GOOD
from .pictures import Picture

if TYPE_CHECKING:
    from jinja2 import Template
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

Data = dict[str, Any]
TEMPLATE = Path(__file__).with_name("report.html")
PACKAGES = {"matplotlib": "matplotlib", "jinja2": "jinja2", "markdown_it": "markdown-it-py"}
PNG_URI = "data:image/png;base64,"
ANY_PNG_URI = re.compile(re.escape(PNG_URI) + "([A-Za-z0-9+/=]*)")
NEGATIVE_POWER = re.compile(r"[0-9.]+e-[0-9]+")
LONG_NAME = re.compile(r"[\w./-]{13,}")
NAME_END = re.compile("[_/]")
RESULTS = {PASS: "pass", FAIL: "fail", INFO: "info", SKIPPED: "info"}
NARROW = 34
"""Letters of a line on a phone, in tables. A table that is wider has each row as a card there."""
BREAKABLE = 20
"""A word of more letters, a hash or a path, may be broken anywhere."""
WORD = re.compile(r"[^\s_/]+[_/]?")
# What a title, a path or a message might hold is text: no links, no images, no markup from outside.
TEXT_ONLY = ["link", "image", "autolink", "html_inline", "html_block", "entity", "emphasis", "escape"]


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page: the anchor of its title, the title, HTML, pictures."""

    anchor: str
    title: str
    html: str
    pictures: tuple[Picture, ...]


def check_packages() -> None:
    """Raise BlockedError if a package that the report is made with is not installed."""
    missing = [name for module, name in PACKAGES.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise BlockedError(
            f"the report needs {', '.join(missing)}: pip install {' '.join(missing)}, or make venv"
        )


def html(bundle: Path, summary: Data) -> str:
    """Return the report of a bundle whose raw files are in place."""
    run: Data = json.loads((bundle / layout.RUN).read_text(encoding="utf-8"))
    return page(analysis.sections(bundle, summary), summary, pictures.draw(bundle, run, summary))


def page(parts: Sequence[str], summary: Data, drawn: Sequence[Picture]) -> str:
    """Set the parts of the analysis and the pictures as a page; ValueError for a picture without its part."""
    markdown = _markdown()
    # The result and its sentence, the first line below the title, are set as a badge and beside it.
    head = parts[0].replace(f"\n\n{summary['result']}: {summary['said']}\n", "\n", 1)
    sections = [_section(markdown, part, drawn) for part in (head, *parts[1:])]
    lost = [picture.title for picture in drawn if not any(picture in found.pictures for found in sections)]
    if lost:
        raise ValueError(f"no part of the analysis for the pictures {', '.join(lost)}")
    return _template().render(
        head=sections[0],
        sections=sections[1:],
        result=summary["result"],
        good=summary["result"] == GOOD,
        said=summary["said"],
        width=round(pictures.SIZE_IN[0] * pictures.DPI),
        height=round(pictures.SIZE_IN[1] * pictures.DPI),
    )


@cache
def _template() -> "Template":
    """Return the compiled page, which takes longer to compile than to fill in."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["png_uri"] = png_uri
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8"))


def png_uri(png: bytes) -> str:
    """Return a picture as an address that holds it."""
    return PNG_URI + base64.b64encode(png).decode("ascii")


def without_pictures(text: str) -> str:
    """Return a page with every picture left out, its words and figures kept."""
    return ANY_PNG_URI.sub(PNG_URI, text)


def picture_complaints(claimed: str, derived: str) -> list[str]:
    """Name every picture of a page that is not, pixel for pixel, that of the page derived from the files.

    Pixels, since the compression of a PNG file depends on the machine. Another version of matplotlib draws
    letters differently; the complaint says which one is here.
    """
    mine, theirs = ANY_PNG_URI.findall(claimed), ANY_PNG_URI.findall(derived)
    if len(mine) != len(theirs):
        return [f"untrue: {layout.REPORT} has {len(mine)} pictures, the files give {len(theirs)}"]
    return [
        f"untrue: {layout.REPORT}: picture {number} of {len(theirs)} is not the one the files give"
        f" (drawn here with matplotlib {metadata.version('matplotlib')}, for the bundle see {layout.ENV})"
        for number, (x, r) in enumerate(zip(mine, theirs, strict=True), start=1)
        if x != r and not pictures.same_pixels(x, r)
    ]


def _section(markdown: "MarkdownIt", part: str, drawn: Sequence[Picture]) -> Section:
    first, _, body = part.partition("\n")
    title = first.lstrip("#").strip()
    tokens = markdown.parse(body)
    _dress_tables(tokens)
    _dress_cells(tokens)
    return Section(
        anchor=re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-"),
        title=title,
        html=str(markdown.renderer.render(tokens, markdown.options, {})),
        pictures=tuple(picture for picture in drawn if picture.section == title),
    )


@cache
def _markdown() -> "MarkdownIt":
    """Return a converter for paragraphs, lists, tables and code; no picture, link or HTML."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table").disable(TEXT_ONLY)


def _dress_tables(tokens: "Sequence[Token]") -> None:
    """Give each cell the title of its column, and a table that is wider than a phone the class of cards."""
    for start, opening in enumerate(tokens):
        if opening.type != "table_open":
            continue
        end = next(n for n in range(start, len(tokens)) if tokens[n].type == "table_close")
        titles = [token.content for token in _contents(tokens[start:end], "th_open")]
        widths = [_width(title) for title in titles]
        column = 0
        for before, token in zip(tokens[start:end], tokens[start + 1 : end], strict=False):
            if before.type == "tr_open":
                column = 0
            if before.type == "td_open":
                before.attrSet("data-title", titles[column])
                widths[column] = max(widths[column], _width(token.content))
                column += 1
        if len(widths) > 2 and sum(widths) + 2 * len(widths) > NARROW:
            figures = [token for token in tokens[start:end] if token.type == "th_open" and token.attrs]
            opening.attrSet("class", "cards figures" if 2 * len(figures) > len(titles) else "cards")


def _contents(tokens: "Sequence[Token]", kind: str) -> "list[Token]":
    return [token for before, token in zip(tokens, tokens[1:], strict=False) if before.type == kind]


def _width(text: str) -> int:
    """Return how many letters a cell is wide at least."""
    words = [word for word in WORD.findall(text) if len(word) <= BREAKABLE]
    return max(map(len, words), default=0)


def _dress_cells(tokens: "Sequence[Token]") -> None:
    """Give a cell that holds a result the class of its colour; keep numbers whole, let long names break."""
    for before, token in zip(tokens, tokens[1:], strict=False):
        if before.type != "td_open":
            continue
        if token.content in RESULTS:
            before.attrSet("class", RESULTS[token.content])
        for child in token.children or []:
            if child.type == "text":
                text = LONG_NAME.sub(_breakable, escape(child.content))
                # Without this a browser breaks the line after the hyphen of 1e-07.
                child.content = NEGATIVE_POWER.sub(r'<span class="number">\g<0></span>', text)
                child.type = "html_inline"


def _breakable(name: re.Match[str]) -> str:
    """Let a name break behind its parts, and one without parts, a hash for example, anywhere."""
    parts = NAME_END.sub(r"\g<0><wbr>", name[0])
    longest = max(map(len, NAME_END.split(name[0])))
    return f'<span class="long">{parts}</span>' if longest > BREAKABLE else parts
