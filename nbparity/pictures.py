"""The pictures of a report, PNG, drawn with matplotlib's own fonts and without dates.

The same files give the same pictures. matplotlib is imported where it is used: what else the harness
does goes without it.
"""

import base64
import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import layout
from .compare import FloatImage, Roi, as_roi, crop, ordered_key, read_float_image

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

Data = dict[str, Any]
Array = npt.NDArray[Any]

# Small in inches, so that 9 point letters are still read when a picture is as wide as a phone.
SIZE_IN, DPI = (4.2, 3.2), 200
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.linewidth": 0.8,
    "savefig.facecolor": "white",
}
# The colours of Okabe and Ito, told apart by people who do not see red and green as others do.
COLOURS = {"c": "#d55e00", "c_spec": "#56b4e9", "py": "#000000", "py_cuda": "#009e73"}
IN_A_PICTURE = {"c": "with the old defects", "c_spec": "the specification", "py": "the simulator"}
NOTHING = "#c8c8c8"
LARGEST_SIDE = 640  # blocks of a whole detector: more than a screen shows at this size
DECADES = 7  # of intensity that are told apart; zeros of the lattice factor lie deeper
SCATTERED = 20_000  # dots that can be told apart; of more pixels, the density is drawn


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture: the section of the analysis it belongs to, its title, what it shows in words, the file."""

    section: str
    title: str
    alt: str
    png: bytes


def draw(bundle: Path, run: Data, summary: Data) -> list[Picture]:
    """Draw everything a bundle has pictures of; none for a blocked run."""
    import matplotlib

    if not summary["images"]:
        return []
    shape = tuple(run["experiment"]["shape"])
    roi = as_roi(run["experiment"]["roi"])
    images = {name: read_float_image(bundle / layout.image(name), shape) for name in summary["images"]}
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # whatever the user's settings are
        matplotlib.rcParams.update(STYLE)
        return [
            *_phi_pictures(run, summary),
            *_image_pictures(images, roi, summary),
            *_difference_pictures(images, roi, summary),
            *_scatter_pictures(images, roi, summary),
            *_radial_pictures(summary),
        ]


def same_pixels(x: str, r: str) -> bool:
    """Tell whether two PNG files in base64 hold the same pixels; no if the first is no such file."""
    from matplotlib.image import imread

    try:
        mine, theirs = (imread(io.BytesIO(base64.b64decode(text, validate=True))) for text in (x, r))
    except (ValueError, OSError, SyntaxError):  # what base64 and Pillow raise for what is not theirs
        return False
    return np.array_equal(mine, theirs)


def reduce_blocks(image: Array, pick: Callable[[Array, Array], Array]) -> tuple[Array, int]:
    """Return an image of blocks no larger than a screen shows, and the side of a block in pixels.

    ``pick`` takes two arrays and returns what of both a block keeps, for example the maximum, so that a
    spot of one pixel stays visible. Pixels beyond the edge are copies of those at it.
    """
    side = -(-max(image.shape) // LARGEST_SIDE)
    if side == 1:
        return image, 1
    beyond = [(0, -length % side) for length in image.shape]
    padded = np.pad(image, beyond, mode="edge")
    rows = padded[::side]
    for offset in range(1, side):
        rows = pick(rows, padded[offset::side])
    kept = rows[:, ::side]
    for offset in range(1, side):
        kept = pick(kept, rows[:, offset::side])
    return kept, side


def farther_from_zero(x: Array, y: Array) -> Array:
    """Return, pixel by pixel, the one of two values that is farther from zero."""
    return np.where(np.abs(y) > np.abs(x), y, x)


def _figure() -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE_IN, dpi=DPI)
    return figure, figure.add_axes((0.175, 0.15, 0.79, 0.81))


def _map_figure() -> "tuple[Figure, Axes, Axes]":
    """Return a figure with room for an image and a colour bar."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE_IN, dpi=DPI)
    return figure, figure.add_axes((0.145, 0.15, 0.63, 0.81)), figure.add_axes((0.80, 0.15, 0.035, 0.81))


def _png(figure: "Figure") -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def _show(axes: "Axes", region: Array, roi: Roi | None, **how: Any) -> "AxesImage":
    """Show an image in the coordinates of the detector, slow downwards; values that cannot be are grey."""
    from matplotlib import colormaps

    fast_first, slow_first = (0, 0) if roi is None else (roi[0], roi[2])
    slow, fast = region.shape
    pick = how.pop("pick")
    kept, side = reduce_blocks(region, pick)
    edges = (
        fast_first - 0.5,
        fast_first - 0.5 + kept.shape[1] * side,
        slow_first - 0.5 + kept.shape[0] * side,
        slow_first - 0.5,
    )
    colours = colormaps[how.pop("cmap")].with_extremes(bad=NOTHING)
    shown = axes.imshow(kept, extent=edges, cmap=colours, interpolation="nearest", aspect="equal", **how)
    axes.set_xlim(fast_first - 0.5, fast_first + fast - 0.5)
    axes.set_ylim(slow_first + slow - 0.5, slow_first - 0.5)
    axes.set_xlabel("fast (pixel)")
    axes.set_ylabel("slow (pixel)")
    axes.locator_params(nbins=5)
    return shown


