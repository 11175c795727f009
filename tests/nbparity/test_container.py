"""Running in a container, with an engine that is made up: what it is asked, what comes of each answer."""

import dataclasses
import gc
import io
import os
import shutil
import signal
import socket

import pytest

from nbparity import container
from nbparity.errors import BlockedError, NotIntactError, NotWrittenError

docker = pytest.importorskip("docker", reason="the docker package is not installed: pip install docker")
LIMITS = container.Limits(memory_bytes=1 << 30, scratch_bytes=1 << 20, processes=64, time_s=100)


class Api:
    """The low-level client: notes the order of calls, and plays one container, of a wrong command line.

    That one leaves no bundle.
    """

    def __init__(self, *, output=(), status=2, state=None, leave=None, others=()):
        self.calls, self.output, self.status, self.state = [], output, status, state or {}
        self.leave, self.others, self.created = leave, list(others), {}
        self.create_host_config = dict

    def containers(self, all, filters):
        return self.others

    def create_container(self, **settings):
        self.calls.append("create")
        self.created = settings
        return {"Id": "c0ffee"}

    def attach(self, name, **options):
        self.calls.append("attach")
        return iter(self.output)

    def start(self, name):
        self.calls.append("start")
        if isinstance(self.leave, BaseException):
            raise self.leave
        if self.leave is not None:
            self.leave(self.created["host_config"]["mounts"][0]["Source"])

    def wait(self, name):
        return {"StatusCode": self.status}

    def inspect_container(self, name):
        return {"State": self.state}

    def remove_container(self, name, force, v):
        self.calls.append(f"remove {name}")


class Client:
    def __init__(self, api, tags=("nbparity:cpu",)):
        self.api, self.tags, self.images = api, tags, self

    def get(self, tag):
        if tag not in self.tags:
            raise docker.errors.ImageNotFound("no such image")
        return self

    id = "sha256:1234"
    attrs = {"Config": {"Entrypoint": ["python", "entrypoint.py"]}}


@pytest.fixture
def job(tmp_path):
    return container.Job(
        tag="nbparity:cpu", command=("parity_n1",), reports=tmp_path / "reports", limits=LIMITS
    )


def run(api, job):
    out = io.BytesIO()
    return container.run(Client(api), job, out), out.getvalue().decode()


def test_the_container_can_do_nothing_else(job, tmp_path):
    """Every restriction is asked for, and nothing is mounted but the folder for bundles."""
    api = Api()
    run(api, job)
    config = api.created["host_config"]
    asked = {name: config[name] for name in ("network_mode", "read_only", "cap_drop", "security_opt", "init")}
    assert asked == {
        "network_mode": "none",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "init": True,
    }
    assert config["mem_limit"] == config["memswap_limit"] == LIMITS.memory_bytes
    assert config["pids_limit"] == 64 and config["device_requests"] is None
    assert "nosuid,nodev" in config["tmpfs"]["/tmp"]
    assert config["log_config"]["Type"] == "none"
    assert [mount["Target"] for mount in config["mounts"]] == ["/reports"]
    assert api.created["image"] == Client.id and not api.created["user"].startswith("0:")
    assert api.created["entrypoint"] == ["timeout", "--kill-after=10", "100", "python", "entrypoint.py"]


