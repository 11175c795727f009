"""The report of a real run in headless Chromium, on a desk and on a phone (``nox -s tests_browser``)."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nbparity import experiment, layout, n1, programs, thresholds
from nbparity.tables import figure

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
WIDTHS = {"desk": (1280, 900), "phone": (390, 844), "small phone": (320, 568)}
NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory, make_c: Callable[..., Path]) -> Path:
    """The report of the cro experiment with the real programs."""
    make_c()
    plan = n1.Plan(
        root=ROOT,
        reports=tmp_path_factory.mktemp("reports"),
        experiment=experiment.load(ROOT, "cro"),
        programs=programs.locate(ROOT),
        thresholds=thresholds.load(),
    )
    return n1.parity_n1(plan).folder / layout.REPORT


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium of the system, or the one that NB_CHROMIUM names."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = os.environ.get("NB_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} found, NB_CHROMIUM is not set")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=path)
        yield chromium
        chromium.close()


@pytest.fixture(params=WIDTHS)
def opened(request: pytest.FixtureRequest, browser: Any, report: Path) -> Iterator[tuple[Any, list[str]]]:
    """The report in a window of some width, and what the browser asked for or complained about."""
    width, height = WIDTHS[request.param]
    page = browser.new_page(viewport={"width": width, "height": height})
    seen: list[str] = []
    page.on("request", lambda asked: seen.append(f"request {asked.url}"))
    page.on("console", lambda message: seen.append(f"console {message.text}"))
    page.on("pageerror", lambda error: seen.append(f"error {error}"))
    page.goto(report.as_uri(), wait_until="networkidle")
    yield page, seen
    page.close()


def test_nothing_but_the_file_is_asked_for(opened: tuple[Any, list[str]], report: Path) -> None:
    """No request leaves the page, and the browser has nothing to complain about."""
    _, seen = opened
    beyond = [what for what in seen if not what.startswith("request data:")]
    assert beyond == [f"request {report.as_uri()}"]


def test_the_body_is_no_wider_than_the_window(opened: tuple[Any, list[str]]) -> None:
    """What is wider, a command for example, scrolls by itself."""
    page, _ = opened
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = page.evaluate(
        """width => [...document.querySelectorAll('body *')]
            .filter(e => !e.closest('pre, thead') && e.getBoundingClientRect().right > width + 0.5)
            .map(e => e.outerHTML.slice(0, 100))""",
        width,
    )
    assert outside == []


def test_no_column_of_a_table_is_cut(opened: tuple[Any, list[str]]) -> None:
    """Every cell is seen whole, without scrolling: its text ends within it, and it within the window."""
    page, _ = opened
    cut = page.evaluate(
        """() => [...document.querySelectorAll('td, tbody th')].filter(e => {
            const text = document.createRange();
            text.selectNodeContents(e);
            const cell = e.getBoundingClientRect(), inside = text.getBoundingClientRect();
            const beyond = inside.right > cell.right + 0.5 || cell.right > innerWidth;
            return beyond || e.scrollWidth > e.clientWidth + 1;
        }).map(e => [e.textContent.slice(0, 60), e.scrollWidth, e.clientWidth])"""
    )
    assert cut == []


def test_a_table_that_is_too_wide_for_a_phone_names_its_columns(opened: tuple[Any, list[str]]) -> None:
    """There each row is a card, with the title of the column beside the value; on a desk it is a table."""
    page, _ = opened
    shown = page.evaluate(
        """() => [...document.querySelectorAll('.cards td')].filter(e => e.dataset.title).map(
            e => [getComputedStyle(e, '::before').content, JSON.stringify(e.dataset.title)])"""
    )
    assert shown
    narrow = page.viewport_size["width"] < 640
    assert all((content == title) if narrow else (content == "none") for content, title in shown)


def test_result_and_sentence_are_seen_without_scrolling(opened: tuple[Any, list[str]]) -> None:
    """On any screen, and on a desk the picture of the spindle steps begins there."""
    page, _ = opened
    bottoms = page.evaluate(
        "() => ['.badge', '.said'].map(e => document.querySelector(e).getBoundingClientRect().bottom)"
    )
    assert max(bottoms) < 400
    top = page.evaluate("document.querySelector('img').getBoundingClientRect().top")
    assert top < page.viewport_size["height"] or page.viewport_size["width"] < 640


def test_every_picture_is_decoded_and_keeps_its_shape(opened: tuple[Any, list[str]]) -> None:
    """None is missing, empty, or squeezed."""
    page, _ = opened
    found = page.evaluate(
        """() => [...document.images].map(
            i => [i.complete, i.naturalWidth, i.naturalHeight, i.width, i.height])"""
    )
    assert len(found) == 11
    for complete, natural_width, natural_height, width, height in found:
        assert complete and natural_width > 0 and width > 200
        assert height / width == pytest.approx(natural_height / natural_width, rel=0.02)


def test_letters_are_large_enough_and_stand_out(opened: tuple[Any, list[str]]) -> None:
    """Text of 12 pixels at least, at a contrast of 4.5 at least, as WCAG 2 asks for."""
    page, _ = opened
    weak = page.evaluate(
        """() => {
            const channel = v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 };
            const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
            const colour = text => text.match(/[0-9.]+/g).map(Number);
            const behind = e => {
                for (; e; e = e.parentElement) {
                    const c = colour(getComputedStyle(e).backgroundColor);
                    if (c.length === 3 || c[3] === 1) return c;
                }
                return [255, 255, 255];
            };
            const found = [];
            for (const e of document.querySelectorAll('body *')) {
                if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
                const style = getComputedStyle(e);
                const pair = [light(colour(style.color)), light(behind(e))].sort((a, b) => b - a);
                const contrast = (pair[0] + 0.05) / (pair[1] + 0.05);
                if (contrast < 4.5 || parseFloat(style.fontSize) < 12)
                    found.push([contrast, style.fontSize, e.textContent.trim().slice(0, 40)]);
            }
            return found;
        }"""
    )
    assert weak == []


def test_titles_do_not_overlap(opened: tuple[Any, list[str]]) -> None:
    """Neither pictures nor tables nor titles cover each other."""
    page, _ = opened
    boxes = page.evaluate(
        """() => [...document.querySelectorAll('h1, h2, figure, table, pre, p, nav')].map(
            e => { const r = e.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom] })"""
    )
    overlapping = [
        (a, b)
        for number, a in enumerate(boxes)
        for b in boxes[number + 1 :]
        if min(a[2], b[2]) - max(a[0], b[0]) > 1 and min(a[3], b[3]) - max(a[1], b[1]) > 1
    ]
    assert overlapping == []


def test_the_summary_is_on_the_page(opened: tuple[Any, list[str]], report: Path) -> None:
    """What one sees is what the bundle claims."""
    page, _ = opened
    summary = json.loads(report.with_name("summary.json").read_text(encoding="utf-8"))
    text = page.inner_text("body")
    assert page.inner_text(".badge") == summary["result"]
    assert page.inner_text(".said") == summary["said"]
    assert summary["verdict"]["name"] in text
    for pair in summary["pairs"].values():
        assert figure(pair["sum_ratio"]) in text
