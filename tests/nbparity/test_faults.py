"""What a machine does to a run: it is killed, disks fill, clocks are set, programs hang and rave.

Whatever happens, no folder looks like a bundle that is none, earlier bundles stay what they are, and
the next run is clean. The tests with the mark `faults` take long or need root: `nox -s faults`.
"""

import dataclasses
import datetime
import json
import os
import pickle
import random
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from nbparity import bundle, experiment, layout, n1, processes, programs, thresholds, verify
from nbparity.errors import ExitCode, NotWrittenError
from nbparity.hashing import files_below, sha256_of_file

KILLS = 50

# The peak is that of the program itself; getrusage would count the test that started it, too.
DRIVER = """import pickle, sys
from pathlib import Path
from nbparity import environment, n1, pictures
environment.cuda_devices = lambda python, root: (0, "no CUDA device")
if "without-pictures" in sys.argv:
    pictures.draw = lambda bundle, run, summary: []
plan = pickle.loads(Path(sys.argv[1]).read_bytes())
print("ready", flush=True)
print(n1.parity_n1(plan).verdict)
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


@pytest.fixture
def start(root, tmp_path):
    """Start a run as a process of its own and wait until its run begins; pictures are left out to be fast."""
    driver = tmp_path / "driver.py"
    driver.write_text(DRIVER, encoding="utf-8")

    def run(plan, pictures=False):
        path = tmp_path / "plan.pickle"
        path.write_bytes(pickle.dumps(plan))
        environment = {**os.environ, "PYTHONPATH": str(root)}
        process = subprocess.Popen(
            [sys.executable, str(driver), str(path), *([] if pictures else ["without-pictures"])],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout.readline() == "ready\n"
        return process

    return run


def snapshot(folder):
    """Every file below a folder with hash and time of change."""
    return {
        name: (sha256_of_file(folder / name), (folder / name).stat().st_mtime_ns)
        for name in files_below(folder)
    }


def kill_at_random_moments(start, plan, capsys, seed):
    """Kill that many runs somewhere between first and last step, looking at everything after each."""
    dice = random.Random(seed)
    begun = time.monotonic()
    assert start(plan).communicate()[0].splitlines()[0] == "C-PARITY-001"
    duration_s = time.monotonic() - begun
    earlier = {path.name: snapshot(path) for path in plan.reports.iterdir()}
    killed = unfinished = complete = 0
    while killed < KILLS:
        process = start(plan)
        time.sleep(dice.uniform(0, duration_s))
        process.kill()
        process.communicate()
        killed += process.returncode == -9
        for path in plan.reports.iterdir():
            if path.name.startswith("."):
                unfinished += 1
                assert verify.verify(path)
            elif path.name not in earlier:
                # Put into place before the signal came, or the run ended before it.
                complete += 1
                assert verify.verify(path) == []
                earlier[path.name] = snapshot(path)
        assert sum(path.name.startswith(".") for path in plan.reports.iterdir()) <= 1
    assert start(plan).communicate()[0].splitlines()[0] == "C-PARITY-001"
    left = sorted(path.name for path in plan.reports.iterdir())
    assert len(left) == len(earlier) + 1
    assert not any(name.startswith(".") for name in left)
    assert all(verify.verify(plan.reports / name) == [] for name in left)
    assert all(snapshot(plan.reports / name) == files for name, files in earlier.items())
    with capsys.disabled():
        print(
            f"\n{plan.experiment.id}: {killed} runs of {duration_s:.1f} s killed, seed {seed}: {unfinished}"
            f" left an unfinished folder, none accepted; {complete} bundles complete before the end;"
            " next run clean"
        )
    assert unfinished > KILLS / 2


@pytest.mark.faults
def test_killed_at_any_moment_nothing_looks_complete(site, start, capsys):
    """Programs of no duration, so that the moments fall on the harness: writing, hashing, sealing."""
    kill_at_random_moments(start, site.plan(), capsys, seed=1)


@pytest.mark.faults
def test_killed_at_any_moment_of_a_real_run(root, tmp_path, start, capsys):
    """The cro experiment with the programs of this checkout and images of 25 MB."""
    plan = n1.Plan(
        root=root,
        reports=tmp_path / "reports",
        experiment=experiment.load(root, "cro"),
        programs=programs.locate(root),
        thresholds=thresholds.load(),
    )
    kill_at_random_moments(partial(start, pictures=True), plan, capsys, seed=2)


def test_killed_once_the_next_run_is_clean(site, start):
    """The short form: what the killed run left is no bundle, and the next one removes it."""
    site.program("py", sleep=5)
    process = start(site.plan())
    deadline = time.monotonic() + 20
    while (
        not list(site.reports.glob(f".unfinished-*/{layout.image('c_spec')}")) and time.monotonic() < deadline
    ):
        time.sleep(0.01)
    process.kill()
    process.communicate()
    (left,) = site.bundles()
    assert verify.verify(left) == [f"{left}: unfinished, a run is building it or was killed"]
    site.program("py")
    assert site.bundles() and site.run().folder == site.bundles()[0]
    assert len(site.bundles()) == 1


def test_a_folder_that_a_living_run_is_building_is_left_alone(site):
    """Only what nobody holds is removed."""
    with bundle.building(site.reports) as building:
        finished = site.run().folder
        assert site.bundles() == sorted([building, finished])


def mounted(folder, *options):
    """Mount a small file system, or skip the test where that is not allowed."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
        reason = done.stderr.strip() if done.returncode else ""
    except FileNotFoundError:
        reason = "no mount program"
    if reason:
        pytest.skip(f"a tmpfs cannot be mounted here ({reason}): run nox -s faults as root")


