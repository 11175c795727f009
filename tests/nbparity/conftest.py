"""A small checkout with fake programs, so that the harness is tested without a simulator or a compiler."""

import functools
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from nbparity import causes, environment, experiment, layout, n1, n2, pictures, programs, replay, thresholds
from nbparity.hashing import files_below, sha256_list
from nbparity.outcome import Outcome

# Pixel values rise along both axes and scale with -flux. The historical one keeps stale axes when the scan
# starts at phi = 0, except in the first pixel. "behaviour" switches faults on.
PROGRAM = """#!{python} -IS
import struct, sys, time
behaviour = {behaviour!r}
args = sys.argv[1:]
if "--version" in args:
    print(behaviour.get("version_text", "fake 1.0"))
    sys.exit(behaviour.get("version_status", 0))
def last(flag, count, default):
    at = max([i for i, a in enumerate(args) if a == flag], default=None)
    return default if at is None else args[at + 1 : at + 1 + count]
open(last("-hkl", 1, ["data.txt"])[0]).read()
if "say" in behaviour:
    print(behaviour["say"])
for _ in range(behaviour.get("megabytes", 0)):
    sys.stdout.write("x" * 999_999 + "\\n")
if "child" in behaviour:
    import subprocess
    own_session = {{"start_new_session": True}}
    child = "import time; time.sleep(1.5); open('" + behaviour["child"] + "', 'w')"
    subprocess.Popen([sys.executable, "-IS", "-c", child], **own_session)
time.sleep(behaviour.get("sleep", 0))
if behaviour.get("status"):
    print("fake: it does not work", file=sys.stderr)
    sys.exit(behaviour["status"])
slow, fast = behaviour.get("shape", (6, 8))
roi = [int(v) for v in last("-roi", 4, (0, fast - 1, 0, slow - 1))]
flux = 125932e18 if behaviour.get("ignores_flux") else float(last("-flux", 1, ["125932e18"])[0])
if behaviour.get("fails_off_zero") and float(last("-phi", 1, ["0"])[0]) != 0:
    sys.exit(9)
stale = behaviour.get("historical") and float(last("-phi", 1, ["0"])[0]) == 0
pixels = []
for s in range(slow):
    for f in range(fast):
        inside = roi[0] <= f <= roi[1] and roi[2] <= s <= roi[3]
        value = (1 + 10 * s + f) * flux / 1e18 if inside or behaviour.get("ignores_roi") else 0.0
        if stale and inside and (f, s) != (roi[0], roi[2]):
            value *= 1.125
        value *= behaviour.get("factor", 1)
        pixels.append(value)
if "pixel" in behaviour:
    at, value = behaviour["pixel"]
    pixels[at] = float(value)
data = struct.pack("<%df" % len(pixels), *pixels)[: behaviour.get("bytes")]
if not behaviour.get("writes_nothing"):
    with open(last("-floatfile", 1, ["floatimage.bin"])[0], "wb") as stream:
        stream.write(data)
if "shape" not in behaviour or slow:
    print("pixel=1 meters (%dx%d pixels)" % (fast, slow))
if "-trace_pixel" in args and behaviour.get("trace_status"):
    sys.exit(behaviour["trace_status"])
if "-trace_pixel" in args and not behaviour.get("traces_nothing"):
    s, f = (int(v) for v in last("-trace_pixel", 2, None))
    carried = stale and (f, s) != (roi[0], roi[2])
    first = 3 if carried else 2
    for vector in ("pix0_vector_meters 10 -4 -3", "fdet_vec 0 1 0", "sdet_vec 0 0 1", "incident_vec 1 0 0"):
        print("TRACE_C:", vector)
    print("TRACE_C: lambda_angstroms 1")
    print("TRACE_C: rot_a_angstroms 50 0", 0.5 if carried else 0)
    print("TRACE_C_PHI phi_tic=0 phi_deg=0 k_frac=1.5 F_latt_b=1 F_latt=%d" % first)
    print("TRACE_C: F_cell 10")
    print("TRACE_C_PHI phi_tic=1 phi_deg=0.5 k_frac=1.5 F_latt_b=1 F_latt=3")
    print("TRACE_C: I_before_scaling", 100 * (first**2 + 9))
    value = behaviour.get("traced", pixels[s * fast + f])
    print("TRACE_C: I_pixel_final %.15g" % value)
    print("TRACE_C: floatimage_accumulated %.15g" % struct.unpack("<f", struct.pack("<f", value))[0])
print("render time = 0.25 s")
"""

