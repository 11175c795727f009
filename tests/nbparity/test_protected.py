import pytest

from nbparity import protected, provenance
from nbparity.errors import UsageError


def test_the_list_of_the_repository_covers_what_must_not_change(root):
    """Locks, specification, programs, limits, experiments and their inputs are all on it."""
    names = protected.hashes(root)
    for name in (
        "requirements/dev.txt",
        "specs/physics.md",
        "nbparity/thresholds.toml",
        "golden_suite_generator/experiments/cro.toml",
        "golden_suite_generator/experiments/cro/cro.hkl",
    ):
        assert name in names
    assert provenance.source_hashes(root).items() <= names.items()


def test_only_the_section_counts_and_variables_are_replaced(site, monkeypatch, tmp_path):
    """A default stands in for a variable that is not set."""
    monkeypatch.delenv("NB_FAKE_DIR", raising=False)
    assert protected.globs(site.root) == ["requirements/*.txt", "golden/*"]
    assert set(protected.hashes(site.root)) == {"requirements/cpu.txt", "golden/a.txt"}
    monkeypatch.setenv("NB_FAKE_DIR", str(tmp_path / "nothing here"))
    assert set(protected.hashes(site.root)) == {"requirements/cpu.txt"}


def test_changed_new_and_removed_files_are_named():
    """Each of them is a change."""
    before, after = {"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "0", "d": "4"}
    assert protected.changes(before, after) == ["b", "c", "d"]


def test_an_index_without_the_list_is_an_error(site):
    """Nothing protected by accident."""
    (site.root / "docs" / "index.md").write_text("# Documents\n", encoding="utf-8")
    with pytest.raises(UsageError, match="expected a section 'Protected assets'"):
        protected.globs(site.root)
    (site.root / "docs" / "index.md").unlink()
    with pytest.raises(UsageError, match="cannot be read"):
        protected.globs(site.root)


def test_locks_pin_every_file_and_name_no_place(root):
    """Each package has an exact version and hashes; where files come from is the user's affair."""
    for path in (root / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "#    nox -s lock\n" in text
        requirements = [line for line in text.splitlines() if line and line[0] not in "# "]
        assert requirements
        assert all("==" in line and line.endswith("\\") for line in requirements), path
        assert "://" not in text
