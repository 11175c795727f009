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
from .checks import FAIL, PASS, checks
from .errors import BlockedError, ExitCode
from .pictures import Picture
from .verdict import EXIT_CODES, Name

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
    return page(analysis.sections(bundle, summary), run, summary, pictures.draw(bundle, run, summary))


def page(parts: Sequence[str], run: Data, summary: Data, drawn: Sequence[Picture]) -> str:
    """Set the parts of the analysis and the pictures as a page; ValueError for a picture without its part."""
    markdown = _markdown()
    sections = [_section(markdown, part, drawn) for part in parts]
    lost = [picture.title for picture in drawn if not any(picture in found.pictures for found in sections)]
    if lost:
        raise ValueError(f"no part of the analysis for the pictures {', '.join(lost)}")
    decided = [check for check in checks(run, summary) if check.passed is not None]
    verdict = Name(summary["verdict"]["name"])
    return _template().render(
        head=sections[0],
        sections=sections[1:],
        verdict=verdict.value,
        good=EXIT_CODES[verdict] is ExitCode.OK,
        passed=sum(check.passed is True for check in decided),
        decided=len(decided),
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
    _dress_cells(tokens)
    return Section(
        anchor=re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-"),
        title=title,
        html=str(markdown.renderer.render(tokens, markdown.options, {})),
        pictures=tuple(picture for picture in drawn if picture.section == title),
    )


@cache
def _markdown() -> "MarkdownIt":
    """Return a converter for paragraphs, lists, tables and code; tables scroll by themselves."""
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable(TEXT_ONLY)
    opening = '<div class="scroll" role="region" aria-label="table" tabindex="0"><table>\n'
    markdown.add_render_rule("table_open", lambda *_: opening)
    markdown.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return markdown


def _dress_cells(tokens: "Sequence[Token]") -> None:
    """Give a cell that holds a result the class of its colour; keep numbers whole, let long names break."""
    for before, token in zip(tokens, tokens[1:], strict=False):
        if before.type != "td_open":
            continue
        if token.content in (PASS, FAIL):
            before.attrSet("class", token.content.lower())
        for child in token.children or []:
            if child.type == "text":
                text = LONG_NAME.sub(lambda name: NAME_END.sub(r"\g<0><wbr>", name[0]), escape(child.content))
                # Without this a browser breaks the line after the hyphen of 1e-07.
                child.content = NEGATIVE_POWER.sub(r'<span class="number">\g<0></span>', text)
                child.type = "html_inline"
