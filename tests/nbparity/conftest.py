"""A small checkout with fake programs, so that the harness is tested without a simulator or a compiler."""

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nbparity import causes, environment, experiment, n1, programs, thresholds

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
print("render time = 0.25 s")
"""

PYTEST = """import sys
print("collected" if "--collect-only" in sys.argv else "============ {line} in 0.01s ============")
sys.exit({status})
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


@dataclass
class Site:
    """A checkout in a temporary folder; ``run`` runs n1 in it."""

    root: Path
    replaced: dict[str, str] = field(default_factory=dict)
    pytest_line: str = "2 passed"
    pytest_status: int = 0
    time_limit_s: float = 20.0

    @property
    def reports(self) -> Path:
        return self.root / "reports" / "campaign" / "phase" / "nb_compare"

    def program(self, name: str, **behaviour: Any) -> Path:
        """Write a fake program."""
        path = self.root / "programs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(PROGRAM.format(python=sys.executable, behaviour=behaviour), encoding="utf-8")
        path.chmod(0o755)
        return path

    def plan(self) -> n1.Plan:
        fake_pytest = self.root / "fake_pytest.py"
        fake_pytest.write_text(
            PYTEST.format(line=self.pytest_line, status=self.pytest_status), encoding="utf-8"
        )
        names = {
            name: self.replaced.get(name) or str(self.root / "programs" / name)
            for name in ("c", "spec", "py")
        }
        return n1.Plan(
            root=self.root,
            reports=self.reports,
            experiment=experiment.load(self.root, "tiny"),
            programs=programs.locate(self.root, c_bin=names["c"], spec_bin=names["spec"], py_bin=names["py"]),
            thresholds=thresholds.load(),
            pytest_command=(str(fake_pytest),),
            time_limit_s=self.time_limit_s,
        )

    def run(self) -> n1.Outcome:
        return n1.parity_n1(self.plan())

    def bundles(self) -> list[Path]:
        """Every entry of the reports folder, hidden ones included."""
        return sorted(self.reports.iterdir()) if self.reports.is_dir() else []


@pytest.fixture
def site(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A checkout in which the three programs agree as they should."""
    monkeypatch.setattr(environment, "cuda_devices", lambda python, root: (0, "no CUDA device"))
    made = Site(root=tmp_path / "checkout")
    folder = made.root / experiment.FOLDER
    (folder / "tiny").mkdir(parents=True)
    (folder / "tiny" / "data.txt").write_text("1 0 0 5\n", encoding="utf-8")
    sha256 = hashlib.sha256(b"1 0 0 5\n").hexdigest()
    (folder / "tiny.toml").write_text(EXPERIMENT.format(sha256=sha256), encoding="utf-8")
    known_causes = (root / causes.FILE).read_text(encoding="utf-8")
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
