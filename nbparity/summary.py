"""``results/summary.json``: every figure of a bundle, derived from its raw files alone.

Nothing here is remembered from the run, so ``verify`` can derive the same figures
again and compare them with what the bundle claims.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from . import layout, outcome, packed, photometry, pytest_log, trace_runs, trace_tables
from .ablation import CAUSE
from .causes import explains
from .compare import (
    Comparison,
    FloatImage,
    Roi,
    as_roi,
    compare,
    crop,
    nonzero_outside,
    read_float_image,
    undefined,
)
from .processes import lines_with, render_time_of_log_s
from .thresholds import of_record
from .verdict import Name, Verdict, judge

Data = dict[str, Any]
FORMAT = 2
"""Of ``summary.json``, part of the bundle digest: another one where a figure is no longer the same."""
PAIRS = {"py_vs_c_spec": ("py", "c_spec"), "py_vs_c": ("py", "c"), "c_vs_c_spec": ("c", "c_spec")}
GPU_PAIR = f"{layout.GPU}_vs_c_spec"


def derive(bundle: Path) -> Data:
    """Return the summary of a bundle from its raw files.

    Raises OSError, ValueError or KeyError if a raw file is missing or not of its format.
    """
    run: Data = json.loads((bundle / layout.RUN).read_text(encoding="utf-8"))
    commands = layout.read_commands(bundle)
    figures = _blocked() if run["status"] == "blocked" else _figures(bundle, run)
    found = {
        "format": FORMAT,
        "experiment": run["experiment"]["id"],
        "status": run["status"],
        **figures,
        "tests": pytest_log.read(commands, _pytest_log(bundle)),
        "protected_assets": {
            "files": run["protected"]["files"],
            "changed": run["protected"]["changed"],
        },
        "images_sha256": _image_digests(bundle),
        "timings": _timings(bundle, commands),
    }
    ended = outcome.of(bundle, found, run)
    return found | {"result": ended.result, "said": ended.said}


def as_text(summary: Data) -> str:
    """Return the text of ``summary.json``; NaN cannot occur in it."""
    return json.dumps(summary, indent=1, allow_nan=False) + "\n"


def _blocked() -> Data:
    return {
        "verdict": {"name": Name.BLOCKED.value, "reasons": []},
        "pairs": {},
        "ablation": None,
        "causes": [],
        "outside": {},
        "images": {},
        "radial": {"problem": "", "rings": []},
        "trace": None,
    }


def _figures(bundle: Path, run: Data) -> Data:
    """Compare the images of a complete run and judge them."""
    slow, fast = run["experiment"]["shape"]
    roi = as_roi(run["experiment"]["roi"])
    names = [*layout.IMAGES, *([layout.GPU] if run["gpu"]["ran"] else [])]
    images = {name: _read(bundle, name, (slow, fast)) for name in names}
    pairs = {pair: _pair(images[x], images[r], roi) for pair, (x, r) in PAIRS.items()}
    if run["gpu"]["ran"]:
        pairs[GPU_PAIR] = _pair(images[layout.GPU], images["c_spec"], roi)
    outside = {name: nonzero_outside(im, roi) for name, im in images.items() if not isinstance(im, str)}
    causes = _causes(bundle, run, pairs)
    ablation = next((after for row, after in causes if row["id"] == CAUSE), None)
    verdict = judge(
        py_c_spec=pairs["py_vs_c_spec"],
        py_c=pairs["py_vs_c"],
        c_c_spec=pairs["c_vs_c_spec"],
        ablation=ablation,
        gpu=pairs.get(GPU_PAIR),
        outside=outside,
        thresholds=of_record(run["thresholds"]),
    )
    return {
        "verdict": _verdict_data(verdict, [row for row, _ in causes]),
        "pairs": {name: pair.as_dict() for name, pair in pairs.items()},
        "ablation": None if ablation is None else ablation.as_dict(),
        "causes": [row for row, _ in causes],
        "outside": outside,
        "images": {
            name: photometry.extremes(im, roi) for name, im in images.items() if not isinstance(im, str)
        },
        "radial": _radial(bundle, run, images, roi or (0, fast - 1, 0, slow - 1)),
        "trace": _trace(bundle, run, images, roi),
    }


def _radial(bundle: Path, run: Data, images: dict[str, FloatImage | str], roi: Roi) -> Data:
    """Return the mean of each image over rings of equal resolution, or in words why there is none."""
    if "-curved_det" in run["experiment"]["args"] or "-curved_detector" in run["experiment"]["args"]:
        return {"problem": "the detector is curved", "rings": []}
    if run["trace"]["pixel"] is None:
        return {"problem": "no pixel was traced, so the geometry is not known", "rings": []}
    traced = trace_runs.from_bundle(bundle).traced["c_spec"]
    log = lines_with(bundle / layout.command_log("c_spec"), b"pixel=")
    try:
        geometry = photometry.geometry(traced.entries, log)
    except ValueError as error:
        return {"problem": f"geometry of c_spec: {traced.problem or error}", "rings": []}
    regions = {name: crop(im, roi) for name, im in images.items() if not isinstance(im, str)}
    return {"problem": "", "rings": photometry.rings(photometry.inverse_d(geometry, roi), regions)}


def _trace(bundle: Path, run: Data, images: dict[str, FloatImage | str], roi: Roi | None) -> Data | None:
    """Return what the traces say, and whether it is what the images hold; None if no pixel was traced."""
    if run["trace"]["pixel"] is None:
        return None
    traced = trace_runs.from_bundle(bundle)
    data = trace_tables.facts(traced, of_record(run["thresholds"]).trace_max_relative)
    reference = images["c_spec"]
    data["brightest"] = not isinstance(reference, str) and (
        trace_runs.brightest(reference, roi) == traced.pixel
    )
    for name, found in data["programs"].items():
        image, stored = images[name], found[trace_tables.STORED]
        found["as_in_image"] = (
            stored is not None
            and not isinstance(image, str)
            and bool(np.float32(stored) == image[traced.pixel])
        )
    return data


def _verdict_data(verdict: Verdict, causes: list[Data]) -> Data:
    """Return the verdict; a cause that excuses nothing is stated, too, if it explains a difference."""
    found = [
        f"with {row['id']} switched off {row['x']} and {row['r']} are bit-identical"
        for row in causes
        if row["explains"] and row["id"] != CAUSE
    ]
    return {"name": verdict.name.value, "reasons": [*verdict.reasons, *found]}


def _read(bundle: Path, name: str, shape: tuple[int, int]) -> FloatImage | str:
    """Return the image, or in words why there is none."""
    path = bundle / layout.image(name)
    if not path.is_file():
        return f"{layout.float_file(name)} was not written"
    try:
        return read_float_image(path, shape)
    except ValueError as error:
        return str(error)


def _pair(x: FloatImage | str, r: FloatImage | str, roi: Roi | None) -> Comparison:
    if isinstance(x, str) or isinstance(r, str):
        return undefined("; ".join(side for side in (x, r) if isinstance(side, str)))
    return compare(crop(x, roi), crop(r, roi))


def _causes(bundle: Path, run: Data, pairs: dict[str, Comparison]) -> list[tuple[Data, Comparison]]:
    """Compare the regions rendered with a cause switched off, for each experiment that was run."""
    rows = []
    for cause in run["causes"]:
        for experiment in cause["experiments"]:
            x, r = experiment["x"], experiment["r"]
            before = pairs[f"{x}_vs_{r}"]
            paths = [bundle / layout.ablated_roi(name, cause["id"]) for name in (x, r)]
            if before.identical or before.problem or not all(path.is_file() for path in paths):
                continue
            after = compare(*(np.load(path, allow_pickle=False) for path in paths))
            if after.pixels != before.pixels:
                after = undefined(
                    f"covers {after.pixels} pixels instead of the {before.pixels} of the region"
                )
            row = {
                **{"id": cause["id"], "title": cause["title"], "see": cause["see"]},
                **{"x": x, "r": r, "change": experiment["change"]},
                "before": before.as_dict(),
                "after": after.as_dict(),
                "explains": explains(after),
            }
            rows.append((row, after))
    return rows


def _pytest_log(bundle: Path) -> str:
    path = bundle / layout.PYTEST_LOG
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _image_digests(bundle: Path) -> Data:
    names = [*layout.IMAGES, layout.GPU]
    paths = {name: bundle / layout.image(name) for name in names}
    return {name: packed.sha256_of_content(path) for name, path in paths.items() if path.is_file()}


def _timings(bundle: Path, commands: list[layout.CommandRow]) -> Data:
    """Return seconds per command: wall time, and the render time the program itself printed."""
    timings: Data = {}
    for row in commands:
        wall = datetime.fromisoformat(row.ended) - datetime.fromisoformat(row.started)
        timings[row.label] = {"wall_s": round(wall.total_seconds(), 3)}
        log = bundle / layout.command_log(row.label)
        if log.is_file():
            timings[row.label]["render_s"] = render_time_of_log_s(log)
    return timings
