import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from nbparity import digest, environment


def test_children_get_the_pinned_environment(root, monkeypatch):
    """Whatever the user has set, except the number of threads asked for."""
    for name in environment.free_names():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    child = environment.child_environment(root)
    assert {name: child[name] for name in environment.pinned()} == environment.pinned()
    assert child["PYTHONPATH"].split(":")[0] == str(root)
    assert environment.child_environment(root, threads=2)["OMP_NUM_THREADS"] == "2"


def test_env_records_overrides_and_locks(root, monkeypatch):
    """What changes arithmetic without being set by us is in the record."""
    monkeypatch.setenv("OMP_DYNAMIC", "TRUE")
    monkeypatch.delenv("LD_PRELOAD", raising=False)
    text = environment.env_text(root)
    for line in ("OMP_DYNAMIC: TRUE", "LD_PRELOAD: not set", "lock cpu.txt: ", "image: host"):
        assert line in text
    assert str(root) not in text


def rows(text):
    return [line.partition(":")[0] for line in text.splitlines()]


def test_what_brings_other_code_is_recorded_where_it_is_set(root, monkeypatch):
    """One row for each; none where it is not, so that the file is the same on every ordinary machine."""
    for name in ("LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "OPENBLAS_CORETYPE", "LD_AUDIT"):
        monkeypatch.delenv(name, raising=False)
    usual = environment.env_text(root)
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/lib")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    text = environment.env_text(root)
    assert set(text.splitlines()) - set(usual.splitlines()) == {
        "LD_LIBRARY_PATH: /opt/lib",
        "OPENBLAS_CORETYPE: Haswell",
    }
    assert set(usual.splitlines()) <= set(text.splitlines())
    assert digest.reproducible_environment(text) != digest.reproducible_environment(usual)


@pytest.mark.parametrize(
    ("set_to", "row"), [("{root}", None), (".:{root}:", None), ("{root}:/x:/y", "/x:/y")]
)
def test_a_path_of_packages_goes_on_working_and_is_recorded(root, monkeypatch, set_to, row):
    """The checkout comes first in any case; what else is looked at is named."""
    value = set_to.format(root=root)
    monkeypatch.setenv("PYTHONPATH", value)
    assert environment.child_environment(root)["PYTHONPATH"] == f"{root}:{value}"
    text = environment.env_text(root)
    assert environment.value_of(text, "PYTHONPATH") == row if row else "PYTHONPATH" not in rows(text)


def test_what_chooses_other_tests_reaches_no_process(root, monkeypatch):
    """The command says which tests ran, and nothing beside it."""
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTHONOPTIMIZE"):
        monkeypatch.setenv(name, "1")
        assert name not in environment.child_environment(root)


def test_a_variable_is_in_one_table_of_the_file():
    """Pinned, recorded or removed; what is free of the digest is one of the first two."""
    tables = tomllib.loads(environment.FILE.read_text(encoding="utf-8"))
    names = [*tables["pinned"]]
    names += [name for table in ("recorded", "recorded_if_set", "removed") for name in tables[table]["names"]]
    assert len(names) == len(set(names)) and environment.free_names() <= set(names)


def test_no_variable_adds_a_row(root, monkeypatch):
    """A line end in a value must not become a claim of its own."""
    monkeypatch.setenv("LD_PRELOAD", "x.so\nimage: sha256:0")
    text = environment.env_text(root)
    assert environment.value_of(text, "image") == "host"
    assert "LD_PRELOAD: 'x.so\\nimage: sha256:0'\n" in text


def test_the_free_rows_are_rows(root, monkeypatch):
    """A row that the digest leaves out by another name would be in it. Some are there only if set."""
    for name in environment.free_names():
        monkeypatch.setenv(name, "1")
    assert environment.free_names() <= set(rows(environment.env_text(root)))


def test_values_are_read_back(root):
    """With the colons and spaces they may hold."""
    text = environment.env_text(root)
    assert environment.value_of(text, "image") == "host"
    assert set(environment.locks(text)) == {"cpu.txt", "cuda.txt", "dev.txt"}


@pytest.mark.parametrize("row", ["", "M a", f"M {'0' * 64} a", f" M {'0' * 63} a", f" M {'0' * 64} "])
def test_a_row_of_changes_has_status_hash_and_name(row):
    """Anything else is not of the file's format."""
    with pytest.raises(ValueError, match="expected '<status> <sha256> <path>'"):
        environment.parse_changed(row)
    read = environment.parse_changed(f"?? {'0' * 64} a name: with all\n")
    assert (read.status, read.sha256, read.name) == ("??", "0" * 64, "a name: with all")


def test_a_folder_without_git_says_so(tmp_path):
    """An image or an archive is no checkout."""
    assert environment.git_text(tmp_path) == "commit: none (not a git checkout, or no commit yet)\n"


def test_a_torch_that_cannot_be_asked_means_no_device(tmp_path):
    """The reason is the one that Python gives."""
    count, reason = environment.cuda_devices("/nonexistent/python", tmp_path)
    assert (count, reason.startswith("torch could not be asked: ")) == (0, True)
    (tmp_path / "torch.py").write_text("raise ImportError('broken torch')\n", encoding="utf-8")
    assert environment.cuda_devices(sys.executable, tmp_path) == (
        0,
        "torch could not be asked: ImportError: broken torch",
    )


def test_devices_are_counted_by_torch_itself(tmp_path):
    """In a process of its own, so that the harness never imports torch."""
    (tmp_path / "torch.py").write_text(
        "class cuda:\n is_available = staticmethod(lambda: True)\n device_count = staticmethod(lambda: 2)\n",
        encoding="utf-8",
    )
    assert environment.cuda_devices(sys.executable, tmp_path) == (2, "")
    assert "torch" not in vars(environment)


def test_the_machine_has_its_own_file():
    """Processor and kernel are not in env.txt."""
    names = [line.split(":")[0] for line in environment.machine_text().splitlines()]
    assert names == ["processor", "cores usable", "memory", "kernel", "architecture", "gpu"]


def sines(**variables):
    """Digest of many sines as the C library computes them under some variables."""
    code = "import hashlib, math, struct; v = [math.sin(0.1 * i) for i in range(30000)]\n"
    code += "print(hashlib.sha256(struct.pack('30000d', *v)).hexdigest())"
    environment_of_child = {**os.environ, **variables}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment_of_child
    ).stdout


def test_the_pinned_c_library_is_that_of_a_processor_without_fused_products():
    """A name that the library does not know would be ignored without a word, and change nothing."""
    if " fma " not in Path("/proc/cpuinfo").read_text(encoding="utf-8"):
        pytest.skip("this processor has no fused products: nothing is masked (any processor since 2013 has)")
    pinned = environment.pinned()["GLIBC_TUNABLES"]
    fused, masked = sines(GLIBC_TUNABLES=""), sines(GLIBC_TUNABLES=pinned)
    assert fused != masked
    assert masked == sines(GLIBC_TUNABLES="glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2,-AVX")
