"""``results/report.html``: one file, everything in it, nothing that the analysis does not say."""

import base64
import importlib.util
import io
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from nbparity import (
    analysis,
    analysis_parts,
    environment,
    layout,
    packed,
    photometry,
    pictures,
    provenance,
    report,
    verify,
)
from nbparity import summary as summaries
from nbparity.compare import compare
from nbparity.errors import BlockedError
from nbparity.hashing import files_below, sha256_list

DRAW = pictures.draw
SPINDLE = "Spindle steps of pixel slow 3, fast 4"
TITLES = [
    SPINDLE,
    "c, fast 1 to 4, slow 1 to 3",
    "c_spec, fast 1 to 4, slow 1 to 3",
    "py, fast 1 to 4, slow 1 to 3",
    "c_spec, whole detector",
    "py minus c_spec",
    "py against c_spec, units in the last place",
    "c minus c_spec",
    "c against c_spec, units in the last place",
    "c against py, pixel by pixel",
    "Radial profile",
]


class Page(HTMLParser):
    """What a page holds: its tags with attributes, its text, the cells of its tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.titles: list[str] = []
        self._inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "img", "wbr"}:
            self._inside.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._inside.pop() == tag, f"unbalanced: {tag}"

    def handle_data(self, data: str) -> None:
        if "style" in self._inside:
            return
        self.text += data
        if {"td", "th"} & set(self._inside):
            self.rows[-1][-1] += data
        if "figcaption" in self._inside:
            self.titles.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def drawn(site, monkeypatch):
    """The small checkout, its reports with pictures."""
    monkeypatch.setattr(pictures, "draw", DRAW)
    return site


def read(folder) -> str:
    return (folder / layout.REPORT).read_text(encoding="utf-8")


def write(folder, text: str) -> None:
    """Change a report as somebody does who knows about provenance and hash list."""
    (folder / layout.REPORT).write_text(text, encoding="utf-8")
    (folder / layout.PROVENANCE).write_text(provenance.text(folder), encoding="utf-8")
    names = [name for name in files_below(folder) if name != layout.HASHES]
    (folder / layout.HASHES).write_text(sha256_list(folder, names), encoding="utf-8")


def test_every_picture_is_there_and_can_be_decoded(bundle_with_pictures):
    """With words for those who do not see it, of the size that the page says, and not empty."""
    page = Page(read(bundle_with_pictures))
    assert page.titles == TITLES
    images = page.of("img")
    assert len(images) == len(TITLES)
    for image in images:
        assert image["alt"] and image["alt"].endswith(".")
        data = base64.b64decode(image["src"].removeprefix("data:image/png;base64,"), validate=True)
        picture = Image.open(io.BytesIO(data))
        assert picture.size == (int(image["width"]), int(image["height"]))
        assert len(picture.convert("RGB").getcolors(picture.width * picture.height)) > 3
        assert not {"Software", "Creation Time", "date:create"} & set(picture.info)


def test_nothing_is_loaded_and_nothing_runs(bundle_with_pictures):
    """Every address is in the page itself, there is no script, and the page forbids itself the network."""
    text = read(bundle_with_pictures)
    page = Page(text)
    for tag, attributes in page.tags:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), (tag, attributes)
        assert not any(name.startswith("on") for name in attributes)
    assert not {"script", "iframe", "object", "embed", "base", "form", "svg"} & {tag for tag, _ in page.tags}
    words = report.without_pictures(text)
    assert not re.search(r"https?:|url\(|@import|javascript:", words)
    policy = next(meta for meta in page.of("meta") if "http-equiv" in meta)
    assert policy["content"] == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    anchors = {attributes.get("id") for attributes in page.of("section")}
    assert {link["href"].removeprefix("#") for link in page.of("a")} == anchors


def test_what_an_experiment_is_called_is_text(drawn):
    """Neither markup nor a link comes out of a title, or of what a program prints."""
    wild = r"<script>alert(1)</script> [x](http://example.org) ![y](http://example.org) <b>&amp;</b> *z* \\_"
    path = drawn.root / "golden_suite_generator" / "experiments" / "tiny.toml"
    text = path.read_text(encoding="utf-8").replace('"A tiny experiment"', f"'{wild}'")
    path.write_text(text, encoding="utf-8")
    drawn.program("py", status=9, say="<script>alert(2)</script>")
    page = Page(read(drawn.run().folder))
    assert not {"script", "b", "em"} & {tag for tag, _ in page.tags}
    assert [link for link in page.of("a") if not link["href"].startswith("#")] == []
    assert wild in page.text
    assert "<script>alert(2)</script>" in page.text


def test_the_tables_have_the_figures_of_the_summary(bundle_with_pictures, summary_of):
    """Every figure of every pair, rounded for reading."""
    rows = {row[0]: row[1:] for row in Page(read(bundle_with_pictures)).rows}
    pairs = summary_of(bundle_with_pictures)["pairs"]
    for title, key in [
        ("differing pixels", "differing_pixels"),
        ("Pearson correlation", "correlation"),
        ("sum of the first (photons)", "sum_x"),
        ("ratio of sums", "sum_ratio"),
        ("root mean square difference (photons)", "rmse"),
        ("largest distance (units in the last place, ULP)", "max_ulp"),
    ]:
        shown = [float(cell.replace(",", "")) for cell in rows[title]]
        assert shown == pytest.approx([pair[key] for pair in pairs.values()], rel=5e-6)
        assert all(len(cell) <= 11 for cell in rows[title])


def test_the_report_says_what_the_analysis_says(bundle_with_pictures):
    """Every cell of every table, every line of code, every title; in the same order."""
    page = Page(read(bundle_with_pictures))
    text = (bundle_with_pictures / layout.ANALYSIS).read_text(encoding="utf-8")
    lines = text.replace("`", "").splitlines()
    table_lines = [line for line in lines if line.startswith("|") and not re.fullmatch(r"[|: -]+", line)]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table_lines]
    assert page.rows == cells
    for line in lines:
        if line.startswith(("    ", "## ", "# ", "- ")):
            assert line.strip().removeprefix("- ").lstrip("# ") in page.text


def test_a_result_has_its_colour(drawn):
    """A failed check is marked in the table and in the head."""
    drawn.program("py", ignores_roi=True)
    page = Page(read(drawn.run().folder))
    assert [cell.get("class") for cell in page.of("td")].count("fail") == 1
    assert [span["class"] for span in page.of("span") if "badge" in (span.get("class") or "")] == [
        "badge bad"
    ]


def test_the_head_says_pass_or_fail_and_one_sentence(bundle_with_pictures):
    """Both are those of the summary, the sentence once; how the programs are called is said below."""
    text = read(bundle_with_pictures)
    summary = json.loads((bundle_with_pictures / layout.SUMMARY).read_text(encoding="utf-8"))
    badge, said = re.search(
        r'<span class="badge good">(.*)</span>\s*<strong class="said">(.*)</strong>', text
    ).groups()
    assert (badge, said) == (summary["result"], summary["said"])
    assert badge == "PASS"
    assert text.count(said) == 1


def test_the_spindle_steps_come_before_the_pixels(bundle_with_pictures):
    """The picture that shows most is the first, and the tables of pixels come after it."""
    page = Page(read(bundle_with_pictures))
    anchors = [section["id"] for section in page.of("section")]
    assert anchors[0] == "spindle-steps"
    assert anchors.index("checks") < anchors.index("images") < anchors.index("pixel-trace")
    assert "Not all agree at phi = 0 degree, marked" in page.of("img")[0]["alt"]


def test_every_cell_of_a_table_knows_its_column(bundle_with_pictures):
    """On a phone the title stands beside it, where the table is too wide to be one."""
    text = read(bundle_with_pictures)
    cards = [table["class"] for table in Page(text).of("table") if "class" in table]
    assert "cards" in cards and "cards figures" in cards
    rows = re.findall(r"<tr>(.*?)</tr>", text, re.DOTALL)
    head = []
    for row in rows:
        titles = re.findall(r"<th[^>]*>(.*?)</th>", row)
        head = titles or head
        known = [found.replace("&quot;", '"') for found in re.findall(r'data-title="(.*?)"', row)]
        assert known == ([] if titles else [re.sub("<.*?>", "", title) for title in head])


def test_the_words_of_a_report_are_explained(bundle_with_pictures):
    """Those that occur, and no others."""
    rows = {row[0]: row[1] for row in Page(read(bundle_with_pictures)).rows if len(row) == 2}
    for word in ("bit-identical", "region of interest", "ULP", "phi", "F_latt", "parity_n1"):
        assert rows[word]
    assert "supervisor" not in rows
    assert "| supervisor |" in analysis_parts.words("on the supervisor data")


def test_a_blocked_run_has_a_report_without_pictures(drawn):
    """The reason and what was printed are in it."""
    drawn.program("py", status=9)
    page = Page(read(drawn.run().folder))
    assert page.of("img") == []
    assert "exit status 9" in page.text
    assert "fake: it does not work" in page.text


@pytest.mark.parametrize(
    "behaviour",
    [{"bytes": 100}, {"pixel": (9, "nan")}, {"pixel": (9, "inf")}, {"writes_nothing": True}, {"factor": 0}],
)
def test_an_image_that_cannot_be_one_does_not_stop_the_report(drawn, behaviour):
    """Short, missing, not finite, or all zero: what there is is drawn."""
    drawn.program("py", **behaviour)
    folder = drawn.run().folder
    assert "UNEXPLAINED" in read(folder) or "SCALE" in read(folder)
    assert Page(read(folder)).titles[:2] == TITLES[:2]


def test_the_gpu_image_is_drawn_as_well(drawn, monkeypatch):
    """Against c_spec, as it is judged."""
    monkeypatch.setattr(environment, "cuda_devices", lambda python, root: (1, ""))
    titles = Page(read(drawn.run().folder)).titles
    assert "py_cuda minus c_spec" in titles
    assert "py_cuda against c_spec, units in the last place" in titles


def test_the_same_files_give_the_same_report(bundle_with_pictures, summary_of):
    """Byte for byte, whatever the user's settings of matplotlib are."""
    with matplotlib.rc_context({"font.size": 20, "image.cmap": "jet", "axes.facecolor": "red"}):
        again = report.html(bundle_with_pictures, summary_of(bundle_with_pictures))
    assert again == read(bundle_with_pictures)


