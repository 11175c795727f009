"""What README.md says one can type works, in the order in which it stands there, in one folder."""

import re
import shlex
import shutil
import textwrap
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from nanobrag_torch.__main__ import main

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CRO = ROOT / "golden_suite_generator" / "experiments" / "cro"
SIMULATOR = ("python -m nanobrag_torch ", "nanobrag_torch ")
# Commands with tests of their own: they build, install, or need an engine.
ELSEWHERE = ("make ", "docker ", "pip ", ".venv/bin/", "NB_C_BIN=")


class Example(NamedTuple):
    """A block of the text: its lines without the margin, and the number of the first."""

    line: int
    text: str

    @property
    def commands(self) -> list[str]:
        """The command lines of a transcript or of a list of commands, comments and prompts taken off."""
        joined = self.text.replace("\\\n", " ")
        typed = re.findall(r"^\$ (.*)", joined, flags=re.MULTILINE) or joined.splitlines()
        return [line.partition("   #")[0].strip() for line in typed if line.strip()]

    @property
    def is_python(self) -> bool:
        """Whether it begins as a module does."""
        return self.text.startswith(("from ", "import "))


def examples() -> Iterator[Example]:
    """The blocks that are set in by four blanks, in order."""
    for block in re.finditer(r"(?:^    .*\n|^\n(?=(?:\n)*    ))+", README, flags=re.MULTILINE):
        text = textwrap.dedent(block[0]).strip("\n")
        if text:
            yield Example(README[: block.start()].count("\n") + 1, f"{text}\n")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[Example, Path], dict[str, Any]]:
    """Run the simulator's command lines of an example, or its Python, in a folder; the names it defines."""

    def run(example: Example, folder: Path) -> dict[str, Any]:
        folder.mkdir(exist_ok=True)
        monkeypatch.chdir(folder)
        names: dict[str, Any] = {}
        if example.is_python:
            exec(example.text, names)
            return names
        for command in example.commands:
            if command.startswith(SIMULATOR):
                arguments = shlex.split(command.partition("nanobrag_torch ")[2])
                assert main(arguments) == 0, command
        return names

    return run


def test_every_command_is_run_here_or_known() -> None:
    """A kind of example that nobody tries would be a claim that nobody checked."""
    commands = [command for example in examples() if not example.is_python for command in example.commands]
    assert [command for command in commands if not f"{command} ".startswith(SIMULATOR + ELSEWHERE)] == []
    assert any(command.startswith(SIMULATOR) for command in commands)
    assert any(example.is_python for example in examples())


def test_the_examples_one_after_another_in_one_folder(
    tmp_path: Path, type_in: Callable[[Example, Path], dict[str, Any]]
) -> None:
    """What one leaves changes nothing in the next: Python gives the image that it gives in an empty folder.

    The command line leaves its cache of structure factors there (C4.17), which a library call must not read;
    nor does it write anything. The images that the text names are there.
    """
    folder, empty = tmp_path / "shared", tmp_path / "empty"
    folder.mkdir()
    for name in ("cro.mat", "cro.hkl"):
        shutil.copy(CRO / name, folder)
    for example in examples():
        before = contents(folder) if folder.exists() else {}
        made = type_in(example, folder)
        if not example.is_python:
            for name in re.findall(r"-floatfile (\S+)", example.text):
                pixels = re.search(r"-detpixels (\d+)", example.text)
                assert pixels and (folder / name).stat().st_size == 4 * int(pixels[1]) ** 2
            continue
        alone = type_in(example, empty)
        assert not list(empty.iterdir()), f"README.md:{example.line} writes files"
        assert contents(folder) == before, f"README.md:{example.line} writes files"
        photons = [names["image"].sum().item() for names in (made, alone)]
        assert photons[0] == photons[1], f"README.md:{example.line}: photons here, and in an empty folder"
        assert np.array_equal(*(names["image"].detach().numpy() for names in (made, alone)))


def test_the_python_example_makes_the_image_of_the_command_line(
    tmp_path: Path, type_in: Callable[[Example, Path], dict[str, Any]]
) -> None:
    """The same options give the same bits; the gradient that the text promises is there."""
    for number, example in enumerate(example for example in examples() if example.is_python):
        folder = tmp_path / str(number)
        names = type_in(example, folder)
        arguments = re.search(r'"(-cell .*?)"', example.text)
        assert arguments and main([*arguments[1].split(), "-floatfile", "image.bin"]) == 0
        assert names["distance_m"].grad != 0
        assert names["image"].detach().numpy().tobytes() == (folder / "image.bin").read_bytes()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([a-z-]+)`", README))))
def test_every_make_target_exists(target: str) -> None:
    """A target that the text names is one of the Makefile."""
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#:]+)\)", README))
def test_every_linked_file_exists(link: str) -> None:
    """Links inside the repository lead somewhere."""
    assert (ROOT / link).exists()


def speed_rows() -> list[str]:
    """The rows of the table of speeds, as they follow from the file of the benchmark."""
    rows = []
    for processor, facts in tomllib.loads((ROOT / "docs" / "benchmark.toml").read_text()).items():
        runs = {(run["program"], run["threads"]): run for run in facts["run"]}
        for threads in sorted({threads for _, threads in runs}):
            c_spec, py = runs["c_spec", threads], runs["py", threads]
            times = f"{c_spec['render_s'] / py['render_s']:.1f}"
            cells = [processor, threads, c_spec["render_s"], py["render_s"], times]
            cells += [run.get("process_s", "") for run in (c_spec, py)] + [py.get("peak_mib", "")]
            rows.append(f"| {' | '.join(map(str, cells))} |".replace("  ", " "))
    return rows


def test_speed_and_memory_are_those_of_the_benchmark() -> None:
    """Each figure stands in docs/benchmark.toml, with the processor it was measured on."""
    table = re.search(r"^\| processor \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", README, flags=re.MULTILINE)
    assert table and table[1].splitlines() == speed_rows()