PYTEST = """import sys
print("collected" if "--collect-only" in sys.argv else "{skips}============ {line} in 0.01s ============")
sys.exit({status})
"""

SBOM = """import sys
with open(sys.argv[sys.argv.index("--output-file") + 1], "w") as stream:
    stream.write("{}")
"""

EXPERIMENT = """id = "tiny"
title = "A tiny experiment"
shows = "that the harness works"
roi = [1, 4, 1, 3]
inputs_dir = "tiny"
args = ["-hkl", "data.txt", "-flux", "1e18", "-phi", "0", "-detpixels_x", "8", "-detpixels_y", "6"]

[[inputs]]
name = "data.txt"
sha256 = "{sha256}"
"""

INDEX = """# Documents

## Protected assets

- `requirements/*.txt`: locks
- `$NB_FAKE_DIR/*`: elsewhere; default `golden`

## Something else

- `not/protected`
"""


OURS = {
    "c": programs.BUILT["c"],
    "spec": programs.BUILT["c_spec"],
    "py": Path("nanobrag_torch") / "__main__.py",
}


@dataclass
class Site:
    """A checkout in a temporary folder; ``run`` runs n1 in it."""

    root: Path
    replaced: dict[str, str] = field(default_factory=dict)
    pytest_line: str = "2 passed"
    pytest_skips: str = ""
    pytest_status: int = 0
    time_limit_s: float = 20.0
    ours: bool = False

    @property
    def reports(self) -> Path:
        return self.root / "reports" / "campaign" / "phase" / "nb_compare"

    def path(self, name: str) -> Path:
        """Where a program lies."""
        return self.root / (OURS[name] if self.ours and name in OURS else Path("programs") / name)

    def bins(self) -> list[str]:
        """The options of the command line that name the programs; none where they are ours."""
        return [] if self.ours else [f"--{name}-bin={self.path(name)}" for name in ("c", "spec", "py")]

    def program(self, name: str, **behaviour: Any) -> Path:
        """Write a fake program."""
        path = self.path(name)
        path.parent.mkdir(exist_ok=True)
        # One that is just being started cannot be written, but replaced it can be.
        new = path.with_name(f"{path.name}.new")
        new.write_text(PROGRAM.format(python=sys.executable, behaviour=behaviour), encoding="utf-8")
        new.chmod(0o755)
        return new.replace(path)

    def build_here(self) -> None:
        """Put the programs where the checkout has its own, so that they stand in for nothing."""
        self.ours = True
        (self.root / "golden_suite_generator" / "Makefile").write_text("all:\n", encoding="utf-8")
        (self.root / "nanobrag_torch").mkdir()
        (self.root / "nanobrag_torch" / "__init__.py").write_text("", encoding="utf-8")
        self.program("c", historical=True)
        self.program("spec")
        self.program("py")

    def stand_ins(self) -> None:
        """Put modules in the place of pytest and of the list of packages; the checkout is looked at first."""
        text = PYTEST.format(line=self.pytest_line, skips=self.pytest_skips, status=self.pytest_status)
        (self.root / "pytest.py").write_text(text, encoding="utf-8")
        (self.root / "cyclonedx_py.py").write_text(SBOM, encoding="utf-8")

    def plan(self) -> n1.Plan:
        self.stand_ins()
        names = {
            f"{name}_bin": self.replaced.get(name) or (None if self.ours else str(self.path(name)))
            for name in ("c", "spec", "py")
        }
        return n1.Plan(
            root=self.root,
            reports=self.reports,
            experiment=experiment.load(self.root, "tiny"),
            programs=programs.locate(self.root, **names),
            thresholds=thresholds.load(),
            time_limit_s=self.time_limit_s,
        )

    def run(self) -> Outcome:
        return n1.parity_n1(self.plan())

    def adopt(self, bundle: Path) -> Path:
        """Put a copy of a bundle among those of this checkout, as if it had been made here."""
        return Path(shutil.copytree(bundle, self.reports / bundle.name))

    def replay(self, bundle: Path, **changes: Any) -> replay.Replay:
        """Repeat a bundle in this checkout, with the small stand-ins for pytest and the list of packages."""
        own = self.plan()
        repeated = replay.plan(
            bundle,
            root=self.root,
            programs=own.programs,
            reports=self.root / "replays",
            threads=changes.get("threads"),
            inputs=changes.get("inputs"),
        )
        return replay.compare_bundles(bundle, n1.parity_n1(repeated).folder)

    def bundles(self) -> list[Path]:
        """Every entry of the reports folder, hidden ones included."""
        return sorted(self.reports.iterdir()) if self.reports.is_dir() else []


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A checkout in which the three programs agree as they should; reports have no pictures, to be fast."""
    without_slow_parts(monkeypatch)
    return make_site(tmp_path / "checkout")


def without_slow_parts(patch: pytest.MonkeyPatch) -> None:
    """Ask no torch for devices and draw no pictures."""
    patch.setattr(environment, "cuda_devices", lambda python, root: (0, "no CUDA device"))
    patch.setattr(pictures, "draw", lambda bundle, run, summary: [])


@pytest.fixture
def plain_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """A git that the user has not told to sign commits, ignore files or change line ends."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def stand_ins(site: Site) -> None:
    """Let the command line, too, use the stand-ins for pytest and the list of packages, which take long."""
    site.stand_ins()


