"""Evidence bundles: built aside, sealed with hashes, put into place by one rename."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from . import analysis, layout, ledger_entry, locks, packed, provenance, report, summary
from .errors import NotIntactError, NotWrittenError
from .hashing import differences, files_below, parse_sha256_list, sha256_list, sha256_of_file

STAMP = "%Y%m%dT%H%M%SZ"
FOLDERS = ("inputs", "tests", "results")


def stamp() -> str:
    """Return the UTC time as the name of a bundle."""
    return datetime.now(UTC).strftime(STAMP)


def below(parent: Path, marks: Iterable[str] = layout.MARKS) -> list[Path]:
    """Return every folder below ``parent`` that is a finished bundle, or what is left of one, in order.

    Any of the files that say what it is will do, so that one that lost some of them is not passed over.
    """
    found = {path.parents[mark.count("/")] for mark in marks for path in parent.rglob(mark)}
    return sorted(folder for folder in found if not _unfinished(folder.relative_to(parent)))


def _unfinished(folder: Path) -> bool:
    return any(part.startswith(layout.UNFINISHED) for part in folder.parts)


@contextmanager
def building(parent: Path, folders: tuple[str, ...] = FOLDERS) -> Iterator[Path]:
    """Give a hidden folder beside the finished ones; it is removed unless it was put into place.

    The folder is locked while this process lives. What runs that were killed have left is removed.
    """
    with ExitStack() as held:
        try:
            parent.mkdir(parents=True, exist_ok=True)
            with locks.exclusive(parent):
                _sweep(parent)
                folder = Path(tempfile.mkdtemp(prefix=layout.UNFINISHED, dir=parent))
                held.callback(shutil.rmtree, folder, ignore_errors=True)
                held.enter_context(locks.exclusive(folder))
            folder.chmod(0o755)
            for name in folders:
                (folder / name).mkdir()
        except OSError as error:
            raise NotWrittenError(f"no bundle can be written below {parent}: {error.strerror}") from None
        yield folder


def _sweep(parent: Path) -> None:
    """Remove the unfinished folders that no living process is building."""
    for folder in parent.glob(f"{layout.UNFINISHED}*"):
        if folder.is_dir() and not locks.is_held(folder):
            shutil.rmtree(folder, ignore_errors=True)


def seal(folder: Path) -> None:
    """Derive what follows from the raw files, write the hash list and verify it against the files.

    The order matters: the lists of ``inputs/`` come first, the analysis lists every file, the provenance has
    the hash of every file that is there by then, and the hash list, written last, has that of the provenance,
    too.
    """
    for name, text in input_lists(folder).items():
        (folder / name).write_text(text, encoding="utf-8")
    data = summary.derive(folder)
    (folder / layout.SUMMARY).write_text(summary.as_text(data), encoding="utf-8")
    (folder / layout.LEDGER).write_text(ledger_entry.text(folder, data), encoding="utf-8")
    (folder / layout.ANALYSIS).write_text(analysis.text(folder, data), encoding="utf-8")
    (folder / layout.REPORT).write_text(report.html(folder, data), encoding="utf-8")
    (folder / layout.PROVENANCE).write_text(provenance.text(folder), encoding="utf-8")
    write_hashes(folder, layout.HASHES)


def input_lists(folder: Path) -> dict[str, str]:
    """Return the two lists of ``inputs/`` by name, for ``sha256sum -c`` in that folder.

    One is of the files as they lie, the other among them, one of the images as the programs wrote them.
    Raises OSError or ValueError if an image cannot be unpacked.
    """
    inputs = folder / "inputs"
    images = "".join(
        f"{packed.sha256_of_content(path)}  {packed.plain_name(path.name)}\n"
        for path in (folder / layout.image(name) for name in (*layout.IMAGES, layout.GPU))
        if path.is_file()
    )
    listed = {name: sha256_of_file(inputs / name) for name in files_below(inputs)}
    listed[Path(layout.IMAGE_HASHES).name] = hashlib.sha256(images.encode("utf-8")).hexdigest()
    listed.pop(Path(layout.INPUT_HASHES).name, None)
    files = "".join(f"{listed[name]}  {name}\n" for name in sorted(listed))
    return {layout.IMAGE_HASHES: images, layout.INPUT_HASHES: files}


def write_hashes(folder: Path, list_name: str) -> None:
    """Write the hashes of all files of a folder and verify them against the files; NotIntactError if not."""
    names = [name for name in files_below(folder) if name != list_name]
    path = folder / list_name
    path.write_text(sha256_list(folder, names), encoding="utf-8")
    listed = parse_sha256_list(path.read_bytes().decode("utf-8"), list_name)
    wrong = differences(folder, listed, ignore=frozenset({list_name}))
    if wrong:
        raise NotIntactError(f"the bundle does not hold what was written: {'; '.join(wrong)}")


def place(folder: Path, name: str) -> Path:
    """Rename a sealed folder to its final name, or to name-2, name-3 ... if that one is taken."""
    number = 1
    while True:
        target = folder.parent / (name if number == 1 else f"{name}-{number}")
        # An empty folder of that name would be replaced by rename, hence the look first.
        if not target.exists():
            try:
                os.rename(folder, target)
            except OSError as error:
                if not target.exists():
                    raise NotWrittenError(
                        f"{target}: the bundle cannot be put into place: {error.strerror}"
                    ) from None
            else:
                return target
        number += 1
