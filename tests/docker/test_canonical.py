"""The canonical writer: what must not show in an image does not, and what it writes is what others read."""

import hashlib
import io
import json
import random
import tarfile
from pathlib import Path

import pytest

EPOCH = 1_700_000_000
LONG = "opt/app/" + "folder-with-a-long-name/" * 6 + "file.txt"
FILES = {
    "bin/tool": (b"#!/bin/sh\n", 0o4755),
    "etc/shadow": (b"root:*\n", 0o640),
    "opt/app/data.txt": (b"x" * 1000, 0o600),
    LONG: (b"deep\n", 0o644),
    "var/log/dpkg.log": (b"today\n", 0o644),
    "etc/hostname": (b"builder-7\n", 0o644),
}

PINNED_LAYERS = (
    "sha256:d2e59b7561ae5c096cb0f760e37e90bea3d62573e0c5c294f181d61fba4e3ef2",
    "sha256:88e3238743765dcd884dca17535829f2c4c76dcd08b30a289b9e922c0348b8b4",
)
PINNED_ARCHIVE = "15210f288de96416ebc49b4b695b9297ae5fdf8d8cd0efe4617f54ac2c80e869"


def root_file_system(
    path: Path, *, seed: int, mtime: int, app_mode: int = 0o644, holder: str = "usr/bin/perl"
) -> Path:
    """An archive as a builder may write it: entries in any order, dates and names of its own."""
    members: list[tuple[tarfile.TarInfo, bytes]] = []

    def add(name: str, kind: bytes, mode: int, data: bytes = b"", target: str = "") -> None:
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.mtime, info.linkname = kind, mode, mtime + len(members), target
        info.size, info.uname, info.gname = len(data), f"user{seed}", "staff"
        info.gid = 42 if name == "etc/shadow" else 0
        members.append((info, data))

    for name in ("bin", "etc", "opt", "opt/app", "var", "var/log", "usr", "usr/bin", "tmp"):
        add(name, tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755)
    for name, (data, mode) in FILES.items():
        add(name, tarfile.REGTYPE, app_mode if name.startswith("opt/app") else mode, data)
    add("bin/sh", tarfile.SYMTYPE, 0o777, target="dash")
    random.Random(seed).shuffle(members)
    other = "usr/bin/perl5" if holder == "usr/bin/perl" else "usr/bin/perl"
    add(holder, tarfile.REGTYPE, 0o755, b"perl")
    add(other, tarfile.LNKTYPE, 0o755, target=holder)
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT if seed % 2 else tarfile.GNU_FORMAT) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return path


@pytest.fixture
def write(canonical, tmp_path):
    """Write an image of an archive; its digests and its path."""

    def image(root: Path):
        layers = (canonical.Layer(name="system", below=()), canonical.Layer(name="app", below=("opt/app",)))
        settings = {"Env": ["PATH=/bin"], "Cmd": ["sh"]}
        target = tmp_path / "image.tar"
        written = canonical.write_image(
            root, target, tag="test:one", layers=layers, settings=settings, epoch=EPOCH
        )
        return written, target

    return image


def test_what_builders_differ_in_does_not_show(write, tmp_path):
    """Order, dates, user names, encoding of headers, umask, and which path of a hard link holds the bytes."""
    first, _ = write(root_file_system(tmp_path / "a.tar", seed=1, mtime=10))
    second, _ = write(
        root_file_system(tmp_path / "b.tar", seed=2, mtime=2**31, app_mode=0o640, holder="usr/bin/perl5")
    )
    assert first == second


def test_a_changed_file_shows(write, tmp_path, monkeypatch):
    """Equal digests mean equal files."""
    before, _ = write(root_file_system(tmp_path / "a.tar", seed=1, mtime=10))
    monkeypatch.setitem(FILES, "opt/app/data.txt", (b"y" * 1000, 0o600))
    after, _ = write(root_file_system(tmp_path / "b.tar", seed=1, mtime=10))
    assert before.config != after.config and before.manifest != after.manifest
    assert before.layers[0] == after.layers[0] and before.layers[1] != after.layers[1]


def test_the_bytes_are_pinned(write, tmp_path):
    """No version of Python writes another image: these digests were written by 3.11."""
    written, target = write(root_file_system(tmp_path / "a.tar", seed=1, mtime=10))
    assert written.layers == PINNED_LAYERS
    assert hashlib.sha256(target.read_bytes()).hexdigest() == PINNED_ARCHIVE


