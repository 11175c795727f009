import dataclasses
import os
import shutil
import subprocess
import sys

import pytest

from nbparity import container, layout, verify
from nbparity.__main__ import main
from nbparity.errors import BlockedError, ExitCode, UsageError

IMAGE = "inputs/py_float.bin"


@dataclasses.dataclass
class Job:
    """What the command asks a container for."""

    tag: str
    command: tuple[str, ...]
    reports: object = None
    c_bin: object = None
    gpus: bool = False


@pytest.fixture
def ours(site, made_once):
    """A bundle of the checkout's own programs, in place of which a replay may find others."""
    site.build_here()
    return site.adopt(made_once(True))


def differing(found):
    return {part.name: part.differences for part in found.parts if part.differences}


def test_the_same_comes_out_again(site, sealed):
    """Digest and every part; the bundle itself is only read."""
    before = {path: path.stat().st_mtime_ns for path in sealed.rglob("*")}
    found = site.replay(sealed)
    assert found.reproduced and not differing(found)
    assert found.recorded == found.found
    assert {path: path.stat().st_mtime_ns for path in sealed.rglob("*")} == before
    assert verify.verify(found.folder) == []


@pytest.mark.parametrize("threads", [2, 7])
@pytest.mark.parametrize("capability", ["default", "avx2", "avx512"])
def test_threads_and_vector_instructions_may_differ(site, sealed, monkeypatch, threads, capability):
    """They are recorded, and nothing depends on them."""
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", capability)
    found = site.replay(sealed, threads=threads)
    assert found.reproduced
    assert f"OMP_NUM_THREADS: {threads}\n" in (found.folder / layout.ENV).read_text(encoding="utf-8")


def test_it_works_in_another_checkout(site, sealed, tmp_path):
    """The commands of the bundle name places that are not there any more."""
    moved = site.root.rename(tmp_path / "elsewhere")
    elsewhere = dataclasses.replace(site, root=moved)
    found = elsewhere.replay(moved / sealed.relative_to(site.root))
    assert found.reproduced


def test_the_arguments_are_those_of_the_bundle(site, sealed):
    """An experiment that was changed in the meantime is not what ran."""
    path = site.root / "golden_suite_generator" / "experiments" / "tiny.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("1e18", "2e18"), encoding="utf-8")
    assert site.replay(sealed).reproduced


def test_another_pixel_is_named_with_its_distance(site, ours):
    """And the figures that follow from it, from the value in the bundle to the one of the replay."""
    site.program("py", pixel=(9, 12.000001))
    found = site.replay(ours)
    assert not found.reproduced
    changed = differing(found)
    # py and c_spec part, so the known causes are tried on them
    tried = {layout.ablated_roi(name, "FLUENCE-IGNORED") for name in ("py", "c_spec")}
    assert set(changed) == {IMAGE, layout.SUMMARY, *tried}
    assert changed[IMAGE][0].startswith("1 of 48 pixels differ, by up to 1 ULP")
    assert "-pairs.py_vs_c_spec.differing_pixels: 0" in changed[layout.SUMMARY]
    assert "+pairs.py_vs_c_spec.differing_pixels: 1" in changed[layout.SUMMARY]


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ({"bytes": 100}, "py_float.bin holds 100 bytes, expected 192 for 6 x 8 pixels"),
        ({"pixel": (9, "nan")}, "1 of 48 pixels differ; non-finite pixels: 1 in the first image"),
        ({"writes_nothing": True}, "not there in the replay"),
    ],
)
def test_an_image_that_cannot_be_compared_is_named(site, ours, behaviour, said):
    """In words, where figures have no meaning."""
    site.program("py", **behaviour)
    assert differing(site.replay(ours))[IMAGE][0].startswith(said)


def test_another_environment_is_named_row_by_row(site, sealed, monkeypatch):
    """The images came out again; that is said by their not being named."""
    monkeypatch.setenv("NPY_DISABLE_CPU_FEATURES", "AVX2")
    (site.root / "requirements" / "cpu.txt").write_text("another lock\n", encoding="utf-8")
    changed = differing(site.replay(sealed))
    assert set(changed) == {layout.ENV}
    assert "+NPY_DISABLE_CPU_FEATURES: AVX2" in changed[layout.ENV]
    assert sum(row.startswith(("-lock cpu.txt", "+lock cpu.txt")) for row in changed[layout.ENV]) == 2