@pytest.mark.faults
def test_a_full_disk_leaves_no_bundle_or_a_true_one(site, tmp_path, capsys):
    """For every size from nothing to enough: one line and nothing left, or a bundle that holds."""
    ends = []
    for number, kilobytes in enumerate([*range(4, 200, 4), 1000]):
        disk = tmp_path / f"disk{number}"
        mounted(disk, f"size={kilobytes}k")
        try:
            plan = dataclasses.replace(site.plan(), reports=disk / "reports")
            try:
                outcome = n1.parity_n1(plan)
            except NotWrittenError as error:
                assert "No space left on device" in str(error)
                assert list((disk / "reports").glob("*")) == list((disk / "reports").glob(".*")) == []
                ends.append("refused")
            else:
                assert verify.verify(outcome.folder) == []
                ends.append(outcome.verdict)
        finally:
            subprocess.run(["umount", str(disk)], check=True)
    with capsys.disabled():
        counts = ", ".join(f"{ends.count(end)} {end}" for end in sorted({*ends}))
        print(f"\nfull disk: {len(ends)} sizes: {counts}")
    assert ends[0] == "refused" and ends[-1] == "C-PARITY-001"


@pytest.mark.faults
def test_reports_that_are_read_only_are_an_error(site, tmp_path):
    """The earlier bundle in it stays what it is, and no program was run."""
    disk = tmp_path / "disk"
    mounted(disk, "size=10m")
    try:
        plan = dataclasses.replace(site.plan(), reports=disk)
        first = n1.parity_n1(plan).folder
        before = snapshot(first)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        site.program("c", say="it was run", status=1)
        with pytest.raises(NotWrittenError, match="no bundle can be written below .*Read-only file system"):
            n1.parity_n1(plan)
        assert snapshot(first) == before
        assert list(disk.iterdir()) == [first]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_clock_that_jumps_back_does_not_show(site, monkeypatch, summary_of):
    """Each look at the clock is an hour earlier: no time is negative, no bundle is replaced."""

    class Clock(datetime.datetime):
        looks = 0

        @classmethod
        def now(cls, tz=None):
            cls.looks += 1
            return datetime.datetime(2025, 10, 8, 12, tzinfo=tz) - datetime.timedelta(hours=cls.looks)

    monkeypatch.setattr(processes, "datetime", Clock)
    monkeypatch.setattr(bundle, "datetime", Clock)
    first = site.run().folder
    assert Clock.looks > 5
    before = snapshot(first)
    Clock.looks = 0
    second = site.run().folder
    assert (first.name, second.name) == ("20251008T110000Z", "20251008T110000Z-2")
    assert snapshot(first) == before
    for folder in (first, second):
        assert verify.verify(folder) == []
        assert all(0 <= timing["wall_s"] < 20 for timing in summary_of(folder)["timings"].values())
        run = json.loads((folder / layout.RUN).read_text(encoding="utf-8"))
        assert run["started"] < run["ended"]


