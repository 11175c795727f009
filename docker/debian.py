"""The Debian packages of the images: their lock, the fetching of what it names, and the base made of it.

``debian.lock`` names each package with version, architecture, SHA-256 and file. Where the files come from is
not in it: apt fetches them as it is set up on the machine, or from what NB_APT_SOURCES says (lines of a
sources.list). They are fetched once, into a folder that git ignores, and the base is made of them without a
network.

``python docker/debian.py --update`` writes the lock if debian.in has changed, ``--upgrade`` takes what the
archive has now, ``--check`` fails if the lock is not that of debian.in. ``nox -s lock`` calls it.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
WANTED = HERE / "debian.in"
LOCK = HERE / "debian.lock"
SUITE = "bookworm"
ARCHITECTURE = "amd64"
GROUPS = ("runtime", "compiler")
LEFT_BY_BOOTSTRAP = (
    "etc/apt/sources.list",
    "etc/apt/sources.list.d",
    "etc/apt/apt.conf.d/99mmdebstrap",
    "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
    "etc/hostname",
    "etc/resolv.conf",
    "var/lib/apt/lists",
)
"""Copies of the machine's settings, and its package sources: an image has none."""
HEAD = """\
# Written by nox -s lock from debian.in; Debian 12 (bookworm).
# debian.in: {wanted}
# SOURCE_DATE_EPOCH: {epoch}
"""


class LockError(Exception):
    """A lock that cannot be read, or packages that are not what it names; one line for the user."""


class NotToBeHadError(LockError):
    """A locked package that apt cannot fetch: archives drop old versions."""


@dataclass(frozen=True, kw_only=True, order=True)
class Package:
    """A line of the lock."""

    group: str
    name: str
    version: str
    architecture: str
    sha256: str
    file: str

    @property
    def line(self) -> str:
        """Return the package as it stands in the lock."""
        return (
            " ".join((self.group, self.name, self.version, self.architecture, self.sha256, self.file)) + "\n"
        )


@dataclass(frozen=True, kw_only=True)
class Lock:
    """The packages, the hash of the list they were resolved from, and the one date of everything built."""

    packages: tuple[Package, ...]
    wanted_sha256: str
    epoch: int

    def group(self, name: str) -> tuple[Package, ...]:
        """Return the packages of a group: what it needs beyond the groups before it."""
        return tuple(package for package in self.packages if package.group == name)


def read(path: Path = LOCK) -> Lock:
    """Read the lock; LockError names the line that is not of its format."""
    if not path.is_file():
        raise LockError(f"{path}: no such file: run nox -s lock")
    text = path.read_text(encoding="utf-8")
    wanted = re.search(r"^# debian\.in: ([0-9a-f]{64})$", text, re.MULTILINE)
    epoch = re.search(r"^# SOURCE_DATE_EPOCH: (\d+)$", text, re.MULTILINE)
    if wanted is None or epoch is None:
        raise LockError(f"{path}: expected '# debian.in: <sha256>' and '# SOURCE_DATE_EPOCH: <seconds>'")
    packages = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("#"):
            continue
        words = line.split(" ")
        if len(words) != 6 or words[0] not in GROUPS or not re.fullmatch("[0-9a-f]{64}", words[4]):
            raise LockError(f"{path}:{number}: expected group, name, version, architecture, sha256, file")
        fields = ("group", "name", "version", "architecture", "sha256", "file")
        packages.append(Package(**dict(zip(fields, words, strict=True))))
    return Lock(packages=tuple(packages), wanted_sha256=wanted[1], epoch=int(epoch[1]))


