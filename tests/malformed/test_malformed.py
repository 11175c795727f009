"""Every entry of the corpus through the simulator and both C programs."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from corpus import (
    CELL,
    CLEAN,
    CRYSTAL,
    ENTRIES,
    FRAME,
    GOOD_FILES,
    HEADER,
    KINDS,
    LINES_ACCEPTED,
    LINES_REFUSED,
    PIXELS,
    Entry,
    Special,
    image_file,
    options,
    place,
)
from three_programs import HISTORICAL, SIMULATOR, SPECIFICATION, Outcome, run_all

pytestmark = pytest.mark.malformed

SECONDS = 5.0
Outcomes = dict[str, Outcome]
Images = dict[tuple[str, str], bytes]
Run = Callable[[str, bytes | Special], Outcomes]


def runner(binaries: Path, scratch: Path) -> Run:
    """A function that runs the three programs on one input of a kind."""

    def run(kind: str, content: bytes | Special) -> Outcomes:
        name = f"input.{kind}"
        return run_all(
            binaries, options(kind, name), lambda folder: place(content, folder / name), scratch, SECONDS
        )

    return run


@pytest.fixture
def run(binaries: Path, tmp_path: Path) -> Run:
    """Run the three programs in an empty folder."""
    return runner(binaries, tmp_path)


@pytest.fixture(scope="session")
def clean_images(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Images:
    """The image of each clean file by each program."""
    images: Images = {}
    for kind in KINDS:
        outcomes = runner(binaries, tmp_path_factory.mktemp("clean"))(kind, CLEAN[kind])
        images |= {(kind, name): outcome.image or b"" for name, outcome in outcomes.items()}
    return images


def cases(accepted: bool) -> list[object]:
    """Entries as parameters."""
    entries = (entry for entry in ENTRIES if entry.accepted is accepted)
    return [pytest.param(entry, id=str(entry), marks=marks(entry)) for entry in entries]


def marks(entry: Entry) -> list[pytest.MarkDecorator]:
    """A file without permissions stops everybody but root."""
    if entry.content is Special.LOCKED:
        return [pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")]
    return []


def check(outcomes: Outcomes, statuses: dict[str, int]) -> None:
    """Fail if a program did what it may do on no input, or ended with another status."""
    complaints = [text for outcome in outcomes.values() for text in outcome.complaints()]
    assert not complaints, "\n".join([*complaints, *(outcome.err[-3000:] for outcome in outcomes.values())])
    found = {name: outcome.status for name, outcome in outcomes.items()}
    assert found == statuses, [outcome.errors for outcome in outcomes.values()]


@pytest.mark.parametrize("entry", cases(accepted=False))
def test_malformed_input_is_refused(entry: Entry, run: Run) -> None:
    """Status 9, one ERROR line that names the file, no output, in 5 s and 1 GiB (C5, C8.4, F2 to F12)."""
    outcomes = run(entry.kind, entry.content)
    check(outcomes, dict.fromkeys(outcomes, 9) | ({HISTORICAL: 0} if entry.historical else {}))
    for outcome in outcomes.values():
        if outcome.status == 9 and entry.rule != "C8.9":
            assert f"input.{entry.kind}" in outcome.errors[0]


@pytest.mark.parametrize("entry", cases(accepted=True))
def test_unusual_input_gives_the_image_of_the_clean_file(
    entry: Entry, run: Run, clean_images: Images
) -> None:
    """What F2 to F12 accept is read as if it were clean, but for the stated defects of historical mode."""
    outcomes = run(entry.kind, entry.content)
    check(outcomes, dict.fromkeys(outcomes, 0))
    for name, outcome in outcomes.items():
        same = outcome.image == clean_images[entry.kind, name]
        assert same != (name == HISTORICAL and entry.historical != ""), name


@pytest.mark.parametrize("kind", KINDS)
def test_the_clean_files_decide_the_image(kind: str, run: Run, clean_images: Images) -> None:
    """Simulator and specification mode agree bit for bit, and content decides, except that of F6."""
    image = clean_images[kind, SIMULATOR]
    assert len(image) == 64 and any(image) and image == clean_images[kind, SPECIFICATION]
    other = {
        "hkl": CLEAN["hkl"].replace(b".5", b".6"),
        "dump": CLEAN["dump"].replace(b"@", b"A"),
        "mat": CLEAN["mat"].replace(b"0.08", b"0.09"),
        "sourcefile": CLEAN["sourcefile"].replace(b"1.05e-10", b"1.2e-10"),
        "stol": CLEAN["stol"].replace(b"2", b"3"),
        "img": CLEAN["img"].replace(b"PHI=3", b"PHI=4"),
        "mask": image_file(HEADER, b"\1" * len(PIXELS)),
    }[kind]
    images = {outcome.image for outcome in run(kind, other).values()}
    assert (image not in images) == (kind != "stol")


def place_good_files(folder: Path) -> None:
    """Put a good file of every kind into a folder."""
    for name, content in GOOD_FILES.items():
        place(content, folder / name)


def run_line(line: str, binaries: Path, scratch: Path) -> Outcomes:
    """Run the three programs on a command line."""
    words = [*f"{CRYSTAL} {CELL} {FRAME}".split(), *line.split()]
    return run_all(binaries, words, place_good_files, scratch, SECONDS)


@pytest.mark.parametrize("line", LINES_REFUSED, ids=lambda line: line[:40])
def test_bad_values_are_refused(line: str, binaries: Path, tmp_path: Path) -> None:
    """Values without meaning, whatever their length: status 9, one ERROR line, no output (C8.4, C8.9)."""
    outcomes = run_line(line, binaries, tmp_path)
    check(outcomes, dict.fromkeys(outcomes, 9))


@pytest.mark.parametrize("line", LINES_ACCEPTED, ids=lambda line: line[:40])
def test_unusual_values_give_one_image(line: str, binaries: Path, tmp_path: Path) -> None:
    """What C3 and C8.4 allow is accepted, and simulator and specification mode agree bit for bit."""
    outcomes = run_line(line, binaries, tmp_path)
    check(outcomes, dict.fromkeys(outcomes, 0))
    assert outcomes[SIMULATOR].image == outcomes[SPECIFICATION].image is not None
