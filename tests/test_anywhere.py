"""The conditions of ``nox -s tests_anywhere`` are other ones than ours, and complete."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def anywhere(root: Path) -> Iterator[ModuleType]:
    """The script that runs the legs."""
    spec = importlib.util.spec_from_file_location("anywhere", root / "tests" / "anywhere.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["anywhere"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["anywhere"]


def test_every_variable_has_another_value(
    anywhere: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that environment.toml gets, and nobody tries, could decide a test unseen."""
    monkeypatch.setattr(anywhere, "auditor", lambda scratch: scratch / "auditor.so")
    values = anywhere.other_values(tmp_path)
    tables = anywhere.TABLES
    named = [name for table in ("recorded", "recorded_if_set", "removed") for name in tables[table]["names"]]
    assert set(values) == {*tables["pinned"], *named}
    assert not set(values.items()) & set(tables["pinned"].items())


def test_the_oldest_torch_is_that_of_the_package(anywhere: ModuleType) -> None:
    """What pyproject.toml admits is what is tried."""
    assert anywhere.oldest_torch().startswith("torch==2.")


def test_a_leg_that_was_not_run_is_no_success(
    anywhere: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has a row that says why, and the exit status says so."""

    def cannot(scratch: Path) -> None:
        raise anywhere.CannotRunError("pip cannot install torch")

    monkeypatch.setitem(anywhere.LEGS, "torch-newest", cannot)
    monkeypatch.setattr(sys, "argv", ["anywhere.py", "torch-newest", "--seed", "7", "--", "-q"])
    assert anywhere.main() == 1
    printed = capsys.readouterr().out
    assert "--seed 7\n" in printed
    assert "| torch-newest | - | - | - | 0 | FAIL | NOT RUN: pip cannot install torch |\n" in printed
