"""The canonical writer: equal root file systems become equal images, whoever built them.

Builders agree on the files of an image but not on dates, on the order of entries, on logs and caches, nor on
how a header is encoded. So they only supply the root file system, as a tar archive, and the image is written
here, header by header: entries in byte order, one date, no user names, no setuid bits, nothing that changes
from build to build. Layers are not compressed, since compressors differ, too.

The result is one archive that is both an OCI image layout and what ``docker load`` reads.
"""

import fnmatch
import hashlib
import json
import posixpath
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

BLOCK = 512
CHUNK = 1 << 20
ARCHITECTURE = "amd64"
IMAGE_DIGEST = "NB_IMAGE_DIGEST"

VOLATILE = (
    # what the engine puts into a container
    ".dockerenv",
    "dev/*",
    "etc/hostname",
    "etc/hosts",
    "etc/mtab",
    "etc/resolv.conf",
    "proc/*",
    "sys/*",
    # logs, caches, locks and copies of the file before: they hold dates, or an order
    "etc/*-",
    "etc/machine-id",
    "root/.*",
    "run/*",
    "tmp/*",
    "var/cache/apt/*",
    "var/cache/debconf/*-old",
    "var/cache/ldconfig/*",
    "var/lib/apt/*",
    "var/lib/dpkg/*-old",
    "var/lib/dpkg/lock*",
    "var/lib/dpkg/triggers/Lock",
    "var/log/*",
    "var/tmp/*",
)
"""Paths that no image holds; a star matches slashes, too."""

KINDS = {
    tarfile.REGTYPE: "0",
    tarfile.AREGTYPE: "0",
    tarfile.LNKTYPE: "1",
    tarfile.SYMTYPE: "2",
    tarfile.DIRTYPE: "5",
}
FILE, LINK, SYMLINK, FOLDER = "0", "1", "2", "5"