@pytest.fixture
def copy(bundle_with_pictures, tmp_path):
    """A bundle to change."""
    return Path(shutil.copytree(bundle_with_pictures, tmp_path / "copy"))


def test_a_word_changed_in_the_report_is_untrue(copy):
    """The complaint names the line."""
    text = read(copy)
    write(copy, text.replace("both in 11 of 12 pixels", "both in 10 of 12 pixels"))
    (complaint,) = verify.verify(copy)
    assert complaint.startswith(f"untrue: {layout.REPORT}:")
    write(copy, text.replace('alt="Map of py minus', 'alt="A map of py minus'))
    assert "A map of py minus" in verify.verify(copy)[0]


def other_picture(png: bytes) -> bytes:
    """The picture with one pixel in another colour."""
    with Image.open(io.BytesIO(png)) as picture:
        picture.putpixel((200, 200), (1, 2, 3, 255))
        stream = io.BytesIO()
        picture.save(stream, format="png")
    return stream.getvalue()


def recompressed(png: bytes) -> bytes:
    """The same pixels in another file."""
    with Image.open(io.BytesIO(png)) as picture:
        stream = io.BytesIO()
        picture.save(stream, format="png", compress_level=1)
    assert stream.getvalue() != png
    return stream.getvalue()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (other_picture, "untrue: results/report.html: picture 5 of 11 is not the one"),
        (lambda png: png[:-40], "untrue: results/report.html: picture 5 of 11 is not the one"),
        (lambda png: b"no picture", "untrue: results/report.html: picture 5 of 11 is not the one"),
        (recompressed, ""),
    ],
)
def test_a_picture_has_to_have_the_pixels_that_the_files_give(copy, change, said):
    """One pixel is enough; how the file is compressed does not matter."""
    text = read(copy)
    fifth = list(report.ANY_PNG_URI.finditer(text))[4]
    picture = base64.b64encode(change(base64.b64decode(fifth[1]))).decode("ascii")
    write(copy, text[: fifth.start(1)] + picture + text[fifth.end(1) :])
    assert [complaint[: len(said)] for complaint in verify.verify(copy)] == ([said] if said else [])


