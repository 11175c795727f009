"""Build and load an image: ``python docker/build.py cpu|cuda [--check]``, or ``nox -s image -- cpu``.

Packages are fetched by hash, a builder makes a root file system of them without a network, and the canonical
writer makes the image, whose id therefore depends on the locks and the sources alone.

Exit status: 0 done, 1 two builds differ, 2 wrong command line or lock, 3 something is missing or fails, 4 a
locked Debian package cannot be had any more.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import canonical
import debian
import wheels

from nbparity import environment

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CACHE = ROOT / "build" / "image"
BUILD_LABEL = "org.nbparity.build"
"""On everything a builder leaves behind, so that it can be removed."""
BASE_TAG = f"nbparity-base:{debian.SUITE}"
LAYERS = (
    canonical.Layer(name="Debian packages of docker/debian.lock", below=()),
    canonical.Layer(name="Python packages of requirements/", below=("opt/nbparity/.venv",)),
    canonical.Layer(name="sources and C reference", below=("opt/nbparity", "reports")),
)
NOT_SOURCES = {".git", ".venv", ".nox", "build", "reports", "__pycache__"}
STAGES = {"runtime": "", "runtime-dev": "-dev"}


class BuildError(Exception):
    """A build that cannot go on; one line for the user."""


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What must not show in an image: the builder, and the surroundings of the build."""

    builder: str
    umask: int = 0o022
    zone: str = "UTC"
    file_time: int | None = None
    from_scratch: bool = False


CHECKED = (
    Conditions(builder="", from_scratch=True),
    Conditions(builder="", umask=0o077, zone="Asia/Kathmandu", file_time=86400 * 365, from_scratch=True),
)
"""Surroundings of the two builds of --check, without the builder; each has a folder of its own, too."""