def test_inputs_and_own_program_are_mounted_read_only(root, tmp_path, monkeypatch):
    """And the program is named and hashed in the log."""
    (tmp_path / "data").mkdir()
    for name in ("A.mat", "scaled.hkl"):
        (tmp_path / "data" / name).write_text("x", encoding="utf-8")
    program = tmp_path / "mine"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("NB_SUPERVISOR_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("NB_C_BIN", str(program))
    job = container.job(root, "nbparity:cpu", ("-x",), reports=tmp_path / "r", c_bin=None, gpus=True)
    api = Api()
    _, printed = run(api, job)
    _, data, own = api.created["host_config"]["mounts"]
    assert (data["Target"], data["Source"], data["ReadOnly"]) == (
        "/opt/shared/supervisor",
        str(tmp_path / "data"),
        True,
    )
    assert (own["Target"], own["ReadOnly"]) == ("/opt/nb_c_bin/mine", True)
    assert api.created["environment"] == {"NB_C_BIN": "/opt/nb_c_bin/mine"}
    assert api.created["command"] == ["parity_n1", "--", "-x"]
    assert api.created["host_config"]["device_requests"]
    assert "sha256 a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf" in printed


def test_output_is_attached_to_before_it_is_made_and_arrives_whole(job):
    """On the terminal and in the log, both streams in the order in which they came."""
    api = Api(output=[(b"one\n", None), (None, b"two\n"), (b"three\n", None)])
    status, printed = run(api, job)
    assert api.calls == ["create", "attach", "start", "remove c0ffee"]
    assert status == 2 and "one\ntwo\nthree\n" in printed
    (log,) = (job.reports / "container_logs").iterdir()
    assert "one\ntwo\nthree\n" in log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("status", "state", "complaint"),
    [
        (137, {"OOMKilled": True}, "ran out of its 1024 MiB of memory"),
        (3, {"OOMKilled": True}, "ran out of its 1024 MiB of memory"),
        (137, {}, "killed from outside"),
        (124, {}, "stopped after 100 s"),
        (127, {}, "ended with 127"),
    ],
)
def test_an_end_that_is_not_its_own_is_named(job, status, state, complaint):
    """Out of memory, killed, out of time, could not be started."""
    with pytest.raises(BlockedError, match=complaint):
        run(Api(status=status, state=state), job)


def test_the_status_of_the_run_is_passed_on(job):
    """4 stays 4: an unexplained difference is one inside a container, too."""
    assert run(Api(status=4), job)[0] == 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_removes_the_container(job, number):
    """Ctrl-C ends in good order, and the handlers are as before."""
    before = signal.getsignal(number)
    api = Api(leave=lambda staging: os.kill(os.getpid(), number))
    with pytest.raises(container.InterruptedRunError, match=f"ended by {number.name}") as raised:
        run(api, job)
    assert raised.value.exit_code == 130
    assert api.calls[-1] == "remove c0ffee" and signal.getsignal(number) is before
    assert not list(job.reports.glob(".unfinished*"))


def test_an_engine_that_refuses_is_quoted(job):
    """A GPU that is not there, for example; the container is removed."""
    api = Api(leave=docker.errors.APIError("500", explanation="could not select device driver"))
    with pytest.raises(BlockedError, match="could not select device driver"):
        run(api, job)
    assert api.calls[-1] == "remove c0ffee"


def test_a_missing_image_says_how_to_build_it(job):
    """Nothing is pulled from anywhere."""
    with pytest.raises(BlockedError, match="no image nbparity:cpu: build it with nox -s image -- cpu"):
        container.run(Client(Api(), tags=()), job, io.BytesIO())