def wanted(path: Path = WANTED) -> dict[str, list[str]]:
    """Return group -> names asked for."""
    rows = re.findall(r"^(\w+): (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    found = {group: names.split() for group, names in rows}
    if tuple(found) != GROUPS:
        raise LockError(f"{path}: found the groups {', '.join(found)}, expected {', '.join(GROUPS)}")
    return found


def is_current(lock: Lock) -> bool:
    """Tell whether the lock was resolved from the list as it is now."""
    return lock.wanted_sha256 == sha256(WANTED)


def sha256(path: Path) -> str:
    """Return the hexadecimal digest of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class Apt:
    """apt with lists and caches of its own, as if on a machine on which nothing is installed."""

    def __init__(self, folder: Path) -> None:
        for name in ("lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "status").write_text("", encoding="utf-8")
        options = {
            "Dir::State::lists": folder / "lists",
            "Dir::State::status": folder / "status",
            "Dir::Cache": folder / "cache",
            "Dir::Etc::preferences": folder / "none",
            "Dir::Etc::preferencesparts": folder / "none",
            "APT::Architecture": ARCHITECTURE,
            "APT::Architectures": ARCHITECTURE,
            "APT::Sandbox::User": "",
        }
        sources = os.environ.get("NB_APT_SOURCES")
        if sources:
            (folder / "sources.list").write_text(sources + "\n", encoding="utf-8")
            options |= {
                "Dir::Etc::sourcelist": folder / "sources.list",
                "Dir::Etc::sourceparts": folder / "none",
            }
        self.options = [f"-o{name}={value}" for name, value in options.items()]

    def run(self, *arguments: str, folder: Path | None = None) -> str:
        """Run apt-get and return what it prints; LockError holds its complaint."""
        command = ["apt-get", *self.options, "-qq", *arguments]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise LockError("apt-get: not found: the Debian packages are fetched by it") from None
        if done.returncode != 0:
            complaint = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise LockError(f"apt-get {' '.join(arguments[:3])}: {complaint}")
        return done.stdout

    def needed(self, names: Sequence[str]) -> dict[str, str]:
        """Return file -> package of everything it takes to install ``names`` and the essential packages."""
        printed = self.run(
            "install", "--yes", "--no-install-recommends", "--print-uris", "?essential", *names
        )
        files = re.findall(r"^'[^']*' (\S+_\S+_\S+\.deb) ", printed, re.MULTILINE)
        return {file: file.split("_")[0] for file in files}

    def download(self, specifications: Sequence[str], folder: Path) -> None:
        """Download packages, given as name=version, into a folder."""
        self.run("download", *specifications, folder=folder)


def resolve(scratch: Path) -> Lock:
    """Resolve ``debian.in`` with the archive as apt sees it now; the epoch is today, 00:00 UTC."""
    apt = Apt(scratch / "apt")
    apt.run("update")
    folder = scratch / "debs"
    folder.mkdir(parents=True)
    names: list[str] = []
    seen: set[str] = set()
    packages: list[Package] = []
    for group, asked in wanted().items():
        names += asked
        files = {file: name for file, name in apt.needed(names).items() if file not in seen}
        seen |= set(files)
        specifications = [f"{name}={version_in(file)}" for file, name in files.items()]
        apt.download(specifications, folder)
        packages += [described(group, folder / file) for file in files]
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Lock(
        packages=tuple(sorted(packages, key=lambda p: (GROUPS.index(p.group), p.name))),
        wanted_sha256=sha256(WANTED),
        epoch=int(today.timestamp()),
    )


def version_in(file: str) -> str:
    """Return the version from the name of a package file, in which a colon is written %3a."""
    return file.split("_")[1].replace("%3a", ":")


def described(group: str, path: Path) -> Package:
    """Return the line of the lock for a package file."""
    fields = "${Package} ${Version} ${Architecture}"
    shown = subprocess.run(
        ["dpkg-deb", "--show", f"--showformat={fields}", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    name, version, architecture = shown.stdout.split()
    return Package(
        group=group,
        name=name,
        version=version,
        architecture=architecture,
        sha256=sha256(path),
        file=path.name,
    )


def update(*, upgrade: bool, path: Path = LOCK) -> bool:
    """Write the lock anew if the list changed or new versions are asked for; tell whether it changed."""
    old = read(path) if path.is_file() else None
    if old is not None and is_current(old) and not upgrade:
        return False
    with tempfile.TemporaryDirectory() as scratch:
        new = resolve(Path(scratch))
    if old is not None and new.packages == old.packages:
        # The date of everything built changes with the packages, and with nothing else.
        new = replace(new, epoch=old.epoch)
    head = HEAD.format(wanted=new.wanted_sha256, epoch=new.epoch)
    path.write_text(head + "".join(package.line for package in new.packages), encoding="utf-8")
    return new != old


def fetch(packages: Sequence[Package], folder: Path, scratch: Path) -> None:
    """Make ``folder`` hold exactly these packages; only what is missing is downloaded.

    LockError if one cannot be had or is not the locked file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in set(folder.iterdir()) - {folder / package.file for package in packages}:
        path.unlink()
    missing = [package for package in packages if not is_there(package, folder)]
    if missing:
        apt = Apt(scratch)
        try:
            apt.run("update")
            apt.download([f"{package.name}={package.version}" for package in missing], folder)
        except LockError as error:
            raise NotToBeHadError(
                f"{error} (archives keep the newest version only: set NB_APT_SOURCES to one that keeps all,"
                " or run nox -s lock -- --upgrade)"
            ) from None
    for package in packages:
        if not is_there(package, folder):
            raise LockError(f"{folder / package.file}: not the locked file: expected sha256 {package.sha256}")


def is_there(package: Package, folder: Path) -> bool:
    """Tell whether the locked file is in the folder."""
    path = folder / package.file
    return path.is_file() and sha256(path) == package.sha256


def index(packages: Sequence[Package], folder: Path) -> None:
    """Write ``Packages`` and ``Release`` beside the files, which makes the folder an archive of the suite."""
    rows = []
    for package in packages:
        path = folder / package.file
        control = subprocess.run(
            ["dpkg-deb", "--field", str(path)], capture_output=True, text=True, check=True
        ).stdout.rstrip("\n")
        rows.append(
            f"{control}\nFilename: ./{package.file}\nSize: {path.stat().st_size}\nSHA256: {package.sha256}\n"
        )
    listed = folder / "Packages"
    listed.write_text("\n".join(rows), encoding="utf-8")
    (folder / "Release").write_text(
        f"Suite: {SUITE}\nCodename: {SUITE}\nSHA256:\n {sha256(listed)} {listed.stat().st_size} Packages\n",
        encoding="utf-8",
    )


def bootstrap(lock: Lock, debs: Path, target: Path) -> None:
    """Make the base of the runtime packages alone, as a tar archive; needs no network.

    Bits of the archive may vary; what is in it does not, and the canonical writer makes equal bits of it.
    """
    if shutil.which("mmdebstrap") is None:
        raise LockError(
            "mmdebstrap: not found: install it (Debian: apt-get install mmdebstrap), or set BASE_IMAGE"
        )
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch) / "archive"
        archive.mkdir()
        archive.parent.chmod(0o755)
        for package in lock.group("runtime"):
            shutil.copyfile(debs / package.file, archive / package.file)
        index(lock.group("runtime"), archive)
        command = [
            "mmdebstrap",
            "--variant=essential",
            f"--architectures={ARCHITECTURE}",
            f"--include={','.join(wanted()['runtime'])}",
            '--aptopt=APT::Install-Recommends "false"',
            "--dpkgopt=force-unsafe-io",
            *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "info", "locale", "man")),
            "--dpkgopt=path-include=/usr/share/doc/*/copyright",
            f'--customize-hook=cd "$1" && rm -rf {" ".join(LEFT_BY_BOOTSTRAP)}',
            SUITE,
            str(target),
            f"deb [trusted=yes] copy:{archive} ./",
        ]
        done = subprocess.run(
            command,
            env={**os.environ, "SOURCE_DATE_EPOCH": str(lock.epoch), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            umask=0o022,
            check=False,
        )
    if done.returncode != 0:
        raise LockError(f"mmdebstrap ended with {done.returncode}: {done.stderr.strip()[-2000:]}")


def main(argv: Sequence[str] | None = None) -> int:
    """Write or check the lock; return 0, 1 if it is not current, 2 if it cannot be read or made."""
    parser = argparse.ArgumentParser(prog="docker/debian.py", description="The lock of the Debian packages.")
    action = parser.add_mutually_exclusive_group(required=True)
    for name in ("--update", "--upgrade", "--check"):
        action.add_argument(name, action="store_true")
    options = parser.parse_args(argv)
    try:
        if options.check:
            current = is_current(read())
            if not current:
                print(f"{LOCK}: {WANTED.name} has changed since: run nox -s lock", file=sys.stderr)
            return 0 if current else 1
        changed = update(upgrade=options.upgrade)
    except LockError as error:
        print(f"lock: {error}", file=sys.stderr)
        return 2
    print(f"{LOCK.name}: {'written' if changed else 'as it was'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
