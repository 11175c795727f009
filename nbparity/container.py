"""``nbparity n1 --image``: the same run in a container that can do nothing else.

The container has no network, no capabilities, a read-only root, and limits on memory, processes and time. It
sees three things of the machine: an empty folder for its bundles, the inputs of the supervisor experiment,
and the user's own C program where there is one; the last two read-only. Bundles are checked before they join
the others. The container is removed however the run ends; if this process is killed, the next one does that.
"""

import os
import signal
import socket
import sys
import tempfile
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO

from . import bundle, environment, experiment, layout, verify
from .errors import BlockedError, ExitCode, NotIntactError, ParityError
from .hashing import sha256_of_file
from .thresholds import FILE as LIMITS_FILE

NAME = "nbparity"
IMAGE_ROOT = "/opt/nbparity"
SUPERVISOR = "/opt/shared/supervisor"
OWN_PROGRAM = "/opt/nb_c_bin"
MAKES_BUNDLES = "parity_n1"
"""The session that leaves a bundle, whatever comes of it, unless its command line is wrong."""
LABEL = "org.nbparity.client"
UNPRIVILEGED = 65532
"""Who the program runs as if the caller is root; nobody on any machine."""
TIMED_OUT, KILLED = 124, 128 + signal.SIGKILL


class InterruptedRunError(ParityError):
    """Ctrl-C, or the request to end."""

    exit_code = ExitCode.INTERRUPTED


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a container may take: bytes of memory and of /tmp, processes, seconds."""

    memory_bytes: int
    scratch_bytes: int
    processes: int
    time_s: int


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to run: the image, its command, and what of the machine the container sees."""

    tag: str
    command: tuple[str, ...]
    reports: Path
    limits: Limits
    supervisor: Path | None = None
    c_bin: Path | None = None
    gpus: bool = False