def test_two_runs_at_once_do_not_meet(site, start, capsys):
    """Neither in the reports nor in the build folder, where make fails if another make is at work."""
    site.build_here()
    makefile = site.root / "golden_suite_generator" / "Makefile"
    makefile.write_text("all:\n\tmkdir building && sleep 1 && rmdir building\n", encoding="utf-8")
    both = [start(site.plan()), start(site.plan())]
    assert [process.communicate()[0].splitlines()[0] for process in both] == ["C-PARITY-001"] * 2
    assert len(site.bundles()) == 2
    assert all(verify.verify(path) == [] for path in site.bundles())


def test_a_build_that_outlives_its_run_is_waited_for(site, start):
    """Killed while make is at work: the next run must not build into the same folder beside it."""
    site.build_here()
    makefile = site.root / "golden_suite_generator" / "Makefile"
    makefile.write_text("all:\n\tmkdir building && sleep 1 && rmdir building\n", encoding="utf-8")
    process = start(site.plan())
    deadline = time.monotonic() + 20
    while not (makefile.parent / "building").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert site.run().verdict == "C-PARITY-001"


@pytest.mark.parametrize("name", ["c", "py"])
def test_a_program_that_hangs_is_killed_with_its_children(site, tmp_path, name):
    """Also a child in a session of its own; the bundle says what happened."""
    alive = tmp_path / "alive"
    site.program(name, historical=name == "c", sleep=60, child=str(alive))
    site.time_limit_s = 0.5
    outcome = site.run()
    assert outcome.exit_code == ExitCode.BLOCKED
    rows = layout.parse_commands((outcome.folder / layout.COMMANDS).read_text(encoding="utf-8"))
    assert next(row.status for row in rows if row.label == name) == -9
    log = (outcome.folder / layout.command_log(name)).read_text(encoding="utf-8")
    assert log.endswith("\nkilled after the time limit of 0.5 s\n")
    assert verify.verify(outcome.folder) == []
    time.sleep(1.5)
    assert not alive.exists()


@pytest.mark.parametrize("name", ["c", "spec", "py"])
@pytest.mark.parametrize(
    "behaviour",
    [{"bytes": 0}, {"bytes": 191}, {"pixel": (9, "nan")}, {"pixel": (9, "-inf")}, {"writes_nothing": True}],
    ids=["empty", "short", "nan", "inf", "none"],
)
def test_a_file_that_is_no_image_is_never_explained(site, name, behaviour):
    """Whichever program writes it, with an exit status of 0."""
    site.program(name, historical=name == "c", **behaviour)
    outcome = site.run()
    assert (outcome.verdict, outcome.exit_code) == ("UNEXPLAINED", ExitCode.UNEXPLAINED)
    assert verify.verify(outcome.folder) == []


@pytest.mark.faults
def test_a_program_that_prints_much_is_kept_whole(site, start, capsys):
    """A hundred megabytes of each C program, with its render time at the end, and not in memory."""
    quiet = int(start(site.plan()).communicate()[0].split()[1])
    site.program("c", historical=True, megabytes=100)
    site.program("spec", megabytes=100)
    verdict, peak = start(site.plan()).communicate()[0].split()
    folder = max(site.bundles(), key=lambda path: sum(file.stat().st_size for file in path.rglob("*")))
    assert verdict == "C-PARITY-001"
    assert (folder / layout.command_log("c")).stat().st_size > 100_000_000
    assert verify.verify(folder) == []
    summary = json.loads((folder / layout.SUMMARY).read_text(encoding="utf-8"))
    assert summary["timings"]["c_spec"]["render_s"] == 0.25
    with capsys.disabled():
        print(f"\n100 MB of output from each of four runs: peak {peak} KiB, {quiet} KiB without")
    assert int(peak) < quiet + 50_000


def test_a_program_that_prints_without_end_is_stopped(site):
    """Before the disk is full, and the bundle says so."""
    site.program("py", megabytes=10_000)
    plan = site.plan()
    plan = dataclasses.replace(plan, thresholds=dataclasses.replace(plan.thresholds, max_log_bytes=1_000_000))
    outcome = n1.parity_n1(plan)
    assert outcome.exit_code == ExitCode.BLOCKED
    log = outcome.folder / layout.command_log("py")
    assert log.read_bytes().endswith(b"\nkilled after more than 1000000 bytes of output\n")
    assert log.stat().st_size < 500_000_000
    assert (outcome.folder / layout.ANALYSIS).stat().st_size < 100_000
    assert verify.verify(outcome.folder) == []
    shutil.rmtree(Path(outcome.folder))