def _limits(summary: Data) -> tuple[float, float] | None:
    """Return the lowest and the highest intensity of the colour scale, in photons; None if all are zero."""
    high = max((found["max"] or 0.0 for found in summary["images"].values()), default=0.0)
    if high == 0:
        return None
    low = min(found["min_positive"] for found in summary["images"].values() if found["min_positive"])
    low = max(low, high / 10**DECADES)
    return (low, high) if low < high else (high / 10, high)


def _intensity_map(region: FloatImage, roi: Roi | None, summary: Data, box: Roi | None = None) -> bytes:
    """Draw an image on a logarithmic scale that is the same for all images of the bundle."""
    figure, axes, bar = _map_figure()
    positive = np.where(region > 0, region, np.nan)
    limits = _limits(summary)
    norm = {"norm": "log", "vmin": limits[0], "vmax": limits[1]} if limits else {"vmin": 0, "vmax": 1}
    shown = _show(axes, positive, roi, cmap="viridis", pick=np.fmax, **norm)
    below = any(found["min_positive"] is not None for found in summary["images"].values())
    figure.colorbar(shown, cax=bar, label="photons per pixel", extend="min" if below else "neither")
    bar.minorticks_off()  # they take a quarter of the time
    if box is not None:
        _box(axes, box, region.shape)
    return _png(figure)


def _box(axes: "Axes", roi: Roi, shape: tuple[int, ...]) -> None:
    """Draw the region of interest and name it on the side where there is more room."""
    from matplotlib.patches import Rectangle

    fast_first, fast_last, slow_first, slow_last = roi
    corner = (fast_first - 0.5, slow_first - 0.5)
    size = (fast_last - fast_first + 1, slow_last - slow_first + 1)
    axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor="#b00000", linewidth=1.4))
    right = fast_first + fast_last < shape[1]
    below = slow_first + slow_last < shape[0]
    axes.annotate(
        f"region of interest\nfast {fast_first} to {fast_last}\nslow {slow_first} to {slow_last}",
        xy=((fast_last if right else fast_first), (slow_last if below else slow_first)),
        xytext=(22 if right else -22, -26 if below else 26),
        textcoords="offset points",
        ha="left" if right else "right",
        va="top" if below else "bottom",
        arrowprops={"arrowstyle": "-", "color": "#b00000", "linewidth": 1},
        bbox={"boxstyle": "round", "facecolor": "white", "edgecolor": "#b00000"},
    )


def _image_pictures(images: Mapping[str, FloatImage], roi: Roi | None, summary: Data) -> list[Picture]:
    found = []
    for name, image in images.items():
        facts = summary["images"][name]
        found.append(
            Picture(
                section="Images",
                title=f"{name}, {_where(roi)}",
                alt=f"Image of {name} on a logarithmic scale, {_where(roi)}: brightest pixel"
                f" {_word(facts['max'])}, weakest above zero {_word(facts['min_positive'])} photons;"
                f" grey: zero ({facts['zeros']} pixels).",
                png=_intensity_map(crop(image, roi), roi, summary),
            )
        )
    if roi is not None and "c_spec" in images:
        image = images["c_spec"]
        found.append(
            Picture(
                section="Images",
                title="c_spec, whole detector",
                alt=f"The whole detector of {image.shape[1]} x {image.shape[0]} pixels with a box around the"
                f" region of interest, {_where(roi)}; grey: zero, which everything outside has to be.",
                png=_intensity_map(image, None, summary, box=roi),
            )
        )
    return found


def _where(roi: Roi | None) -> str:
    return "whole detector" if roi is None else f"fast {roi[0]} to {roi[1]}, slow {roi[2]} to {roi[3]}"