def limits(path: Path = LIMITS_FILE) -> Limits:
    """Read the limits from ``thresholds.toml``."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))["container"]
    return Limits(
        memory_bytes=data["memory_mib"] << 20,
        scratch_bytes=data["scratch_mib"] << 20,
        processes=data["processes"],
        time_s=data["time_s"],
    )


def job(
    root: Path, tag: str, arguments: tuple[str, ...], *, reports: Path, c_bin: str | None, gpus: bool
) -> Job:
    """Collect what of the machine the container gets; BlockedError if the C program cannot be used."""
    program = c_bin or os.environ.get("NB_C_BIN")
    path = Path(program).absolute() if program else None
    if path is not None and not (path.is_file() and os.access(path, os.X_OK)):
        raise BlockedError(f"program c: {path} is not an executable file")
    supervisor = experiment.load(root, "supervisor")
    return Job(
        tag=tag,
        command=(MAKES_BUNDLES, "--", *arguments),
        reports=reports,
        limits=limits(),
        supervisor=supervisor.inputs_dir if supervisor.inputs_present() else None,
        c_bin=path,
        gpus=gpus,
    )


def connect() -> Any:
    """Return a client of the Docker engine; BlockedError if none answers."""
    try:
        from docker.errors import DockerException

        import docker
    except ImportError:
        raise BlockedError(
            "the docker package for Python is not installed: it starts the containers"
        ) from None
    where = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    try:
        return docker.from_env()
    except DockerException as error:
        if "Permission denied" in str(error):
            raise BlockedError(
                f"{where}: this user may not use the engine: join the group of the socket, usually docker"
            ) from None
        raise BlockedError(
            f"no Docker engine answers at {where}: start it, or set DOCKER_HOST ({_brief(error)})"
        ) from None


def run(client: Any, job: Job, out: BinaryIO) -> int:
    """Run the job, show its output in ``out`` as it comes, and put its bundles into place.

    Returns the exit status of the run inside; raises BlockedError if there was none.
    """
    remove_leftovers(client)
    image = _image(client, job.tag)
    with _staging(job.reports) as staging:
        log_path = _log_path(job)
        try:
            with log_path.open("wb") as log:
                _say(log, out, f"image: {job.tag} {image.id}")
                if job.c_bin is not None:
                    _say(log, out, f"program c: {job.c_bin} sha256 {sha256_of_file(job.c_bin)}")
                status, out_of_memory = run_container(client, image, job, staging, _Tee(log, out))
        finally:
            placed = place(staging, job.reports)
        for folder in placed:
            _say(None, out, f"bundle on this machine: {folder}")
        _say(None, out, f"whole output: {log_path}")
    _raise_for(status, out_of_memory, job)
    if status == ExitCode.OK and job.command[0] == MAKES_BUNDLES and not placed:
        raise BlockedError(
            f"the container ended with 0 and left no bundle, expected one: {log_path} has its output"
        )
    return status


def _image(client: Any, tag: str) -> Any:
    """Return an image that is there; the engine would try to pull any other."""
    from docker.errors import ImageNotFound

    try:
        return client.images.get(tag)
    except ImageNotFound:
        variant = tag.partition(":")[2]
        raise BlockedError(f"no image {tag}: build it with nox -s image -- {variant}") from None


def tag_of(client: Any, digest: str) -> str:
    """Return a name of the image that calls itself ``digest`` (env.txt of its bundles).

    BlockedError if no image of ours on this machine does.
    """
    wanted = f"{environment.IMAGE_DIGEST}={digest}"
    for image in client.images.list(name=NAME):
        if image.tags and wanted in image.attrs["Config"]["Env"]:
            return str(image.tags[0])
    raise BlockedError(
        f"no image {NAME} here calls itself {digest}: load it, or build it from the commit of the bundle"
        " with nox -s image"
    )


def caller() -> tuple[int, int]:
    """Return user and group the program runs as: the caller's, or nobody's if that is root."""
    return (os.getuid(), os.getgid()) if os.getuid() else (UNPRIVILEGED, UNPRIVILEGED)


@contextmanager
def _staging(reports: Path) -> Iterator[Path]:
    """Give an empty folder beside the bundles that the container may write to; removed at the end.

    If this process is killed, the next run removes it.
    """
    with bundle.building(reports, folders=()) as folder:
        if not os.getuid():
            os.chown(folder, *caller())
        yield folder


def _log_path(job: Job) -> Path:
    folder = job.reports / "container_logs"
    folder.mkdir(exist_ok=True)
    return folder / f"{bundle.stamp()}-{os.getpid()}-{job.tag.replace(':', '-')}.log"


class _Tee:
    """Writes to the log and to the user; a user who no longer listens does not stop the run."""

    def __init__(self, *streams: BinaryIO) -> None:
        self.streams = streams

    def write(self, data: bytes) -> None:
        for stream in self.streams:
            with suppress(BrokenPipeError):
                stream.write(data)
                stream.flush()


def _say(log: BinaryIO | None, out: BinaryIO, text: str) -> None:
    _Tee(*filter(None, (log, out))).write(text.encode() + b"\n")


def settings(client: Any, image: Any, job: Job, staging: Path) -> dict[str, Any]:
    """Return what ``create_container`` of the low-level client takes."""
    from docker.types import DeviceRequest, LogConfig, Mount

    mounts = [Mount("/reports", str(staging), type="bind")]
    environment = {}
    if job.supervisor is not None:
        mounts.append(Mount(SUPERVISOR, str(job.supervisor.resolve()), type="bind", read_only=True))
    if job.c_bin is not None:
        inside = f"{OWN_PROGRAM}/{job.c_bin.name}"
        mounts.append(Mount(inside, str(job.c_bin.resolve()), type="bind", read_only=True))
        environment["NB_C_BIN"] = inside
    user, group = caller()
    host_config = client.api.create_host_config(
        network_mode="none",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        pids_limit=job.limits.processes,
        mem_limit=job.limits.memory_bytes,
        memswap_limit=job.limits.memory_bytes,
        tmpfs={"/tmp": f"rw,nosuid,nodev,mode=1777,size={job.limits.scratch_bytes}"},
        mounts=mounts,
        init=True,
        log_config=LogConfig(type=LogConfig.types.NONE),
        device_requests=[DeviceRequest(count=-1, capabilities=[["gpu"]])] if job.gpus else None,
    )
    # The time limit is inside: it holds if this process is killed.
    timed = ["timeout", "--kill-after=10", str(job.limits.time_s)]
    return {
        "image": image.id,
        "entrypoint": [*timed, *image.attrs["Config"]["Entrypoint"]],
        "command": list(job.command),
        "user": f"{user}:{group}",
        "environment": environment,
        "labels": {LABEL: f"{socket.gethostname()}:{os.getpid()}"},
        "host_config": host_config,
    }


def run_container(client: Any, image: Any, job: Job, staging: Path, tee: "_Tee") -> tuple[int, bool]:
    """Create, attach, start, and wait; return the exit status and whether memory ran out."""
    from docker.errors import APIError

    with _ending_on_signals():
        container = None
        try:
            container = client.api.create_container(**settings(client, image, job, staging))["Id"]
            # attached before it starts: what is printed before one attaches is lost
            stream = client.api.attach(container, stdout=True, stderr=True, stream=True, demux=True)
            client.api.start(container)
            watch = threading.Timer(job.limits.time_s + 60, _kill, (client, container))
            watch.daemon = True
            watch.start()
            try:
                for parts in stream:
                    for part in filter(None, parts):
                        tee.write(part)
                status = int(client.api.wait(container)["StatusCode"])
                state = client.api.inspect_container(container)["State"]
            finally:
                watch.cancel()
            return status, bool(state.get("OOMKilled"))
        except APIError as error:
            raise BlockedError(f"the Docker engine refuses: {_brief(error)}") from None
        finally:
            if container is not None:
                remove(client, container)


def _kill(client: Any, container: str) -> None:
    from docker.errors import APIError

    with suppress(APIError):
        client.api.kill(container)


def remove(client: Any, container: str) -> None:
    """Remove a container whatever it is doing; further signals wait until that is done."""
    from docker.errors import APIError, NotFound

    held = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        client.api.remove_container(container, force=True, v=True)
    except NotFound:
        return
    except APIError as error:
        print(f"nbparity: the container {container[:12]} is left: {_brief(error)}", file=sys.stderr)
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)


@contextmanager
def _ending_on_signals() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP end the block in good order."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise InterruptedRunError(f"ended by {signal.Signals(number).name}: the container is removed")

    before = {
        number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def remove_leftovers(client: Any) -> None:
    """Remove containers of runs on this machine whose process was killed."""
    for container in client.api.containers(all=True, filters={"label": LABEL}):
        host, _, pid = container["Labels"].get(LABEL, "").rpartition(":")
        if host == socket.gethostname() and pid.isdecimal() and not Path(f"/proc/{pid}").exists():
            remove(client, container["Id"])


def place(staging: Path, reports: Path) -> list[Path]:
    """Check the bundles that a container left, and put them among the others, owned by the caller.

    NotIntactError if one is not whole; it is not put into place. The same, and nothing is, for a link to a
    folder: what is in there is not what the container left.
    """
    for path in staging.rglob("*"):
        if path.is_symlink() and path.is_dir():
            link = path.relative_to(staging)
            raise NotIntactError(f"the container left {link} as a link to a folder, expected the folder")
    placed = []
    for folder in bundle.below(staging):
        complaints = verify.verify(folder)
        if complaints:
            raise NotIntactError(f"the container's bundle {folder.name} does not hold: {complaints[0]}")
        parent = reports / folder.parent.relative_to(staging)
        parent.mkdir(parents=True, exist_ok=True)
        if not os.getuid():
            for path in (folder, *folder.rglob("*")):
                os.chown(path, os.getuid(), os.getgid(), follow_symlinks=False)
        own = Path(tempfile.mkdtemp(prefix=layout.UNFINISHED, dir=parent))
        own.rmdir()
        folder.rename(own)
        placed.append(bundle.place(own, folder.name))
    return placed


def _raise_for(status: int, out_of_memory: bool, job: Job) -> None:
    """Raise BlockedError if the container did not end by itself."""
    if out_of_memory:
        mib = job.limits.memory_bytes >> 20
        raise BlockedError(f"the container ran out of its {mib} MiB of memory (thresholds.toml)")
    if status == TIMED_OUT:
        raise BlockedError(f"the container was stopped after {job.limits.time_s} s (thresholds.toml)")
    if status == KILLED:
        raise BlockedError("the container was killed from outside")
    if status not in list(ExitCode):
        raise BlockedError(f"the container ended with {status}: its output says why")


def _brief(error: Exception) -> str:
    """Return the last line of what the engine says."""
    text = str(getattr(error, "explanation", None) or error).strip()
    return text.splitlines()[-1][:300] if text else type(error).__name__
