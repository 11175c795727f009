import gzip
import hashlib
import json
import subprocess

import pytest

from nbparity import bundle, digest, layout, verify
from nbparity.__main__ import main
from nbparity.errors import ExitCode


def test_it_is_the_hash_of_what_is_printed_as_its_parts(sealed, capsys):
    """Anyone can make it with sha256sum."""
    assert main(["digest", str(sealed)]) == ExitCode.OK
    printed = capsys.readouterr().out.strip()
    assert main(["digest", "--parts", str(sealed)]) == ExitCode.OK
    text = capsys.readouterr().out
    assert printed == hashlib.sha256(text.encode()).hexdigest()
    names = [line.split("  ")[1] for line in text.splitlines()]
    assert names == sorted(names)
    images = {f"inputs/{name}_float.bin" for name in layout.IMAGES}
    assert {layout.ENV, layout.VERSION, layout.GIT, layout.SUMMARY, *images} < set(names)
    image = gzip.decompress((sealed / layout.image("py")).read_bytes())
    assert f"{hashlib.sha256(image).hexdigest()}  inputs/py_float.bin\n" in text


def test_how_an_image_was_packed_is_not_in_it(sealed):
    """Another zlib makes another file of the same image; the bundle holds, and its digest is the same."""
    path, before = sealed / layout.image("py"), digest.read(sealed)
    other = gzip.compress(gzip.decompress(path.read_bytes()), 0, mtime=1)
    assert other != path.read_bytes()
    path.write_bytes(other)
    bundle.seal(sealed)
    assert verify.verify(sealed) == []
    assert digest.read(sealed) == before


def test_it_is_the_same_for_every_run(site, sealed):
    """Times, machine and threads are not in it; analysis and ledger entry state it."""
    first, second = sealed, site.run().folder
    assert digest.read(first) == digest.read(second) is not None
    for name in (layout.ANALYSIS, layout.LEDGER):
        assert digest.read(first) in (first / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "free"), [("ATEN_CPU_CAPABILITY", True), ("MKL_DYNAMIC", False)])
def test_variables_that_no_image_depends_on_are_free(site, monkeypatch, name, free):
    """Others are part of the environment that is to be the same."""
    monkeypatch.delenv(name, raising=False)
    first = site.run().folder
    monkeypatch.setenv(name, "default")
    second = site.run().folder
    assert (first / layout.ENV).read_bytes() != (second / layout.ENV).read_bytes()
    assert (digest.read(first) == digest.read(second)) is free


@pytest.mark.parametrize("program", ["c", "spec", "py"])
def test_one_pixel_of_any_image_shows(site, sealed, program):
    """Whatever it does to the verdict."""
    site.program(program, historical=program == "c", pixel=(9, 12.5))
    assert digest.read(site.run().folder) != digest.read(sealed)


def test_a_version_shows(site, sealed):
    """The same images by other programs are another bundle."""
    site.program("py", version_text="fake 2.0")
    assert digest.read(site.run().folder) != digest.read(sealed)


def test_a_blocked_run_has_none(site, capsys):
    """Nothing of it has to come out again."""
    site.program("py", status=9)
    folder = site.run().folder
    assert digest.read(folder) is None
    assert "bundle digest: none, the run was blocked\n" in (folder / layout.LEDGER).read_text(
        encoding="utf-8"
    )
    assert main(["digest", str(folder)]) == ExitCode.USAGE
    assert "the bundle of a blocked run has no digest" in capsys.readouterr().err


def test_a_bundle_that_does_not_hold_has_none(sealed, capsys):
    """A digest printed is a digest that stands."""
    (sealed / layout.MACHINE).write_text("another\n", encoding="utf-8")
    assert main(["digest", str(sealed)]) == ExitCode.NOT_INTACT


def test_the_files_of_the_ledger_are_left_out_of_the_commit(site, plain_git):
    """They are written after a run and decide nothing; every other path shows with its content."""
    git = ["git", "-C", str(site.root), "-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    (site.root / ".gitignore").write_text("/reports/\n", encoding="utf-8")
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "start"], check=True)
    clean = digest.read(site.run().folder)
    (site.root / "docs" / "fix_plan.md").write_text("# Ledger\n", encoding="utf-8")
    assert digest.read(site.run().folder) == clean
    found = {clean}
    for content in ("a", "b"):
        (site.root / "docs" / "note.md").write_text(content, encoding="utf-8")
        folder = site.run().folder
        assert verify.verify(folder) == []
        found.add(digest.read(folder))
    assert len(found) == 3


def test_what_only_some_machines_have_is_left_out_of_the_figures(sealed):
    """Counts of data that are not part of the repository, and the pair of a GPU."""
    summary = json.loads((sealed / layout.SUMMARY).read_text(encoding="utf-8"))
    own = digest.digest(sealed, summary)
    summary["timings"]["py"]["wall_s"] += 1
    summary["tests"].update(status="passed in part", counts={"passed": 1, "skipped": 1}, skips=["why"])
    summary["protected_assets"]["files"] += 1
    summary["pairs"]["py_cuda_vs_c_spec"] = dict(summary["pairs"]["py_vs_c_spec"])
    assert digest.digest(sealed, summary) == own
    summary["tests"]["failed"] = True
    assert digest.digest(sealed, summary) != own
    summary["tests"]["failed"] = False
    summary["pairs"]["py_vs_c"]["rmse"] += 1e-9
    assert digest.digest(sealed, summary) != own