@pytest.fixture(scope="session")
def bundle_with_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished bundle of such a checkout with its pictures, for all tests that do not change it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environment, "cuda_devices", lambda python, root: (0, "no CUDA device"))
        return make_site(tmp_path_factory.mktemp("pictures") / "checkout").run().folder


def make_site(root: Path) -> Site:
    """Write the checkout."""
    made = Site(root=root)
    folder = made.root / experiment.FOLDER
    (folder / "tiny").mkdir(parents=True)
    (folder / "tiny" / "data.txt").write_text("1 0 0 5\n", encoding="utf-8")
    sha256 = hashlib.sha256(b"1 0 0 5\n").hexdigest()
    (folder / "tiny.toml").write_text(EXPERIMENT.format(sha256=sha256), encoding="utf-8")
    known_causes = (Path(__file__).resolve().parents[2] / causes.FILE).read_text(encoding="utf-8")
    for name, text in (
        ("docs/index.md", INDEX),
        (str(causes.FILE), known_causes),
        ("requirements/cpu.txt", "lock\n"),
        ("golden/a.txt", "a\n"),
    ):
        path = made.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    made.program("c", historical=True)
    made.program("spec")
    made.program("py")
    return made


@pytest.fixture
def summary_of() -> Callable[[Path], dict[str, Any]]:
    """Read the summary of a bundle."""

    def read(bundle: Path) -> dict[str, Any]:
        data: dict[str, Any] = json.loads((bundle / "results" / "summary.json").read_text(encoding="utf-8"))
        return data

    return read


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Path]:
    """The bundle of a checkout like ``site``, with programs of its own or not; made when first needed."""

    @functools.cache
    def make(ours: bool) -> Path:
        with pytest.MonkeyPatch.context() as patch:
            without_slow_parts(patch)
            made = make_site(tmp_path_factory.mktemp("made-once") / "checkout")
            if ours:
                made.build_here()
            return made.run().folder

    return make


@pytest.fixture
def sealed(site: Site, made_once: Callable[[bool], Path]) -> Path:
    """A finished bundle."""
    return site.adopt(made_once(False))


@pytest.fixture(scope="session")
def record_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record of N2 over the bundle of such a checkout."""
    with pytest.MonkeyPatch.context() as patch:
        without_slow_parts(patch)
        made = make_site(tmp_path_factory.mktemp("record") / "checkout")
        plan = n2.Plan(
            root=made.root,
            bundle=made.run().folder,
            experiment=experiment.load(made.root, "tiny"),
            programs=made.plan().programs,
            thresholds=thresholds.load(),
            limits=thresholds.load_nb_compare(),
            reports=made.root / "reports" / "n2",
        )
        return n2.parity_n2(plan).folder


@pytest.fixture
def record(record_once: Path, tmp_path: Path) -> Path:
    """A record of N2 to change."""
    return Path(shutil.copytree(record_once, tmp_path / "record"))


@pytest.fixture
def rehash() -> Callable[[Path], None]:
    """What somebody does who edits a bundle and knows about the hash list."""

    def run(folder: Path) -> None:
        names = [name for name in files_below(folder) if name not in {layout.HASHES, *layout.ADDED_LATER}]
        (folder / layout.HASHES).write_text(sha256_list(folder, names), encoding="utf-8")

    return run


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, Path]:
    """Two pairs of ed25519 keys as PEM files, as `openssl genpkey` and `openssl pkey -pubout` write them."""
    made = {}
    for name in ("own", "other"):
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        for kind, data in ((f"{name}.private", private), (f"{name}.public", public)):
            made[kind] = tmp_path / f"{kind}.pem"
            made[kind].write_bytes(data)
    return made