def main(argv: Sequence[str] | None = None) -> int:
    """Build as asked; print the ids."""
    parser = argparse.ArgumentParser(prog="nox -s image --", description="Build and load an image.")
    parser.add_argument("variant", choices=wheels.VARIANTS)
    parser.add_argument("--check", action="store_true", help="build twice from scratch and compare")
    parser.add_argument("--builder", choices=("buildkit", "classic"), help="default: buildkit if possible")
    parser.add_argument("--stage", choices=STAGES, default="runtime", help="runtime-dev has compilers")
    parser.add_argument(
        "--keep",
        action="store_true",
        help="keep archive, packages and intermediate images, for the next build",
    )
    options = parser.parse_args(argv)
    try:
        return check(options) if options.check else build_and_load(options)
    except (BuildError, debian.LockError, canonical.WriterError) as error:
        print(f"image: {error}", file=sys.stderr)
        return status_of(error)
    except subprocess.CalledProcessError as error:
        print(
            f"image: {' '.join(map(str, error.cmd[:3]))} ... ended with {error.returncode}", file=sys.stderr
        )
        return 3
    except OSError as error:
        print(f"image: {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
        return 3


def status_of(error: Exception) -> int:
    """Return the exit status for an error."""
    if isinstance(error, debian.NotToBeHadError):
        return 4
    return 2 if isinstance(error, debian.LockError) else 3


def build_and_load(options: argparse.Namespace) -> int:
    """Build once and give the image its name."""
    builders = available_builders()
    conditions = Conditions(builder=options.builder or builders[0])
    written, archive = build(options.variant, options.stage, conditions)
    with step("docker load"):
        docker("load", "--quiet", "--input", str(archive))
    tag = tag_of(options.variant, options.stage)
    if image_id(tag) not in {written.config, written.manifest}:
        raise BuildError(f"{tag}: the engine calls it {image_id(tag)}, expected {written.config}")
    record(tag, written)
    if not options.keep:
        with step("remove what only the build needed"):
            clean_up()
    print(f"{tag}: {written.config}")
    return 0


def clean_up() -> None:
    """Remove the intermediate images of all builds, and of build/image/ all but the digests."""
    shown = ("--filter", f"label={BUILD_LABEL}", "--format", "{{.Repository}}:{{.Tag}}")
    names = [name for name in docker("image", "ls", *shown).split() if "<none>" not in name]
    if names:
        docker("image", "rm", "--force", *names)
    docker("image", "prune", "--force", "--filter", f"label={BUILD_LABEL}")
    for path in CACHE.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.suffix != ".json":
            path.unlink()


def check(options: argparse.Namespace) -> int:
    """Build twice from scratch under different conditions; compare the ids, and the files if they differ."""
    builders = available_builders()
    if len(builders) == 1:
        print(f"image: only one builder here, {builders[0]}: it builds twice")
    made: list[tuple[str, canonical.Written, Path]] = []
    for builder, conditions in zip((builders[0], builders[-1]), CHECKED, strict=True):
        surroundings = replace(conditions, builder=builder)
        print(f"== {options.variant} by {surroundings}")
        written, archive = build(options.variant, options.stage, surroundings)
        kept = archive.with_name(f"check-{len(made)}.tar")
        archive.rename(kept)
        made.append((builder, written, kept))
        print(f"{builder}: image {written.config}, manifest {written.manifest}")
    (_, first, x), (_, second, y) = made
    same = first == second
    print("the two builds are the same image" if same else "THE TWO BUILDS DIFFER:")
    if not same:
        print("\n".join(differences(x, y)[:60]))
    for path in (x, y):
        path.unlink()
    return 0 if same else 1


def tag_of(variant: str, stage: str) -> str:
    """Return the name of an image."""
    return f"nbparity:{variant}{STAGES[stage]}"


def build(variant: str, stage: str, conditions: Conditions) -> tuple[canonical.Written, Path]:
    """Fetch, build, export and write; return the digests and the archive."""
    lock = debian.read()
    if not debian.is_current(lock):
        raise debian.LockError(f"{debian.LOCK}: {debian.WANTED.name} has changed since: run nox -s lock")
    CACHE.mkdir(parents=True, exist_ok=True)
    with step("fetch Debian packages"):
        debian.fetch(lock.packages, CACHE / "debs", CACHE / "apt")
    with step("fetch Python packages"):
        wheels.fetch(ROOT, variant, CACHE / "wheels" / variant)
    base = os.environ.get("BASE_IMAGE") or bootstrapped_base(lock, conditions)
    exported = CACHE / f"{variant}.root.tar"
    with tempfile.TemporaryDirectory(prefix=f"context-{conditions.builder}-", dir=CACHE) as scratch:
        context = Path(scratch)
        with step("prepare the context"):
            prepare(context, variant, lock, conditions)
        with step(f"docker build ({conditions.builder})"):
            root_tag = run_builder(context, variant, stage, base, conditions)
    with step("export"):
        settings = image_settings(root_tag, lock)
        export(root_tag, exported)
    if conditions.from_scratch or conditions.builder == "buildkit":
        docker("image", "rm", "--force", root_tag)
        docker("image", "prune", "--force", "--filter", f"label={BUILD_LABEL}")
    archive = CACHE / f"{tag_of(variant, stage).replace(':', '-')}.tar"
    with step("write the image"):
        written = canonical.write_image(
            exported,
            archive,
            tag=tag_of(variant, stage),
            layers=LAYERS,
            settings=settings,
            epoch=lock.epoch,
        )
    exported.unlink()
    return written, archive


@contextmanager
def step(name: str) -> Iterator[None]:
    """Say what is done and how long it took."""
    print(f"== {name}", flush=True)
    started = time.monotonic()
    yield
    print(f"   {time.monotonic() - started:.1f} s", flush=True)


def cli() -> str:
    """Return the command line of the engine: docker, or what NB_DOCKER says."""
    return os.environ.get("NB_DOCKER") or "docker"


def docker(*arguments: str, environment: dict[str, str] | None = None) -> str:
    """Run the command line of the engine and return what it prints; BuildError holds its complaint."""
    command = [cli(), *arguments]
    try:
        done = subprocess.run(
            command, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise BuildError(f"{command[0]}: not found: install Docker, or set NB_DOCKER") from None
    if done.returncode != 0:
        complaint = "\n".join((done.stdout + done.stderr).strip().splitlines()[-20:])
        raise BuildError(f"{' '.join(command[:3])} ended with {done.returncode}: {complaint}")
    return done.stdout.strip()


def available_builders() -> tuple[str, ...]:
    """Return the builders of the engine, the preferred one first; BuildError if no engine answers."""
    docker("version", "--format", "{{.Server.Version}}")
    major = int(docker("version", "--format", "{{.Client.Version}}").split(".")[0])
    plugin = subprocess.run([cli(), "buildx", "version"], capture_output=True, check=False).returncode == 0
    # Up to version 22 BuildKit is part of the engine and its command line; later it is a plug-in.
    return ("buildkit", "classic") if plugin or major < 23 else ("classic",)


def bootstrapped_base(lock: debian.Lock, conditions: Conditions) -> str:
    """Load the base made of the locked packages alone; return its name."""
    digest = debian.sha256(debian.LOCK)[:16]
    archive = CACHE / f"base-{digest}.tar"
    if conditions.from_scratch or not archive.is_file():
        with step("bootstrap the base"), tempfile.TemporaryDirectory(prefix="base-", dir=CACHE) as scratch:
            made = Path(scratch) / "base.tar"
            debian.bootstrap(lock, CACHE / "debs", made)
            written = canonical.write_image(
                made,
                Path(scratch) / "image.tar",
                tag=BASE_TAG,
                layers=LAYERS[:1],
                settings={
                    "Cmd": ["/bin/sh"],
                    "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
                    "Labels": {BUILD_LABEL: "base"},
                },
                epoch=lock.epoch,
            )
            (Path(scratch) / "image.tar").rename(archive)
            print(f"   base: {written.config}")
    with step("load the base"):
        docker("load", "--quiet", "--input", str(archive))
    return BASE_TAG


def source_files(root: Path) -> list[str]:
    """Return the files that git knows or would add; without git, all but what builds leave."""
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = listed.stdout.decode().split("\0")
    else:
        names = [str(path.relative_to(root)) for path in root.rglob("*")]
        names = [name for name in names if not NOT_SOURCES & set(Path(name).parts)]
    return sorted({name for name in names if name and (root / name).is_file()}, key=str.encode)


def prepare(context: Path, variant: str, lock: debian.Lock, conditions: Conditions) -> None:
    """Fill the context of the build: Dockerfile, packages, and the sources with plain modes."""
    before = os.umask(conditions.umask)
    try:
        shutil.copyfile(HERE / "Dockerfile", context / "Dockerfile")
        (context / "debs").mkdir()
        for package in lock.group("compiler"):
            os.link(CACHE / "debs" / package.file, context / "debs" / package.file)
        (context / "wheels").mkdir()
        for path in (CACHE / "wheels" / variant).iterdir():
            os.link(path, context / "wheels" / path.name)
        for name in source_files(ROOT):
            target = context / "source" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)
            target.chmod(0o755 if os.access(ROOT / name, os.X_OK) else 0o644)
        (context / "source" / environment.GIT_RECORD).write_text(environment.git_text(ROOT), encoding="utf-8")
    finally:
        os.umask(before)
    if conditions.file_time is not None:
        for path in (context / "source").rglob("*"):
            os.utime(path, (conditions.file_time, conditions.file_time))


def run_builder(context: Path, variant: str, stage: str, base: str, conditions: Conditions) -> str:
    """Let the builder make the stage; return the name of what it made."""
    tag = f"nbparity-root:{variant}-{conditions.builder}"
    options = ["--network", "none", "--target", stage, "--tag", tag, "--build-arg", f"BASE_IMAGE={base}"]
    if conditions.from_scratch:
        options.append("--no-cache")
    docker(
        "build",
        *options,
        str(context),
        environment={
            "DOCKER_BUILDKIT": "1" if conditions.builder == "buildkit" else "0",
            "BUILDKIT_PROGRESS": "plain",
            "TZ": conditions.zone,
        },
    )
    return tag


def export(tag: str, target: Path) -> None:
    """Write the root file system of an image as a tar archive; it is never started for that."""
    container = docker("create", "--network", "none", tag, "true")
    try:
        docker("export", "--output", str(target), container)
    finally:
        docker("rm", "--force", container)


def image_settings(tag: str, lock: debian.Lock) -> dict[str, Any]:
    """Return the ``config`` of the image: what the Dockerfile says, the pinned environment, and labels."""
    config = json.loads(docker("image", "inspect", "--format", "{{json .Config}}", tag))
    variables = dict(row.split("=", 1) for row in config["Env"]) | environment.pinned()
    return {
        "Entrypoint": config["Entrypoint"],
        "Cmd": config["Cmd"],
        "WorkingDir": config["WorkingDir"],
        "Env": sorted(f"{name}={value}" for name, value in variables.items()),
        "Labels": labels(lock),
    }


def labels(lock: debian.Lock) -> dict[str, str]:
    """Return what an image says of itself."""
    state = dict(line.split(": ", 1) for line in environment.git_text(ROOT).splitlines()[:2] if ": " in line)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    digests = {path.stem: debian.sha256(path) for path in sorted((ROOT / "requirements").glob("*.txt"))}
    return {
        "org.opencontainers.image.title": "nbparity",
        "org.opencontainers.image.description": project["description"],
        "org.opencontainers.image.licenses": project["license"],
        "org.opencontainers.image.revision": state["commit"],
        "org.nbparity.state": state.get("state", "unknown"),
        "org.nbparity.source-date-epoch": str(lock.epoch),
        "org.nbparity.lock.debian": debian.sha256(debian.LOCK),
        **{f"org.nbparity.lock.{name}": digest for name, digest in digests.items()},
    }


def image_id(tag: str) -> str:
    """Return what the engine calls the image."""
    return docker("image", "inspect", "--format", "{{.Id}}", tag)


def record(tag: str, written: canonical.Written) -> None:
    """Keep the digests of a build beside its caches, for whoever wants to compare."""
    data = {
        "tag": tag,
        "config": written.config,
        "manifest": written.manifest,
        "layers": list(written.layers),
        canonical.IMAGE_DIGEST: canonical.layers_digest(written.layers),
    }
    path = CACHE / f"{tag.replace(':', '-')}.json"
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def differences(x: Path, y: Path) -> list[str]:
    """Return what differs between the layers of two archives, a line each: path, and what of it."""
    first, second = contents(x), contents(y)
    lines = []
    for path in sorted(first.keys() | second.keys()):
        if first.get(path) != second.get(path):
            lines.append(f"{path}: {first.get(path, 'not there')} | {second.get(path, 'not there')}")
    return lines or ["no file differs: the configuration does"]


def contents(archive: Path) -> dict[str, str]:
    """Return path -> type, mode, owner, date and hash of everything in the layers of an archive."""
    found: dict[str, str] = {}
    with tarfile.open(archive, "r:") as outer:
        for name in json.load(member_stream(outer, "manifest.json"))[0]["Layers"]:
            with tarfile.open(fileobj=member_stream(outer, name), mode="r:") as layer:
                for member in layer:
                    facts = (member.type.decode(), oct(member.mode), member.uid, member.gid, member.mtime)
                    what = member.linkname
                    if member.isreg():
                        what = hashlib.file_digest(member_stream(layer, member.name), "sha256").hexdigest()
                    found[member.name] = " ".join(map(str, (*facts, what)))
    return found


def member_stream(archive: tarfile.TarFile, name: str) -> Any:
    """Return the bytes of a file of an archive as a stream."""
    stream = archive.extractfile(name)
    if stream is None:
        raise BuildError(f"{name}: expected a file in the archive")
    return stream


if __name__ == "__main__":
    sys.exit(main())
