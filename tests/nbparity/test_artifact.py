import re
import subprocess
import sys

import pytest

from nbparity import artifact, bundle, layout, verify
from nbparity.__main__ import main
from nbparity.errors import BlockedError, ExitCode
from nbparity.hashing import files_below


def test_the_report_comes_first_and_the_bundle_stays_whole(site, sealed, tmp_path, capsys):
    """What was collected is the bundle, in a folder with the name of its experiment."""
    reports = site.root / "reports"
    status = main(["artifact", "--reports", str(reports), "--into", str(tmp_path / "artifact")])
    printed = capsys.readouterr().out.splitlines()
    assert status == ExitCode.OK
    first = [name for name in artifact.FIRST if (sealed / name).is_file()]
    assert printed[: len(first)] == [f"tiny/{name}" for name in first]
    assert sorted(printed) == [f"tiny/{name}" for name in files_below(sealed)]
    listed = (tmp_path / "artifact" / artifact.FILE_LIST).read_text(encoding="utf-8")
    assert listed.splitlines() == printed
    assert verify.verify(tmp_path / "artifact" / "tiny") == []


def test_the_first_of_each_bundle_comes_before_the_rest(site, sealed):
    """With a report for each, all reports; with two of one experiment, each under its own name."""
    second = site.run().folder
    for folder in (sealed, second):
        (folder / "results" / "report.html").write_text("<html>", encoding="utf-8")
    listed = artifact.file_list([sealed, second])
    assert listed[:2] == [f"tiny-{folder.name}/results/report.html" for folder in (sealed, second)]
    assert listed[2] == f"tiny-{sealed.name}/{layout.ANALYSIS}"


def test_the_newest_bundle_is_collected_also_if_it_failed(site, sealed, monkeypatch):
    """A failed run is what one wants to look at; an unfinished one is no bundle."""
    monkeypatch.setattr(bundle, "stamp", lambda: "20990101T000000Z")
    site.program("py", status=9)
    blocked = site.run().folder
    (site.reports / ".unfinished-x" / "inputs").mkdir(parents=True)
    (site.reports / ".unfinished-x" / "inputs" / "run.json").write_text("{}", encoding="utf-8")
    assert artifact.newest(site.reports) == [blocked]
    assert artifact.finished(site.reports) == [sealed, blocked]


def test_a_damaged_bundle_is_collected_under_its_own_name(site, sealed, tmp_path):
    """Evidence of damage is evidence."""
    (sealed / layout.RUN).write_text("{", encoding="utf-8")
    files = artifact.collect(artifact.newest(site.reports), tmp_path / "artifact")
    assert files[0] == f"{sealed.name}/{layout.REPORT}"


@pytest.mark.parametrize("lost", [{layout.RUN}, {layout.INPUT_HASHES}, {layout.RUN, layout.INPUT_HASHES}])
def test_a_bundle_that_lost_files_is_not_passed_over(site, sealed, lost):
    """Where all bundles are verified it is among them; one in the folder of a killed run is not."""
    for name in lost:
        (sealed / name).unlink()
    site.run().folder.rename(site.reports / ".unfinished-x")
    assert artifact.finished(site.root / "reports") == [sealed]


def test_what_was_collected_before_is_gone(sealed, tmp_path):
    """Two bundles must not mix."""
    (tmp_path / "artifact" / "other").mkdir(parents=True)
    (tmp_path / "artifact" / "other" / "file").write_text("", encoding="utf-8")
    artifact.collect([sealed], tmp_path / "artifact")
    assert sorted(path.name for path in (tmp_path / "artifact").iterdir()) == [artifact.FILE_LIST, "tiny"]


def test_nothing_to_collect_is_blocked(tmp_path):
    """With the way to get something."""
    with pytest.raises(BlockedError, match="no bundle below it, expected at least one: nox -s parity_n1"):
        artifact.newest(tmp_path)


def test_the_workflow_runs_sessions_that_exist_and_always_uploads(root):
    """The same sessions as anywhere else; the steps after the run do not depend on its outcome."""
    text = (root / ".github" / "workflows" / "parity.yml").read_text(encoding="utf-8")
    used = re.findall(r"nox -s (\w+)", text)
    assert {"artifact", "verify"} < set(used)
    command = [sys.executable, "-m", "nox", "--list", "-s", *used]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    steps = re.split(r"^      - ", text, flags=re.MULTILINE)
    (upload,) = (step for step in steps if "uses: actions/upload-artifact@" in step)
    (collect,) = (step for step in steps if "nox -s artifact" in step)
    assert "!cancelled()" in upload and "!cancelled()" in collect
    assert "path: build/artifact/" in upload
    (default,) = re.findall(r"default: (build/\w+)", main_help())
    assert default == "build/artifact"


def main_help():
    command = [sys.executable, "-m", "nbparity", "artifact", "--help"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
