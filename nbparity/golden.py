"""``nbparity golden``: the project's own golden suite, made by the specification program.

``golden_suite_generator/golden/`` keeps for every case the float image, ``images/<id>.npy``, and in
``outputs.json`` the SHA-256 of every file that was written.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .case_runs import Rendered, render, status_problems
from .cases import FOLDER, Case
from .compare import FloatImage, compare
from .errors import BlockedError, NotIntactError
from .programs import Program

IMAGES = "images"
OUTPUTS = "outputs.json"
Outputs = dict[str, dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One program on one case: what differs from the stored files, in words; nothing if all is as stored."""

    case: str
    program: str
    problems: tuple[str, ...]


def image_path(root: Path, case_id: str) -> Path:
    """Return where the float image of a case is stored."""
    return root / FOLDER / IMAGES / f"{case_id}.npy"


def stored_outputs(root: Path) -> Outputs:
    """Read case -> file -> SHA-256."""
    data: Outputs = json.loads((root / FOLDER / OUTPUTS).read_text(encoding="utf-8"))
    return data


def run_all(
    root: Path, cases: Sequence[Case], programs: Sequence[Program], jobs: int
) -> dict[tuple[str, str], Rendered]:
    """Run every program on every case, a few at a time; (case, program) -> what it made."""
    for program in programs:
        program.check()
    work = [(case, program) for case in cases for program in programs]
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        made = pool.map(lambda item: render(root, item[0], item[1]), work)
        return {(case.id, program.name): done for (case, program), done in zip(work, made, strict=True)}


def write(root: Path, cases: Sequence[Case], program: Program, jobs: int) -> int:
    """Run ``program`` on every case and replace the stored suite by what it made; the number of cases."""
    made = run_all(root, cases, [program], jobs)
    failed = [
        problem
        for (case, name), done in made.items()
        for problem in status_problems({f"{case}: {name}": done})
    ]
    if failed:
        raise BlockedError("the suite was not written, since a program failed", "\n".join(failed))
    folder = root / FOLDER / IMAGES
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.npy"):
        old.unlink()
    outputs: Outputs = {}
    for (case, _), done in made.items():
        outputs[case] = done.files
        np.save(image_path(root, case), _image_of(case, done), allow_pickle=False)
    text = json.dumps(outputs, indent=1, sort_keys=True) + "\n"
    (root / FOLDER / OUTPUTS).write_text(text, encoding="utf-8")
    return len(outputs)


def _image_of(case: str, done: Rendered) -> FloatImage:
    if done.image is None:
        raise NotIntactError(f"{case}: the program ended well and left no float image")
    return done.image


def check(root: Path, cases: Sequence[Case], programs: Sequence[Program], jobs: int) -> list[Checked]:
    """Run programs on cases and compare with the stored files, byte by byte."""
    stored, made = stored_outputs(root), run_all(root, cases, programs, jobs)
    by_id = {case.id: case for case in cases}
    return [
        Checked(case=case, program=name, problems=tuple(differences(root, by_id[case], stored[case], done)))
        for (case, name), done in made.items()
    ]


def differences(root: Path, case: Case, stored: dict[str, str], done: Rendered) -> list[str]:
    """Return what a program made otherwise than stored: pixels first, then files."""
    problems = status_problems({"it": done})
    if done.image is not None:
        found = compare(done.image, np.load(image_path(root, case.id), allow_pickle=False))
        if found.differing_pixels != 0:
            problems.append(
                f"{found.differing_pixels} of {found.pixels} pixels differ, up to {found.max_ulp} ULP"
            )
    names = sorted(stored.keys() | done.files.keys())
    other = [name for name in names if stored.get(name) != done.files.get(name) and name != case.float_file]
    return problems + ([f"other files differ: {', '.join(other)}"] if other else [])