def _difference_pictures(images: Mapping[str, FloatImage], roi: Roi | None, summary: Data) -> list[Picture]:
    """Draw where, and by how much, images differ: photons and units in the last place."""
    found = []
    for x, r in (("py", "c_spec"), ("c", "c_spec"), (layout.GPU, "c_spec")):
        if x not in images or r not in images:
            continue
        mine, theirs = crop(images[x], roi), crop(images[r], roi)
        both = np.isfinite(mine) & np.isfinite(theirs)
        pair = summary["pairs"][f"{x}_vs_{r}"]
        words = f"{pair['differing_pixels']} of {pair['pixels']} pixels differ"
        difference = np.where(both, mine.astype(np.float64) - theirs, np.nan)
        ulp = np.where(both, np.abs(ordered_key(mine) - ordered_key(theirs)), np.nan)
        found += [
            Picture(
                section="Differences",
                title=f"{x} minus {r}",
                alt=f"Map of {x} minus {r} in photons: {words}, by at most"
                f" {_word(pair['max_difference'])} photons.",
                png=_difference_map(difference, roi),
            ),
            Picture(
                section="Differences",
                title=f"{x} against {r}, units in the last place",
                alt=f"Map of the distance of {x} from {r} in units in the last place of float32 (ULP):"
                f" {words}, by at most {_word(pair['max_ulp'])} ULP; grey: no difference.",
                png=_ulp_map(ulp, roi),
            ),
        ]
    return found


def _largest(values: Array) -> float:
    """Return the largest magnitude among finite values, 0 if there is none."""
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) if finite.size else 0.0


def _difference_map(difference: Array, roi: Roi | None) -> bytes:
    """Draw a difference: red where the first image is brighter, blue where the second is."""
    from matplotlib.colors import SymLogNorm

    figure, axes, bar = _map_figure()
    largest = _largest(difference)
    if largest == 0:
        return _nothing(figure, axes, bar, difference, roi, "no difference\nin any pixel")
    top = math.floor(math.log10(largest))
    norm = SymLogNorm(linthresh=10.0 ** (top - 2), vmin=-largest, vmax=largest)
    shown = _show(axes, difference, roi, cmap="RdBu_r", pick=farther_from_zero, norm=norm)
    colour_bar = figure.colorbar(shown, cax=bar, label="photons per pixel")
    powers = [top, top - 1, top - 2]
    ticks = [-(10.0**power) for power in powers] + [0.0] + [10.0**power for power in powers[::-1]]
    labels = [f"$-10^{{{power}}}$" for power in powers] + ["0"] + [f"$10^{{{p}}}$" for p in powers[::-1]]
    colour_bar.set_ticks(ticks, labels=labels)
    colour_bar.ax.minorticks_off()
    return _png(figure)


def _ulp_map(ulp: Array, roi: Roi | None) -> bytes:
    """Draw distances in units in the last place on a logarithmic scale."""
    figure, axes, bar = _map_figure()
    largest = _largest(ulp)
    if largest == 0:
        return _nothing(figure, axes, bar, ulp, roi, "0 ULP\nin every pixel")
    apart = np.where(ulp > 0, ulp, np.nan)
    shown = _show(axes, apart, roi, cmap="magma_r", pick=np.fmax, norm="log", vmin=1, vmax=max(largest, 10.0))
    figure.colorbar(shown, cax=bar, label="ULP")
    bar.minorticks_off()
    return _png(figure)


def _nothing(figure: "Figure", axes: "Axes", bar: "Axes", zeros: Array, roi: Roi | None, text: str) -> bytes:
    """Draw the map of images that do not differ, and say so in it."""
    bar.remove()
    _show(axes, np.full_like(zeros, np.nan), roi, cmap="viridis", pick=np.fmax)
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=12)
    return _png(figure)


def _scatter_pictures(images: Mapping[str, FloatImage], roi: Roi | None, summary: Data) -> list[Picture]:
    """Draw c against py, pixel by pixel."""
    if "c" not in images or "py" not in images:
        return []
    c, py = crop(images["c"], roi).ravel(), crop(images["py"], roi).ravel()
    shown = np.isfinite(c) & np.isfinite(py) & (c > 0) & (py > 0)
    left_out = int(c.size - np.count_nonzero(shown))
    pair = summary["pairs"]["py_vs_c"]
    return [
        Picture(
            section="Differences",
            title="c against py, pixel by pixel",
            alt=f"Each pixel of c against that of py in photons, both axes logarithmic:"
            f" {c.size - left_out} pixels above zero in both, {left_out} others left out; on the line both"
            f" are the same. Pearson correlation {_word(pair['correlation'])}, ratio of sums py / c"
            f" {_word(pair['sum_ratio'])}.",
            png=_scatter(py[shown], c[shown]),
        )
    ]


def _scatter(py: Array, c: Array) -> bytes:
    from matplotlib.ticker import LogLocator

    dots = py.size <= SCATTERED
    if dots:
        figure, axes = _figure()
    else:
        figure, axes, bar = _map_figure()
    if py.size == 0:
        axes.text(0.5, 0.5, "no pixel above zero in both", transform=axes.transAxes, ha="center")
        return _png(figure)
    low, high = float(min(py.min(), c.min())) / 2, float(max(py.max(), c.max())) * 2
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(numticks=6))
    axes.minorticks_off()
    if dots:
        axes.plot(py, c, ".", color=COLOURS["c"], markersize=2.5, alpha=0.6, markeredgewidth=0, zorder=2)
        axes.plot([low, high], [low, high], color="black", linewidth=0.8, zorder=1)
    else:
        counts, edges = _density(py, c, low, high)
        shown = axes.pcolormesh(edges, edges, counts, cmap="viridis", norm="log", rasterized=True)
        figure.colorbar(shown, cax=bar, label="pixels")
        bar.minorticks_off()
        axes.plot([low, high], [low, high], color="#b00000", linewidth=0.8)
    axes.set_xlabel("py (photons)")
    axes.set_ylabel("c (photons)")
    return _png(figure)