def test_a_bundle_of_an_image_is_replayed_in_that_image(site, monkeypatch, capsys):
    """Inside of it as any other, elsewhere in a container of it, which makes the same bundle."""
    monkeypatch.setenv("NB_IMAGE_DIGEST", "sha256:1234")
    folder = site.run().folder
    assert site.replay(folder).reproduced
    monkeypatch.delenv("NB_IMAGE_DIGEST")
    jobs = []

    def run(client, job, out):
        jobs.append(job)
        with pytest.MonkeyPatch.context() as inside:
            inside.setenv("NB_IMAGE_DIGEST", "sha256:1234")
            made = site.run().folder
        shutil.copytree(made, job.reports / "campaign" / made.name)
        return 0

    monkeypatch.setattr(container, "connect", lambda: "client")
    monkeypatch.setattr(container, "tag_of", lambda client, digest: f"nbparity:{digest.partition(':')[2]}")
    monkeypatch.setattr(container, "run", run)
    monkeypatch.setattr(container, "job", lambda root, tag, command, **others: Job(tag, command, **others))
    assert main(["replay", str(folder), "--root", str(site.root), "--py-threads", "3"]) == ExitCode.OK
    assert capsys.readouterr().out.splitlines()[-2] == "reproduced: 9 of 9 parts"
    assert (jobs[0].tag, jobs[0].command) == ("nbparity:1234", ("--experiment=tiny", "--py-threads=3"))
    assert main(["replay", str(folder), "--root", str(site.root), "--inputs", "x"]) == ExitCode.USAGE
    assert "not possible for a bundle of an image" in capsys.readouterr().err


def test_a_container_that_leaves_no_bundle_is_named(site, monkeypatch, capsys):
    """There is nothing to compare then."""
    monkeypatch.setenv("NB_IMAGE_DIGEST", "sha256:1234")
    folder = site.run().folder
    monkeypatch.delenv("NB_IMAGE_DIGEST")
    monkeypatch.setattr(container, "connect", lambda: "client")
    monkeypatch.setattr(container, "tag_of", lambda client, digest: "nbparity:cpu")
    monkeypatch.setattr(container, "run", lambda client, job, out: 0)
    monkeypatch.setattr(container, "job", lambda root, tag, command, **others: Job(tag, command, **others))
    assert main(["replay", str(folder), "--root", str(site.root)]) == ExitCode.BLOCKED
    assert "the container left 0 bundles, expected 1" in capsys.readouterr().err


def test_a_program_of_the_users_own_has_to_be_the_same(site):
    """By its hash, wherever it lies."""
    own = site.program("own", historical=True)
    site.replaced["c"] = str(own)
    folder = site.run().folder
    assert site.replay(folder).reproduced
    moved = shutil.copy(own, site.root / "programs" / "moved")
    site.replaced["c"] = str(moved)
    assert site.replay(folder).reproduced
    site.program("own", historical=True, factor=2)
    site.replaced["c"] = str(own)
    with pytest.raises(BlockedError, match="program c of the bundle is .*name it with --c-bin"):
        site.replay(folder)


def test_inputs_may_lie_elsewhere(site, sealed, tmp_path, capsys):
    """They are the same by their hashes, which the replay checks."""
    folder = site.root / "golden_suite_generator" / "experiments" / "tiny"
    elsewhere = folder.rename(tmp_path / "inputs")
    assert site.replay(sealed, inputs=elsewhere).reproduced
    assert main(["replay", str(sealed), "--root", str(site.root)]) == ExitCode.BLOCKED


def test_a_blocked_run_cannot_be_replayed(site):
    """There is nothing to compare with."""
    site.program("py", status=9)
    with pytest.raises(UsageError, match="a bundle of a blocked run, expected a complete one"):
        site.replay(site.run().folder)


def test_the_command_line_says_reproduced_last(site, stand_ins, capsys):
    """With the digest, which is the one that the run printed last."""
    site.build_here()
    run = ["n1", "--root", str(site.root), *site.bins(), "--experiment", "tiny", "--campaign", "a"]
    assert main(run) == ExitCode.OK
    printed = capsys.readouterr().out.splitlines()
    folder = next((site.root / "reports" / "a").glob("*/*/2*"))
    again = ["replay", str(folder), "--root", str(site.root), *site.bins(), "--py-threads", "2"]
    assert main([*again, "--keep", str(site.root / "kept")]) == ExitCode.OK
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == ["reproduced: 9 of 9 parts", printed[-1].strip()]
    assert verify.verify(next((site.root / "kept").iterdir())) == []
    site.program("py", factor=3)
    assert main(again) == ExitCode.UNEXPLAINED
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].startswith("not reproduced: ")
    assert IMAGE in lines[-2] and layout.SUMMARY in lines[-2]


def test_a_changed_bundle_is_not_replayed(site, sealed, capsys):
    """What it says it ran may not be what ran."""
    (sealed / layout.RUN).write_text("{}", encoding="utf-8")
    assert main(["replay", str(sealed), "--root", str(site.root), *site.bins()]) == ExitCode.NOT_INTACT
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.slow
def test_a_real_bundle_is_reproduced_with_any_threads_and_vector_instructions(root, tmp_path, capsys):
    """The cro experiment; threads and instructions of the simulator vary, c always has one thread."""
    assert main(["n1", "--experiment", "cro", "--reports", str(tmp_path)]) == ExitCode.OK
    own = capsys.readouterr().out.splitlines()[-1].strip()
    (folder,) = tmp_path.glob("*/*/nb_compare/2*")
    for threads, capability in (("1", "default"), ("2", "default"), ("2", "avx2"), ("3", "avx512")):
        command = [sys.executable, "-m", "nbparity", "replay", str(folder), "--py-threads", threads]
        variables = {**os.environ, "ATEN_CPU_CAPABILITY": capability}
        done = subprocess.run(command, cwd=root, env=variables, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.splitlines()[-2:] == ["reproduced: 9 of 9 parts", own]
