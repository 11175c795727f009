"""What README.md says one can type works."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from nanobrag_torch.__main__ import main

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CRO = ROOT / "golden_suite_generator" / "experiments" / "cro"


def test_the_examples_work_one_after_another_in_one_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder with the two input files, as the text says.

    The first example leaves a cache there (C4.17). The second is a library call: it neither reads nor
    writes the folder, and its image is that of its command line where there is no cache.
    """
    run_example(tmp_path)
    left = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert "Fdump.bin" in left
    block = re.search(r"^    from dataclasses(?:.*\n|\n)+?(?=^\S)", README, flags=re.MULTILINE)
    assert block
    lines = textwrap.dedent(block[0])
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(lines, names)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == left
    (tmp_path / "Fdump.bin").unlink()
    arguments = re.search(r'"(-cell .*?)"', lines)
    assert arguments and main([*arguments[1].split(), "-floatfile", "image.bin"]) == 0
    assert names["distance_m"].grad != 0
    assert names["image"].detach().numpy().tobytes() == (tmp_path / "image.bin").read_bytes()


def run_example(folder: Path) -> None:
    """The command line of the text, in a folder; it writes the image it names."""
    block = re.search(r"^    python (-m nanobrag_torch (?:.*\\\n)*.*)", README, flags=re.MULTILINE)
    assert block
    arguments = shlex.split(block[1].replace("\\\n", " "))
    for name in ("cro.mat", "cro.hkl"):
        shutil.copy(CRO / name, folder)
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    pixels = int(arguments[arguments.index("-detpixels") + 1])
    assert (folder / "cro.bin").stat().st_size == 4 * pixels**2


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([a-z-]+)`", README))))
def test_every_make_target_exists(target: str) -> None:
    """A target that the text names is one of the Makefile."""
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#:]+)\)", README))
def test_every_linked_file_exists(link: str) -> None:
    """Links inside the repository lead somewhere."""
    assert (ROOT / link).exists()