def test_others_read_what_is_written(write, tmp_path):
    """Tarfile finds every file in its layer, with the owner and mode it is to have, and nothing volatile."""
    _, target = write(root_file_system(tmp_path / "a.tar", seed=1, mtime=10))
    found = {}
    with tarfile.open(target) as outer:
        manifest = json.load(outer.extractfile("manifest.json"))
        for number, name in enumerate(manifest[0]["Layers"]):
            with tarfile.open(fileobj=outer.extractfile(name)) as layer:
                for member in layer:
                    data = layer.extractfile(member).read() if member.isreg() else member.linkname
                    found[number, member.name] = (member.mode, member.uid, member.gid, member.mtime, data)
    assert found[0, "bin/tool"] == (0o755, 0, 0, EPOCH, b"#!/bin/sh\n")
    assert found[0, "etc/shadow"] == (0o640, 0, 42, EPOCH, b"root:*\n")
    assert found[0, "tmp"][0] == 0o1777
    assert found[0, "bin/sh"][4] == "dash"
    assert found[0, "usr/bin/perl5"][4] == "usr/bin/perl"
    assert found[1, LONG] == (0o644, 0, 0, EPOCH, b"deep\n")
    assert found[1, "opt/app/data.txt"][4] == b"x" * 1000
    assert not [name for _, name in found if name in {"etc/hostname", "var/log/dpkg.log"}]


def test_digests_are_those_of_the_blobs(write, canonical, tmp_path):
    """Every blob is named by its content; the image id is that of the configuration."""
    written, target = write(root_file_system(tmp_path / "a.tar", seed=1, mtime=10))
    with tarfile.open(target) as outer:
        for member in outer:
            if member.name.startswith("blobs/sha256/") and member.isreg():
                digest = hashlib.file_digest(outer.extractfile(member), "sha256").hexdigest()
                assert member.name == f"blobs/sha256/{digest}"
        config = json.load(outer.extractfile(f"blobs/sha256/{written.config.removeprefix('sha256:')}"))
        index = json.load(outer.extractfile("index.json"))
    assert config["rootfs"]["diff_ids"] == list(written.layers)
    assert f"NB_IMAGE_DIGEST={canonical.layers_digest(written.layers)}" in config["config"]["Env"]
    assert [entry["digest"] for entry in index["manifests"]] == [written.manifest]


def test_an_image_calls_itself_one_thing(canonical):
    """One that is built on another of ours inherits its variables, but not what that one calls itself."""
    settings = {"Env": ["PATH=/bin", "NB_IMAGE_DIGEST=sha256:" + "f" * 64]}
    layer = "sha256:" + "0" * 64
    config = canonical.configuration([layer], [], settings, EPOCH)["config"]
    assert config["Env"] == [f"NB_IMAGE_DIGEST={canonical.layers_digest([layer])}", "PATH=/bin"]


def test_a_hard_link_into_another_layer_is_a_copy(write, tmp_path):
    """Layers can be shared one by one, so none may need another for its bytes."""
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        for name, kind, data in (("opt/app/x", tarfile.REGTYPE, b"same"), ("etc/x", tarfile.LNKTYPE, b"")):
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(data), "opt/app/x" if not data else ""
            archive.addfile(info, io.BytesIO(data))
    _, target = write(path)
    with tarfile.open(target) as outer:
        layers = json.load(outer.extractfile("manifest.json"))[0]["Layers"]
        for layer_name, name in zip(layers, ("etc/x", "opt/app/x"), strict=True):
            with tarfile.open(fileobj=outer.extractfile(layer_name)) as layer:
                assert layer.extractfile(name).read() == b"same"


def test_a_link_to_nothing_is_refused(write, canonical, tmp_path):
    """It would be an image that no engine can unpack."""
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("etc/x")
        info.type, info.linkname = tarfile.LNKTYPE, "etc/y"
        archive.addfile(info)
    with pytest.raises(canonical.WriterError, match="etc/x: a hard link to etc/y"):
        write(path)


def test_a_root_file_system_that_ends_early_is_refused(write, canonical, tmp_path):
    """A full disk cuts archives off; no image is made of such a one."""
    path = root_file_system(tmp_path / "a.tar", seed=1, mtime=10)
    entries = canonical.read_entries(path)
    last = max(entries, key=lambda entry: entry.at)
    path.write_bytes(path.read_bytes()[: last.at])
    with pytest.raises((canonical.WriterError, tarfile.ReadError)):
        write(path)