def test_an_image_is_found_by_what_it_calls_itself():
    """By the variable that env.txt of its bundles records; one without a name is passed over."""

    class Image:
        def __init__(self, digest, tags):
            self.tags, self.attrs = tags, {"Config": {"Env": ["LC_ALL=C", f"NB_IMAGE_DIGEST={digest}"]}}

    class Images:
        def list(self, name):
            assert name == "nbparity"
            return [Image("sha256:1", []), Image("sha256:1", ["nbparity:cpu"]), Image("sha256:2", ["x"])]

    class Engine:
        images = Images()

    assert container.tag_of(Engine(), "sha256:1") == "nbparity:cpu"
    with pytest.raises(BlockedError, match="no image nbparity here calls itself sha256:3: load it"):
        container.tag_of(Engine(), "sha256:3")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_no_engine_is_said_in_one_line(monkeypatch):
    """With the address that was tried."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    with pytest.raises(BlockedError, match="no Docker engine answers at unix:///nonexistent/docker.sock"):
        container.connect()
    gc.collect()  # the client leaves a socket to the collector, whose warning belongs to this test


def test_reports_that_cannot_be_written(tmp_path, job):
    """Before anything is started."""
    job.reports.write_text("a file where a folder should be", encoding="utf-8")
    api = Api()
    with pytest.raises(NotWrittenError, match="no bundle can be written below"):
        run(api, job)
    assert not api.calls


def test_containers_of_killed_runs_are_removed(job):
    """Those whose process is gone; not those of others, nor of other machines."""
    gone = 2**22 + 1
    here = socket.gethostname()
    labels = {"a": f"{here}:{gone}", "b": f"{here}:{os.getpid()}", "c": f"elsewhere:{gone}"}
    others = [{"Id": name, "Labels": {container.LABEL: label}} for name, label in labels.items()]
    api = Api(others=others)
    run(api, job)
    assert api.calls[0] == "remove a" and "remove b" not in api.calls and "remove c" not in api.calls


@pytest.fixture
def finished(site):
    """A bundle as a container leaves it: where, below /reports, and the folder."""
    outcome = site.run()
    return outcome.folder.relative_to(site.root / "reports"), outcome.folder


def test_a_bundle_is_checked_and_put_among_the_others(job, finished):
    """Under its own name, and beside one of that name that is there already."""
    relative, folder = finished

    def leave(staging):
        shutil.copytree(folder, f"{staging}/{relative}")

    for name in (folder.name, f"{folder.name}-2"):
        _, printed = run(Api(leave=leave, status=0), job)
        assert (job.reports / relative.parent / name / "analysis.md").is_file()
        assert f"{relative.parent}/{name}\n" in printed
    assert not list(job.reports.glob(".unfinished*"))


def test_a_bundle_that_does_not_hold_is_not_taken(job, finished):
    """A container could leave anything."""
    relative, folder = finished

    def leave(staging):
        shutil.copytree(folder, f"{staging}/{relative}")
        with open(f"{staging}/{relative}/analysis.md", "a", encoding="utf-8") as stream:
            stream.write("All is well.\n")

    with pytest.raises(NotIntactError, match="does not hold: changed: analysis.md"):
        run(Api(leave=leave, status=0), job)
    assert not (job.reports / relative).exists()


def test_a_bundle_is_found_wherever_the_campaign_puts_it(job, finished):
    """A campaign may be a folder in a folder; a bundle without its analysis is found as well, and refused."""
    _, folder = finished
    run(Api(leave=lambda staging: shutil.copytree(folder, f"{staging}/a/b/c/nb_compare/x")), job)
    assert (job.reports / "a/b/c/nb_compare/x/analysis.md").is_file()
    (folder / "analysis.md").unlink()
    with pytest.raises(NotIntactError, match="missing: analysis.md"):
        run(Api(leave=lambda staging: shutil.copytree(folder, f"{staging}/a/b/c/nb_compare/y")), job)


def test_a_link_in_place_of_a_bundle_is_not_taken(job, finished):
    """Nor one in it, or in a folder above: what it leads to is not what the container left."""
    relative, folder = finished

    def link_to_a_bundle(staging):
        os.makedirs(f"{staging}/campaign")
        os.symlink(folder, f"{staging}/campaign/x")

    def link_above(staging):
        shutil.copytree(folder, f"{staging}/a/b/x")
        os.symlink("a", f"{staging}/c")

    def link_in_a_bundle(staging):
        copied = shutil.copytree(folder, f"{staging}/{relative}")
        os.rename(f"{copied}/inputs", f"{staging}/elsewhere")
        os.symlink(f"{staging}/elsewhere", f"{copied}/inputs")

    for leave, name in (
        (link_to_a_bundle, "campaign/x"),
        (link_above, "c"),
        (link_in_a_bundle, f"{relative}/inputs"),
    ):
        with pytest.raises(NotIntactError, match=f"the container left {name} as a link to a folder"):
            run(Api(leave=leave, status=0), job)
        assert [path.name for path in job.reports.iterdir()] == ["container_logs"]


def test_a_run_that_ended_well_has_left_a_bundle(job):
    """If there is none it did something else than was asked for."""
    with pytest.raises(BlockedError, match=r"ended with 0 and left no bundle, expected one: .*[.]log has"):
        run(Api(status=0), job)
    assert run(Api(status=0), dataclasses.replace(job, command=("python", "-c", "pass")))[0] == 0


def test_what_a_killed_run_left_is_removed(job):
    """The folder that its container wrote to is no bundle and nobody's."""
    (job.reports / ".unfinished-x" / "campaign").mkdir(parents=True)
    run(Api(), job)
    assert not list(job.reports.glob(".unfinished*"))


def test_limits_are_in_the_file_of_numbers_that_decide():
    """Each with its reason."""
    found = container.limits()
    assert found.memory_bytes > found.scratch_bytes > 0 and found.time_s >= 3600
