"""``nbparity historical --supervisor``: the real-data experiment against its stored region and samples."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import environment
from .compare import Comparison, FloatImage, compare, crop, read_float_image, undefined
from .historical import Result, last_line
from .processes import run
from .programs import Program

Data = dict[str, Any]


def run_supervisor(root: Path, folder: Path, programs: Sequence[Program], logs: Path) -> list[Result]:
    """Run region and full frame with every program; the full frame is compared at 22,000 stored pixels."""
    data = json.loads((folder / "supervisor" / "supervisor.json").read_text(encoding="utf-8"))
    results = []
    for part in ("roi", "full"):
        for program in programs:
            program.check()
            results += _run_part(root, folder, data, part, program, logs)
    return results


def _run_part(root: Path, folder: Path, data: Data, part: str, program: Program, logs: Path) -> list[Result]:
    mode = "hist" if program.name == "c" else "fixed"
    shape = (data["shape"][0], data["shape"][1])
    with tempfile.TemporaryDirectory(prefix="nbparity-") as scratch_name:
        scratch = Path(scratch_name)
        for name in data["inputs"]:
            (scratch / name).write_bytes((folder / "inputs" / name).read_bytes())
        log = logs / f"supervisor-{part}.{program.name}.log"
        done = run(
            (*program.command, *data[f"args_{part}"]),
            folder=scratch,
            log=log,
            environment=environment.child_environment(root),
        )
        try:
            image = read_float_image(scratch / "floatimage.bin", shape)
        except (OSError, ValueError) as error:
            failed = undefined(f"exit status {done.status}: {last_line(log)}: {error}")
            return [_result(f"supervisor {part}", program, failed)]
    pairs = _roi_pairs if part == "roi" else _full_pairs
    return [_result(name, program, pair) for name, pair in pairs(folder / "supervisor", data, mode, image)]


def _roi_pairs(stored: Path, data: Data, mode: str, image: FloatImage) -> list[tuple[str, Comparison]]:
    """Compare the region of interest."""
    slow, fast = data["roi"]["float_offset_slow_fast"]
    rows, columns = data["roi"]["shape"]
    region = crop(image, (fast, fast + columns - 1, slow, slow + rows - 1))
    return [("supervisor roi", compare(region, np.load(stored / f"{mode}_roi_float.npy")))]


def _full_pairs(stored: Path, data: Data, mode: str, image: FloatImage) -> list[tuple[str, Comparison]]:
    """Compare the random sample and the brightest pixels of the full frame."""
    flat = image.ravel()
    pairs = []
    for kind in ("sample", "brightest"):
        pixels = flat[np.load(stored / f"{kind}_index.npy")]
        pairs.append((f"supervisor full {kind}", compare(pixels, np.load(stored / f"{mode}_{kind}.npy"))))
    return pairs


def _result(name: str, program: Program, pair: Comparison) -> Result:
    return Result(case=name, area="supervisor", program=program.name, pair=pair, files_same=0, files=0)
