"""The image itself: what it holds, what a container of it cannot do, and that its evidence is the host's.

Needs a Docker engine and nbparity:cpu, and is run by nox -s image_tests; NB_IMAGE_TAG names another image.
"""

import gc
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from nbparity import container, environment
from nbparity.errors import BlockedError, ExitCode

pytestmark = [
    pytest.mark.image,
    # The SDK leaves the sockets it attached through to the collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

FILES = ("inputs/images_sha256.txt", "inputs/version.txt")
SMALL = container.Limits(memory_bytes=512 << 20, scratch_bytes=64 << 20, processes=100, time_s=120)


@pytest.fixture(scope="session")
def client():
    """The engine; a test of this file without one is an error, not a skip."""
    connected = container.connect()
    yield connected
    connected.close()


@pytest.fixture(autouse=True)
def collected():
    """Sockets that a test leaves are closed within it, where their warnings are expected."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def tag():
    return os.environ.get("NB_IMAGE_TAG", "nbparity:cpu")


@pytest.fixture
def job(tmp_path, tag):
    return container.Job(
        tag=tag, command=("parity_n1",), reports=tmp_path / "reports", limits=container.limits()
    )


@pytest.fixture
def inside(client, job):
    """Run Python code in a container as parity_n1 would run; exit status and output."""

    def run(code, **changes):
        out = io.BytesIO()
        chosen = replace(job, command=("python", "-c", code), limits=SMALL, **changes)
        status = container.run(client, chosen, out)
        return status, out.getvalue()

    return run


@pytest.fixture
def listed(inside):
    """Name and version of the packages of a kind in the list of the image, which is valid CycloneDX."""
    _, out = inside("print('list', open('/opt/nbparity/image.cdx.json').read())")
    text = out.decode().partition("list ")[2]
    text = text[: text.rindex("}") + 1]
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    rows = [(row["purl"], row["name"], row["version"]) for row in json.loads(text)["components"]]
    return lambda kind: {(name, version) for purl, name, version in rows if purl.startswith(f"pkg:{kind}/")}


def ours(client):
    """Containers of the runner that exist now."""
    return client.api.containers(all=True, filters={"label": container.LABEL})


def test_the_container_has_no_rights(inside):
    """As the kernel tells it: no capabilities, none to gain, system calls filtered, nobody's user."""
    _, out = inside("print(open('/proc/self/status').read()); import os; print('uid', os.getuid())")
    status = dict(re.findall(rb"^(\w+):\s*(\S+)", out, re.MULTILINE))
    for name in (b"CapInh", b"CapPrm", b"CapEff", b"CapBnd", b"CapAmb"):
        assert int(status[name], 16) == 0, name
    assert status[b"NoNewPrivs"] == b"1" and status[b"Seccomp"] == b"2"
    assert b"uid 0\n" not in out


def test_the_container_has_no_network(inside):
    """The loopback interface and nothing else."""
    _, out = inside("import socket; print('only', [name for _, name in socket.if_nameindex()])")
    assert b"only ['lo']" in out


def test_only_scratch_and_reports_can_be_written(inside):
    """The root is read-only; /tmp goes with the container."""
    code = """
import os
for folder in ('/', '/opt/nbparity', '/etc', '/usr/bin', '/tmp', '/reports', '/dev/shm'):
    try:
        open(f'{folder}/probe', 'w').close(); print(folder, 'yes')
    except OSError as error:
        print(folder, error.errno)
"""
    _, out = inside(code)
    assert re.findall(rb"^(\S+) yes$", out, re.MULTILINE) == [b"/tmp", b"/reports", b"/dev/shm"]


def test_a_fork_bomb_is_contained(inside):
    """At the limit of processes fork fails, and the machine does not notice."""
    code = """
import os, signal
children = []
try:
    while len(children) < 5000:
        pid = os.fork()
        if pid == 0:
            signal.pause()
        children.append(pid)
except OSError as error:
    print('stopped after', len(children), error.errno)
for pid in children:
    os.kill(pid, signal.SIGKILL)
"""
    _, out = inside(code)
    found = re.search(rb"stopped after (\d+) 11", out)
    assert found and int(found[1]) < SMALL.processes


def test_a_memory_bomb_is_contained(inside):
    """It is killed at the limit, and the message says so."""
    with pytest.raises(BlockedError, match="ran out of its 512 MiB of memory"):
        inside("x = [bytearray(b'1') * (1 << 20) for _ in range(2000)]")


def test_much_output_arrives_whole(inside):
    """50 MB, every line of it, in order."""
    lines = 500_000
    _, out = inside(f"import sys\nfor i in range({lines}): print(f'{{i:099d}}')")
    found = re.findall(rb"^(\d{99})$", out, re.MULTILINE)
    assert len(found) == lines and found == [b"%099d" % number for number in range(lines)]


FULL = replace(SMALL, scratch_bytes=1 << 20, memory_bytes=2 << 30)


def test_a_full_scratch_is_no_pass(client, job):
    """The mapped tests find no space; the run is not green, and its bundle holds the reason."""
    command = ("parity_n1", "--", "--experiment", "cro")
    out = io.BytesIO()
    assert container.run(client, replace(job, limits=FULL, command=command), out) == ExitCode.TESTS_FAILED
    assert b"tests: failed with exit status" in out.getvalue() and b"Traceback" not in out.getvalue()
    (log,) = job.reports.glob("*/*/nb_compare/*/tests/pytest_cpu.log")
    assert "No space left on device" in log.read_text()
    assert not ours(client)


def test_a_full_scratch_ends_in_one_line(client, job):
    """The programs' images go there: the message names the file, and no comparison is left."""
    line = "-cell 50 60 70 90 90 90 -default_F 10 -N 5 -detpixels 600 -pixel 1 -distance 100"
    command = ("nb-compare", "--outdir", "/reports/compared", "--", *line.split())
    out = io.BytesIO()
    assert container.run(client, replace(job, limits=FULL, command=command), out) != 0
    complaints = [row for row in out.getvalue().splitlines() if b"No space left on device" in row]
    assert len(complaints) == 1 and b"Traceback" not in out.getvalue()
    assert not list(job.reports.glob("compared/*"))
    assert not ours(client)


def test_a_container_that_is_killed_is_named(client, job):
    """From outside, with docker kill for example."""
    code = "import time; print('ready', flush=True); time.sleep(60)"

    class Killer(io.BytesIO):
        def write(self, data):
            if b"ready" in data:
                client.api.kill(ours(client)[0]["Id"])
            return super().write(data)

    with pytest.raises(BlockedError, match="killed from outside"):
        container.run(client, replace(job, command=("python", "-c", code)), Killer())
    assert not ours(client)


def test_the_time_limit_holds(client, job):
    """Inside the container, so that it needs nobody outside."""
    sleeping = replace(job, command=("python", "-c", "import time; time.sleep(60)"))
    with pytest.raises(BlockedError, match="stopped after 1 s"):
        container.run(client, replace(sleeping, limits=replace(SMALL, time_s=1)), io.BytesIO())


@pytest.mark.parametrize(("number", "left"), [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGKILL, 1)])
def test_a_client_that_ends_leaves_nothing_for_long(number, left, client, root, tmp_path, inside):
    """Ctrl-C and SIGTERM remove the container; after SIGKILL the next run does."""
    command = [sys.executable, "-m", "nbparity", "n1", "--image", "cpu", "--experiment", "cro"]
    process = subprocess.Popen(
        [*command, f"--reports={tmp_path / 'r'}"],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if "cro: running" in line:
            break
    process.send_signal(number)
    _, complaint = process.communicate(timeout=60)
    assert len(ours(client)) == left
    if number != signal.SIGKILL:
        assert process.returncode == 130
        assert f"ended by {number.name}: the container is removed" in complaint
    inside("pass")
    deadline = time.monotonic() + 30
    while ours(client) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert not ours(client)


def test_a_missing_image_is_named(client, job):
    """With the command that builds it."""
    with pytest.raises(BlockedError, match="no image nbparity:never: build it"):
        container.run(client, replace(job, tag="nbparity:never"), io.BytesIO())


def test_what_the_runtime_does_not_need_is_not_there(inside):
    """No compiler, no headers, no settings or certificates of the builder, no setuid program."""
    code = """
import os, shutil, stat
tools = 'gcc cc g++ ld as make git curl'
print('tools', [name for name in tools.split() if shutil.which(name)])
bad = []
for folder, _, names in os.walk('/', onerror=None):
    if folder.startswith(('/proc', '/sys', '/dev')):
        continue
    for name in names:
        path = os.path.join(folder, name)
        if not os.path.islink(path) and os.stat(path).st_mode & (stat.S_ISUID | stat.S_ISGID):
            bad.append(path)
        if name in {'pip.conf', 'sources.list', 'ca-certificates.crt', '.netrc', 'auth.conf'}:
            bad.append(path)
        if name.endswith(('.list', '.sources')) and folder.startswith('/etc/apt'):
            bad.append(path)
print('bad', bad)
settings = ('PIP_', 'SSL_', 'REQUESTS_', 'CURL_')
print('variables', [name for name in os.environ if name.startswith(settings)])
print('headers', os.path.exists('/usr/include/stdio.h'))
"""
    _, out = inside(code)
    for line in (b"tools []", b"bad []", b"variables []", b"headers False"):
        assert line in out, out.decode()


def test_the_image_sets_the_pinned_environment(client, tag):
    """environment.toml is the one place, for host and image."""
    config = client.images.get(tag).attrs["Config"]
    variables = dict(row.split("=", 1) for row in config["Env"])
    # of a variable that is set twice the engine chooses one
    assert len(variables) == len(config["Env"])
    assert {name: variables.get(name) for name in environment.pinned()} == environment.pinned()
    assert re.fullmatch("sha256:[0-9a-f]{64}", variables["NB_IMAGE_DIGEST"])
    assert {"org.opencontainers.image.revision", "org.nbparity.lock.debian"} <= config["Labels"].keys()


def test_every_debian_package_is_of_the_lock(debian, listed):
    """The list of what is in the image is the lock; nothing came along with it."""
    locked = {(package.name, package.version) for package in debian.read().group("runtime")}
    assert listed("deb") and listed("deb") <= locked


def test_every_package_is_in_the_list(listed, inside):
    """The list that the image brings along, against what dpkg and Python's metadata say of it."""
    code = """
import subprocess
from importlib import metadata
form = '--showformat=deb ${Package} ${Version}\\n'
print(subprocess.run(['dpkg-query', '--show', form], capture_output=True, text=True).stdout)
for found in metadata.distributions():
    print('pypi', found.metadata['Name'], found.version)
"""
    _, out = inside(code)
    for kind in ("deb", "pypi"):
        found = set(re.findall(rf"^{kind} (\S+) (\S+)$", out.decode(), re.MULTILINE))
        assert found and listed(kind) == found


def test_the_development_image_compiles_kernels(client, job, tag):
    """With the compiler and the headers that torch looks for."""
    development = f"{tag}-dev"
    if not client.images.list(name=development):
        pytest.skip(f"there is no {development}: nox -s image -- cpu --stage runtime-dev; .ci/run has it")
    code = """
import os, pathlib
os.environ['TORCHINDUCTOR_CACHE_DIR'] = '/reports/kernels'
import torch
x = torch.arange(1000, dtype=torch.float64)
print('equal', torch.equal(torch.compile(lambda y: y * y + 1)(x), x * x + 1))
print('libraries', len(list(pathlib.Path('/reports/kernels').rglob('*.so'))))
"""
    out = io.BytesIO()
    wanted = replace(job, tag=development, command=("python", "-c", code))
    assert container.run(client, wanted, out) == ExitCode.OK, out.getvalue().decode()
    assert b"equal True" in out.getvalue() and b"libraries 0" not in out.getvalue()


def test_two_programs_can_be_compared_inside(client, job):
    """Any command line, with the programs that the image brings along."""
    line = "-cell 50 60 70 90 90 90 -default_F 10 -N 5 -detpixels 16 -pixel 1 -distance 100"
    out = io.BytesIO()
    command = ("nb-compare", "--outdir", "/tmp/compared", "--", *line.split())
    assert container.run(client, replace(job, command=command), out) == ExitCode.OK, out.getvalue()
    assert b"nb-compare: " in out.getvalue()


def test_the_evidence_is_the_hosts(client, job, root, tmp_path, sha256_of):
    """Images and versions have the same hashes; env.txt is the same in two runs of one image."""
    job = replace(job, command=("parity_n1", "--", "--experiment", "cro"))
    for _ in range(2):
        assert container.run(client, job, io.BytesIO()) == ExitCode.OK
    first, second = sorted(path.parent for path in job.reports.glob("*/*/nb_compare/*/analysis.md"))
    subprocess.run(
        [sys.executable, "-m", "nbparity", "n1", "--experiment", "cro", f"--reports={tmp_path / 'host'}"],
        cwd=root,
        check=True,
        env={name: value for name, value in os.environ.items() if name != "NB_IMAGE_DIGEST"},
    )
    (host,) = (path.parent for path in (tmp_path / "host").glob("*/*/nb_compare/*/analysis.md"))
    for name in FILES:
        assert sha256_of(first / name) == sha256_of(second / name) == sha256_of(host / name), name
    assert sha256_of(first / "inputs/env.txt") == sha256_of(second / "inputs/env.txt")
    assert {path.stat().st_uid for path in first.rglob("*")} == {os.getuid()}
    # from the host: the bundle names the image, and comes out again in it
    replayed = subprocess.run(
        [sys.executable, "-m", "nbparity", "replay", str(first)], cwd=root, capture_output=True, text=True
    )
    assert replayed.returncode == ExitCode.OK, replayed.stdout + replayed.stderr
    assert "reproduced: 9 of 9 parts" in replayed.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a folder of another user's")
def test_the_simulator_writes_where_it_is_started(client, tag, tmp_path):
    """Docker run -v FOLDER:/data -w /data: files appear there and belong to the owner of the folder."""
    os.chown(tmp_path, 1234, 4321)
    client.containers.run(
        tag,
        "nanobrag_torch -cell 50 60 70 90 90 90 -default_F 100 -N 5 -detpixels 16".split(),
        volumes={str(tmp_path): {"bind": "/data", "mode": "rw"}},
        working_dir="/data",
        network_mode="none",
        remove=True,
    )
    made = {path.name: (path.stat().st_uid, path.stat().st_gid) for path in tmp_path.iterdir()}
    assert made == dict.fromkeys(
        ("floatimage.bin", "intimage.img", "image.pgm", "noiseimage.img"), (1234, 4321)
    )