def _density(x: Array, y: Array, low: float, high: float, bins: int = 160) -> tuple[Array, Array]:
    """Count pixels in cells of equal width in the logarithm; empty cells are NaN. Shape (y, x)."""
    scale = bins / np.log10(high / low)
    columns = np.minimum((np.log10(x / low) * scale).astype(np.int64), bins - 1)
    rows = np.minimum((np.log10(y / low) * scale).astype(np.int64), bins - 1)
    counts = np.bincount(rows * bins + columns, minlength=bins * bins).reshape(bins, bins)
    return np.where(counts > 0, counts, np.nan), np.geomspace(low, high, bins + 1)


def _radial_pictures(summary: Data) -> list[Picture]:
    """Draw the mean over rings of equal resolution."""
    rings = summary["radial"]["rings"]
    if not rings:
        return []
    figure, axes = _figure()
    middle = [(ring["inverse_d_low"] + ring["inverse_d_high"]) / 2 for ring in rings]
    for name in summary["images"]:
        axes.plot(middle, [ring[name] or np.nan for ring in rings], label=name, **_line(name))
    if any(ring[name] for ring in rings for name in summary["images"]):
        axes.set_yscale("log")
    axes.set_xlabel("1/d (1/$\\mathrm{\\AA}$)")
    axes.set_ylabel("mean photons per pixel")
    axes.locator_params(axis="x", nbins=6)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return [
        Picture(
            section="Radial profile",
            title="Radial profile",
            alt=f"Mean photons per pixel of {', '.join(summary['images'])} over {len(rings)} rings of equal"
            f" resolution, 1/d from {rings[0]['inverse_d_low']:.4f} to {rings[-1]['inverse_d_high']:.4f}"
            " per Angstrom; the table below has the figures.",
            png=_png(figure),
        )
    ]


def _line(name: str) -> Data:
    """Return how a program is drawn: c_spec wide and pale, so that py is seen on top of it."""
    style: Data = {"color": COLOURS[name], "linewidth": 1.2, "marker": "o", "markersize": 3.5}
    if name == "c_spec":
        style |= {"linewidth": 5, "marker": "", "solid_capstyle": "round"}
    if name == "c":
        style |= {"linestyle": "--", "marker": "s"}
    return style


def _phi_pictures(run: Data, summary: Data) -> list[Picture]:
    """Draw what each spindle step adds to the traced pixel; the steps at exactly phi = 0 are marked."""
    trace = summary["trace"]
    if trace is None or not trace["steps"]:
        return []
    rows = trace["steps"]
    names = [name for name in ("c_spec", "c", "py") if any(row[name] is not None for row in rows)]
    figure, axes = _figure()
    for name in names:
        given = run["programs"][name]["replaced"]
        label = f"{name} ({'given by the user' if given else IN_A_PICTURE[name]})"
        shown = [row for row in rows if row[name] is not None]
        axes.plot([row["phi_deg"] for row in shown], [row[name] for row in shown], label=label, **_line(name))
    apart = [row["phi_deg"] for row in rows if len({row[name] for name in names}) > 1]
    for phi_deg in apart:
        axes.axvline(phi_deg, color=COLOURS["c"], linewidth=8, alpha=0.25, zorder=0)
    highest = max(row[name] for row in rows for name in names if row[name] is not None)
    axes.set_ylim(0, 1.45 * highest or 1)  # the legend stands above the curves
    axes.set_xlabel("phi, angle of the spindle (degree)")
    axes.set_ylabel("contribution (electrons$^2$)")
    axes.locator_params(axis="x", nbins=6)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc="upper left")
    slow, fast = trace["pixel"]["slow"], trace["pixel"]["fast"]
    agree = "All agree at every step"
    if apart:
        agree = f"Not all agree at phi = {', '.join(f'{phi_deg:g}' for phi_deg in apart)} degree, marked"
    return [
        Picture(
            section="Spindle steps",
            title=f"Spindle steps of pixel slow {slow}, fast {fast}",
            alt=f"What each of {len(rows)} spindle steps adds to pixel slow {slow}, fast {fast} in"
            f" {', '.join(names)}, in electrons squared. {agree}; the table below has the figures.",
            png=_png(figure),
        )
    ]


def _word(value: float | int | None) -> str:
    return "none" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
