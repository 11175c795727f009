"""What an image is made of: the Debian lock, the Python packages, and the Dockerfile that uses them."""

import hashlib
import re

import pytest

LINE = "runtime libc6 2.36-9 amd64 " + "a" * 64 + " libc6_2.36-9_amd64.deb\n"
HEAD = "# debian.in: " + "b" * 64 + "\n# SOURCE_DATE_EPOCH: 1700000000\n"


def test_the_committed_lock_is_that_of_the_list(debian):
    """Nobody changed debian.in without running nox -s lock."""
    lock = debian.read()
    assert debian.is_current(lock)
    names = {package.name for package in lock.packages}
    assert {name for group in debian.wanted().values() for name in group} <= names


def test_the_runtime_has_no_compiler(debian):
    """Compilers, make and headers are in the group of the stages that compile."""
    runtime = {package.name for package in debian.read().group("runtime")}
    compiler = {package.name for package in debian.read().group("compiler")}
    assert {"gcc-12", "make", "binutils", "libc6-dev", "python3.11-dev"} <= compiler
    assert not [name for name in runtime if name.endswith("-dev") or name in {"gcc-12", "cpp-12", "make"}]
    assert not runtime & compiler


def test_the_lock_names_no_place(debian):
    """Where packages come from belongs to the machine."""
    assert "://" not in debian.LOCK.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (LINE, "expected '# debian.in:"),
        (HEAD + "runtime libc6 2.36-9\n", ":3: expected group, name"),
        (HEAD + LINE.replace("runtime", "elsewhere"), ":3: expected group, name"),
        (HEAD + LINE.replace("a" * 64, "a" * 63), ":3: expected group, name"),
    ],
)
def test_a_broken_lock_is_named(debian, tmp_path, text, complaint):
    """File, line and what was expected."""
    path = tmp_path / "debian.lock"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(debian.LockError, match=re.escape(complaint)):
        debian.read(path)


def test_a_package_that_is_not_the_locked_one_is_refused(debian, tmp_path, monkeypatch):
    """Apt may bring another file of the same name; it is not used."""
    path = tmp_path / "debian.lock"
    path.write_text(HEAD + LINE, encoding="utf-8")
    packages = debian.read(path).packages

    class Apt:
        def __init__(self, folder):
            pass

        def run(self, *arguments):
            return ""

        def download(self, specifications, folder):
            assert specifications == ["libc6=2.36-9"]
            (folder / "libc6_2.36-9_amd64.deb").write_bytes(b"another")

    monkeypatch.setattr(debian, "Apt", Apt)
    with pytest.raises(debian.LockError, match="not the locked file"):
        debian.fetch(packages, tmp_path / "debs", tmp_path / "apt")


def test_what_is_there_is_not_fetched_again(debian, tmp_path, monkeypatch):
    """A build works without a network once it has its packages."""
    data = b"a package"
    path = tmp_path / "debian.lock"
    path.write_text(HEAD + LINE.replace("a" * 64, hashlib.sha256(data).hexdigest()), encoding="utf-8")
    (tmp_path / "debs").mkdir()
    (tmp_path / "debs" / "libc6_2.36-9_amd64.deb").write_bytes(data)
    (tmp_path / "debs" / "old_1_amd64.deb").write_bytes(b"no longer locked")
    monkeypatch.setattr(debian, "Apt", None)
    debian.fetch(debian.read(path).packages, tmp_path / "debs", tmp_path / "apt")
    assert [found.name for found in (tmp_path / "debs").iterdir()] == ["libc6_2.36-9_amd64.deb"]


def test_an_image_has_one_torch(wheels, root):
    """The CPU build in one, the CUDA build with its libraries in the other, the same tools in both."""
    cpu, cuda = (wheels.requirements(root, variant) for variant in wheels.VARIANTS)
    assert "torch==2.13.0+cpu" in cpu["torch"]
    assert re.search(r"^torch==2\.13\.0 ", cuda["torch"])
    assert "nvidia-cuda-runtime" in cuda and "nvidia-cuda-runtime" not in cpu
    assert {"pytest", "nox", "numpy", "pip"} <= cpu.keys() & cuda.keys()
    for pin in (cpu | cuda).values():
        assert "--hash=sha256:" in pin and "# via" not in pin


def test_wheels_that_no_pin_names_are_removed(wheels, tmp_path):
    """The build takes the folder as it is, so nothing else may lie in it."""
    (tmp_path / "good-1-py3-none-any.whl").write_bytes(b"good")
    (tmp_path / "bad-1-py3-none-any.whl").write_bytes(b"bad")
    digest = hashlib.sha256(b"good").hexdigest()
    assert wheels.keep_locked(tmp_path, {"good": f"good==1 --hash=sha256:{digest}\n"}) == {digest}
    assert [path.name for path in tmp_path.iterdir()] == ["good-1-py3-none-any.whl"]


def test_the_dockerfile_needs_neither_a_network_nor_a_registry(root):
    """Nothing is downloaded in it, no front end is named, and only the base comes from outside."""
    text = (root / "docker" / "Dockerfile").read_text(encoding="utf-8")
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", text, flags=re.MULTILINE))
    origins = set(re.findall(r"^FROM (\S+)", text, flags=re.MULTILINE))
    assert origins - stages == {"${BASE_IMAGE}"}
    assert not re.search(r"apt-get|curl|wget|# *syntax|--mount|ADD ", text)


def test_every_file_of_the_folder_is_in_its_table(root):
    """docker/README.md says what each of them is for."""
    text = (root / "docker" / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([^`]+)`", text, flags=re.MULTILINE))
    present = {path.name for path in (root / "docker").iterdir() if path.is_file()}
    assert listed == present - {"README.md"}