def test_a_picture_without_a_part_of_the_analysis_is_an_error(bundle_with_pictures, summary_of):
    """A title renamed in the analysis must not lose the pictures that belong to it."""
    summary = summary_of(bundle_with_pictures)
    parts = analysis.sections(bundle_with_pictures, summary)
    lost = pictures.Picture(section="Imagos", title="an image", alt="An image.", png=b"")
    with pytest.raises(ValueError, match="no part of the analysis for the pictures an image"):
        report.page(parts, summary, [lost])


def test_a_missing_package_is_named_before_anything_runs(site, monkeypatch):
    """The harness does without matplotlib, a report does not."""
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "matplotlib" else real(name, *rest)
    )
    with pytest.raises(BlockedError, match=r"the report needs matplotlib: pip install"):
        site.run()
    assert site.bundles() == []


def test_a_spot_of_one_pixel_stays_in_a_smaller_image():
    """Wherever it is, also in the last row and column, which fill no block."""
    for place in [(0, 0), (777, 1234), (1300, 1900)]:
        image = np.zeros((1301, 1901), np.float32)
        image[place] = 7
        small, side = pictures.reduce_blocks(image, np.fmax)
        assert side == 3 and max(small.shape) <= pictures.LARGEST_SIDE
        assert small[place[0] // side, place[1] // side] == 7
        assert np.count_nonzero(small) == 1


def test_a_smaller_difference_keeps_the_larger_side():
    """Of plus two and minus three, minus three; a small image stays as it is."""
    image = np.zeros((1280, 10))
    image[0, 0], image[1, 1] = 2, -3
    small, side = pictures.reduce_blocks(image, pictures.farther_from_zero)
    assert side == 2 and small[0, 0] == -3
    assert pictures.reduce_blocks(image[:100], np.fmax)[1] == 1


def test_a_spot_is_seen_on_a_whole_detector(tmp_path):
    """One pixel of a million and a half has the brightest colour of the scale; its difference is red."""
    shape, spot = (1301, 1200), (700, 333)
    flat = np.ones(shape, np.float32)
    images = {"c": flat.copy(), "c_spec": flat, "py": flat}
    images["c"][spot] = 1000
    (tmp_path / "inputs").mkdir()
    for name, image in images.items():
        packed.write(tmp_path / layout.image(name), image.tobytes())
    pairs = {pair: compare(images[x], images[r]).as_dict() for pair, (x, r) in summaries.PAIRS.items()}
    summary = {
        "images": {name: photometry.extremes(image, None) for name, image in images.items()},
        "pairs": pairs,
        "radial": {"rings": []},
        "trace": None,
    }
    drawn = DRAW(tmp_path, {"experiment": {"shape": list(shape), "roi": None}}, summary)
    found = {
        picture.title: np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB")) for picture in drawn
    }
    width = found["c, whole detector"].shape[1]
    in_map = slice(0, round(0.78 * width))  # the colour bar beside it has every colour
    assert (found["c, whole detector"][:, in_map] == (253, 231, 36)).all(axis=-1).any()
    assert not (found["py, whole detector"][:, in_map] == (253, 231, 36)).all(axis=-1).any()
    red = found["c minus c_spec"][:, in_map].astype(int)
    assert ((red[..., 0] > 90) & (red[..., 1:].max(axis=-1) < 40)).any()
    assert "c against py, pixel by pixel" in found  # as a density, of so many pixels
