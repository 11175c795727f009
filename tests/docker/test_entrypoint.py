"""What a container runs for which arguments."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("arguments", "tail"),
    [
        ([], ["--session", "parity_n1"]),
        (["parity_n1", "--", "--experiment", "cro"], ["parity_n1", "--", "--experiment", "cro"]),
        (["tests"], ["--session", "tests"]),
        (["golden", "--case", "x"], ["golden", "--", "--case", "x"]),
    ],
)
def test_sessions_run_in_the_checkout(entrypoint, arguments, tail):
    """With or without the two dashes."""
    command, folder = entrypoint.command(arguments)
    assert command[0] == "nox" and command[-len(tail) :] == tail and folder == entrypoint.ROOT


def test_programs_run_where_the_caller_is(entrypoint, root, tmp_path):
    """Their file names are relative to that folder."""
    command, folder = entrypoint.command(["nanobrag_torch", "-h"])
    assert command[-1] == "-h" and folder is None
    done = subprocess.run(
        [sys.executable, *command[1:]], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(root)}, check=True
    )
    assert done.returncode == 0
    assert entrypoint.command(["python", "-c", "x"]) == (["python", "-c", "x"], None)


def test_a_result_without_a_place_is_refused(entrypoint, monkeypatch, capsys):
    """An hour's work must not vanish with the container."""
    monkeypatch.setattr(os.path, "ismount", lambda path: False)
    monkeypatch.setattr(os, "execvp", lambda *_: pytest.fail("it started"))
    assert entrypoint.main(["parity_n1"]) == 3
    assert "nothing is mounted at /reports" in capsys.readouterr().err


def test_an_option_is_no_session(entrypoint, capsys):
    """Docker run nbparity:cpu --image cpu is a mistake worth a sentence."""
    assert entrypoint.main(["--image", "cpu"]) == 2
    assert "expected the name of a session" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "mounted", "expected"),
    [
        (["nanobrag_torch"], {"/data"}, "/data"),
        (["nanobrag_torch"], {"/data", "/reports"}, "/data"),
        (["nanobrag_torch"], {"/reports"}, "/reports"),
        (["parity_n1"], {"/data", "/reports"}, "/reports"),
        (["tests"], set(), None),
    ],
)
def test_files_belong_to_the_owner_of_the_folder(entrypoint, monkeypatch, arguments, mounted, expected):
    """A script writes where it is started, if the caller mounted that; a session below /reports."""
    owners = {"/data": (501, 20), "/reports": (1000, 100)}
    monkeypatch.setattr(os.path, "ismount", lambda path: str(path) in mounted | {"/"})
    monkeypatch.setattr(entrypoint.Path, "cwd", lambda: entrypoint.Path("/data/run"))

    def stat(path):
        uid, gid = owners[str(path).removesuffix("/run")]
        return os.stat_result((0, 0, 0, 0, uid, gid, 0, 0, 0, 0))

    monkeypatch.setattr(entrypoint.Path, "stat", stat)
    _, folder = entrypoint.command(arguments)
    unprivileged = (entrypoint.UNPRIVILEGED,) * 2
    assert entrypoint.owner(folder) == (owners[expected] if expected else unprivileged)
