"""A program on a case: run it in a folder of its own and keep what it made."""

import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import environment
from .cases import Case
from .compare import Comparison, FloatImage, compare, read_float_image, undefined
from .hashing import sha256_of_file
from .processes import run
from .programs import Program

SHAPE = re.compile(r"\((\d+)x(\d+) pixels\)")


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """What a program made of a case: exit status, seconds, float image, hash of every file, printed text."""

    status: int
    wall_s: float
    image: FloatImage | None
    files: dict[str, str]
    text: str


def render(root: Path, case: Case, program: Program, extra: tuple[str, ...] = ()) -> Rendered:
    """Run a program on a case, perhaps with further arguments, in a folder that holds only the inputs."""
    return render_alone(
        (*program.command, *case.args, *extra),
        copy_inputs=lambda folder: case.copy_inputs(root, folder),
        float_file=case.float_file,
        child=environment.child_environment(root),
    )


def render_alone(
    command: tuple[str, ...],
    *,
    copy_inputs: Callable[[Path], None],
    float_file: str,
    child: Mapping[str, str],
) -> Rendered:
    """Run a command in a folder that holds only its inputs, in the environment ``child``."""
    with tempfile.TemporaryDirectory(prefix="nbparity-") as name:
        scratch, log = Path(name) / "run", Path(name) / "log.txt"
        scratch.mkdir()
        copy_inputs(scratch)
        inputs = {path.name for path in scratch.iterdir()}
        done = run(command, folder=scratch, log=log, environment=child)
        text = log.read_text(encoding="utf-8", errors="replace")
        written = {path.name for path in scratch.iterdir()} - inputs
        return Rendered(
            status=done.status,
            wall_s=done.wall_s,
            image=_image(scratch / float_file, text),
            files={name: sha256_of_file(scratch / name) for name in sorted(written)},
            text=text,
        )


def _image(path: Path, text: str) -> FloatImage | None:
    """Return the float image in the shape that the program printed, None if it cannot be read."""
    shape = SHAPE.search(text)
    try:
        return None if shape is None else read_float_image(path, (int(shape[2]), int(shape[1])))
    except (OSError, ValueError):
        return None


def pair(x: Rendered, r: Rendered) -> Comparison:
    """Compare two images; a missing one is a problem in words."""
    if x.image is None or r.image is None:
        return undefined("no image to compare")
    return compare(x.image, r.image)


def status_problems(runs: dict[str, Rendered]) -> list[str]:
    """Name every program that did not end well, with its last words."""
    return [
        f"{name} ended with {done.status}: {(done.text.strip().splitlines() or ['no output'])[-1]}"
        for name, done in runs.items()
        if done.status != 0
    ]