class WriterError(Exception):
    """A root file system that cannot be written; one line for the user."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A path of the root file system, no slash in front; ``at`` is where its bytes start in the archive."""

    path: str
    kind: str
    mode: int
    uid: int = 0
    gid: int = 0
    size: int = 0
    at: int = 0
    target: str = ""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A part of the image: a name for its history, and the folders that belong to it."""

    name: str
    below: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Written:
    """Digests of an image: of its configuration, of its manifest, and of its layers in order.

    Engines call either of the first two the id of the image.
    """

    config: str
    manifest: str
    layers: tuple[str, ...]


def read_entries(archive: Path) -> list[Entry]:
    """Return what an image holds of a root file system, in byte order of the paths."""
    entries: dict[str, Entry] = {}
    with tarfile.open(archive, "r:") as stream:
        for member in stream:
            path = member.name.removeprefix("./").strip("/")
            if path in {"", "."} or is_volatile(path) or member.type not in KINDS:
                continue
            target = member.linkname.removeprefix("./") if member.islnk() else member.linkname
            entries[path] = Entry(
                path=path,
                kind=KINDS[member.type],
                mode=member.mode & 0o1777,
                uid=member.uid,
                gid=member.gid,
                size=member.size if member.isreg() else 0,
                at=member.offset_data,
                target=target if member.islnk() or member.issym() else "",
            )
    return sorted(rerooted(entries), key=lambda entry: entry.path.encode())


def is_volatile(path: str) -> bool:
    """Tell whether no image holds the path."""
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in VOLATILE)


def rerooted(entries: Mapping[str, Entry]) -> Iterator[Entry]:
    """Yield the entries with the first path of each hard-linked file as the file, the others as links to it.

    Which of the paths an archive holds as the file depends on the order in which its writer met them.
    """
    names: dict[str, list[str]] = {}
    for path, entry in entries.items():
        if entry.kind == LINK:
            if entry.target not in entries:
                raise WriterError(
                    f"{path}: a hard link to {entry.target}, which the root file system does not hold"
                )
            names.setdefault(entry.target, [entry.target]).append(path)
    linked = {path: sorted(paths, key=str.encode) for paths in names.values() for path in paths}
    for path, entry in entries.items():
        if path not in linked:
            yield entry
            continue
        first = linked[path][0]
        holder = next(entries[name] for name in linked[path] if entries[name].kind == FILE)
        if path == first:
            yield replace(holder, path=path)
        else:
            yield replace(holder, path=path, kind=LINK, size=0, target=first)


def plain(entry: Entry) -> Entry:
    """Return an entry that belongs to root and that everybody can read, whatever the umask was."""
    if entry.kind == SYMLINK:
        return replace(entry, mode=0o777, uid=0, gid=0)
    executable = entry.kind == FOLDER or bool(entry.mode & 0o111)
    return replace(entry, mode=0o755 if executable else 0o644, uid=0, gid=0)


def in_layers(entries: Sequence[Entry], layers: Sequence[Layer]) -> list[list[Entry]]:
    """Distribute entries: each to the layer of the innermost folder it lies below, otherwise to the first.

    A layer holds the folders above its entries, too. A hard link into another layer becomes a copy. Only the
    first layer, the system's, has owners and modes of its own.
    """
    entries = [plain(entry) if layer_of(entry.path, layers) else entry for entry in entries]
    by_path = {entry.path: entry for entry in entries}
    found: list[dict[str, Entry]] = [{} for _ in layers]
    for entry in entries:
        number = layer_of(entry.path, layers)
        if entry.kind == LINK and layer_of(entry.target, layers) != number:
            entry = replace(by_path[entry.target], path=entry.path)
        folder = posixpath.dirname(entry.path)
        while folder and folder not in found[number]:
            found[number][folder] = by_path.get(folder, Entry(path=folder, kind=FOLDER, mode=0o755))
            folder = posixpath.dirname(folder)
        found[number][entry.path] = entry
    return [[part[path] for path in sorted(part, key=str.encode)] for part in found]


def layer_of(path: str, layers: Sequence[Layer]) -> int:
    """Return the number of the layer a path belongs to."""
    around = [
        (len(folder), number)
        for number, layer in enumerate(layers)
        for folder in layer.below
        if path == folder or path.startswith(f"{folder}/")
    ]
    return max(around, default=(0, 0))[1]


def header(entry: Entry, epoch: int) -> bytes:
    """Return the header of an entry: POSIX.1-1988, or POSIX.1-2001 where a name needs more room."""
    name = entry.path.encode() + (b"/" if entry.kind == FOLDER else b"")
    target = entry.target.encode()
    records = b"".join(
        record(key, value) for key, value in (("path", name), ("linkpath", target)) if len(value) > 100
    )
    extended = b""
    if records:
        extended = block("x", b"././@PaxHeader", b"", len(records), 0o644, 0, 0, epoch)
        extended += records + padding(len(records))
    owner = (entry.uid, entry.gid)
    return extended + block(entry.kind, name[:100], target[:100], entry.size, entry.mode, *owner, epoch)


def record(key: str, value: bytes) -> bytes:
    """Return a record of an extended header: its own length in decimal, key, value."""
    rest = b" " + key.encode() + b"=" + value + b"\n"
    length = len(rest)
    while len(str(length)) + len(rest) != length:
        length = len(str(length)) + len(rest)
    return str(length).encode() + rest


def block(
    kind: str, name: bytes, target: bytes, size: int, mode: int, uid: int, gid: int, epoch: int
) -> bytes:
    """Return one header block of 512 bytes, its check sum filled in."""
    if size >= 8**11:
        raise WriterError(f"{name.decode()}: {size} bytes, more than the format can hold")
    fields = (
        (name, 100),
        (b"%07o\0" % mode, 8),
        (b"%07o\0" % uid, 8),
        (b"%07o\0" % gid, 8),
        (b"%011o\0" % size, 12),
        (b"%011o\0" % epoch, 12),
        (b" " * 8, 8),
        (kind.encode(), 1),
        (target, 100),
        (b"ustar\00000", 8),
        (b"", 32),
        (b"", 32),
        (b"%07o\0" % 0, 8),
        (b"%07o\0" % 0, 8),
        (b"", 167),
    )
    data = b"".join(value.ljust(width, b"\0") for value, width in fields)
    total = sum(data)
    return data[:148] + b"%06o\0 " % total + data[156:]


def padding(size: int) -> bytes:
    """Return the zeros between the end of some bytes and the next block."""
    return b"\0" * (-size % BLOCK)


class Archive:
    """A tar archive that is being written, and what its blobs are called."""

    def __init__(self, stream: BinaryIO, epoch: int) -> None:
        self.stream, self.epoch = stream, epoch
        for folder in ("blobs", "blobs/sha256"):
            stream.write(header(Entry(path=folder, kind=FOLDER, mode=0o755), epoch))

    def file(self, path: str, data: bytes) -> None:
        """Write a file that is in memory."""
        self.stream.write(header(Entry(path=path, kind=FILE, mode=0o644, size=len(data)), self.epoch))
        self.stream.write(data + padding(len(data)))

    def json(self, path: str, value: Any) -> None:
        """Write a value as JSON, keys sorted, no spaces."""
        self.file(path, as_json(value))

    def blob(self, data: bytes) -> str:
        """Write a blob that is in memory; return its digest."""
        digest = hashlib.sha256(data).hexdigest()
        self.file(f"blobs/sha256/{digest}", data)
        return digest

    def layer(self, entries: Iterable[Entry], source: BinaryIO) -> tuple[str, int]:
        """Write a layer as a blob, its header last, since that names the digest; return digest and size."""
        start = self.stream.tell()
        self.stream.write(b"\0" * BLOCK)
        digest, size = hashlib.sha256(), 0
        for part in layer_bytes(entries, source, self.epoch):
            digest.update(part)
            size += len(part)
            self.stream.write(part)
        self.stream.write(padding(size))
        self.stream.seek(start)
        name = f"blobs/sha256/{digest.hexdigest()}"
        self.stream.write(header(Entry(path=name, kind=FILE, mode=0o644, size=size), self.epoch))
        self.stream.seek(0, 2)
        return digest.hexdigest(), size

    def close(self) -> None:
        """Write the two empty blocks at the end."""
        self.stream.write(b"\0" * 2 * BLOCK)


def layer_bytes(entries: Iterable[Entry], source: BinaryIO, epoch: int) -> Iterator[bytes]:
    """Yield a layer piece by piece: headers and bytes of its entries, taken from the root file system."""
    for entry in entries:
        yield header(entry, epoch)
        if entry.kind != FILE:
            continue
        source.seek(entry.at)
        left = entry.size
        while left:
            data = source.read(min(left, CHUNK))
            if not data:
                raise WriterError(f"{entry.path}: the root file system ends {left} bytes too early")
            left -= len(data)
            yield data
        yield padding(entry.size)
    yield b"\0" * 2 * BLOCK


def as_json(value: Any) -> bytes:
    """Return JSON with sorted keys and no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def write_image(
    root_file_system: Path,
    target: Path,
    *,
    tag: str,
    layers: Sequence[Layer],
    settings: Mapping[str, Any],
    epoch: int,
) -> Written:
    """Write the image of a root file system.

    Args: ``tag`` like ``nbparity:cpu``; ``settings`` is the ``config`` object of an OCI image, in which
    NB_IMAGE_DIGEST is set: the SHA-256 of the layers' digests, one a line, ``sha256:`` in front.
    Raises WriterError.
    """
    entries = read_entries(root_file_system)
    with root_file_system.open("rb") as source, target.open("wb") as stream:
        archive = Archive(stream, epoch)
        blobs = [archive.layer(part, source) for part in in_layers(entries, layers)]
        diff_ids = [f"sha256:{digest}" for digest, _ in blobs]
        config = as_json(configuration(diff_ids, layers, settings, epoch))
        config_digest = archive.blob(config)
        manifest = as_json(
            {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": described("config.v1+json", config_digest, len(config)),
                "layers": [described("layer.v1.tar", digest, size) for digest, size in blobs],
            }
        )
        manifest_digest = archive.blob(manifest)
        names = {
            "io.containerd.image.name": f"docker.io/library/{tag}",
            "org.opencontainers.image.ref.name": tag.rpartition(":")[2],
        }
        entry = described("manifest.v1+json", manifest_digest, len(manifest)) | {"annotations": names}
        archive.json("index.json", {"schemaVersion": 2, "manifests": [entry]})
        paths = [f"blobs/sha256/{digest}" for digest, _ in blobs]
        archive.json(
            "manifest.json",
            [{"Config": f"blobs/sha256/{config_digest}", "RepoTags": [tag], "Layers": paths}],
        )
        archive.json("oci-layout", {"imageLayoutVersion": "1.0.0"})
        archive.close()
    return Written(
        config=f"sha256:{config_digest}", manifest=f"sha256:{manifest_digest}", layers=tuple(diff_ids)
    )


def configuration(
    diff_ids: Sequence[str], layers: Sequence[Layer], settings: Mapping[str, Any], epoch: int
) -> dict[str, Any]:
    """Return the configuration of an image: the digest of its layers is one of the variables it sets."""
    created = datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    # An image built on another of ours inherits what that one calls itself.
    inherited = [row for row in settings.get("Env", []) if not row.startswith(f"{IMAGE_DIGEST}=")]
    variables = [*inherited, f"{IMAGE_DIGEST}={layers_digest(diff_ids)}"]
    return {
        "architecture": ARCHITECTURE,
        "os": "linux",
        "created": created,
        "config": {**settings, "Env": sorted(variables)},
        "rootfs": {"type": "layers", "diff_ids": list(diff_ids)},
        "history": [{"created": created, "created_by": layer.name} for layer in layers],
    }


def layers_digest(diff_ids: Iterable[str]) -> str:
    """Return one digest for the files of an image: that of its layers' digests, one a line."""
    return "sha256:" + hashlib.sha256("".join(f"{digest}\n" for digest in diff_ids).encode()).hexdigest()


def described(kind: str, digest: str, size: int) -> dict[str, Any]:
    """Return the descriptor of a blob."""
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": size}
