import base64
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from nbparity import command_lines, layout, n1, provenance, signing, verify
from nbparity.__main__ import main
from nbparity.errors import BlockedError, ExitCode, UsageError
from nbparity.hashing import files_below, sha256_of_file


def statement(bundle):
    return json.loads((bundle / layout.PROVENANCE).read_text(encoding="utf-8"))


def test_it_is_an_intoto_statement_with_the_slsa_predicate(sealed):
    """The names that the two specifications require."""
    made = statement(sealed)
    assert made["_type"] == "https://in-toto.io/Statement/v1"
    assert made["predicateType"] == "https://slsa.dev/provenance/v1"
    definition, details = made["predicate"]["buildDefinition"], made["predicate"]["runDetails"]
    assert {"buildType", "externalParameters", "resolvedDependencies"} <= set(definition)
    assert details["builder"]["id"] == "urn:nbparity:builder:host"
    assert details["metadata"]["invocationId"] == sealed.name
    assert details["metadata"]["startedOn"] < details["metadata"]["finishedOn"]


def test_the_subjects_are_all_files_with_their_hashes(sealed):
    """But for the statement itself, and the hash list, which has the hash of the statement."""
    subjects = {row["name"]: row["digest"]["sha256"] for row in statement(sealed)["subject"]}
    names = set(files_below(sealed)) - {layout.PROVENANCE, layout.HASHES}
    assert subjects == {name: sha256_of_file(sealed / name) for name in names}
    assert f"{sha256_of_file(sealed / layout.PROVENANCE)}  {layout.PROVENANCE}\n" in (
        sealed / layout.HASHES
    ).read_text(encoding="utf-8")


def test_what_is_not_there_is_no_material(sealed):
    """A folder without git has no commit, a run on the host no image."""
    rows = statement(sealed)["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert {"git commit", "container image"}.isdisjoint(row["name"] for row in rows)


def git(root, *arguments):
    identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
    done = subprocess.run(
        ["git", "-C", str(root), *identity, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_materials_are_commit_changes_locks_inputs_sources_and_image(site, monkeypatch, plain_git):
    """Each with its hash; a path that differs from the commit with the hash of what is there."""
    monkeypatch.setenv("NB_IMAGE_DIGEST", "sha256:" + "ab" * 32)
    source = site.root / "golden_suite_generator" / "src" / "main.c"
    source.parent.mkdir()
    source.write_text("int main(void) { return 0; }\n", encoding="utf-8")
    (site.root / "gone.txt").write_text("committed\n", encoding="utf-8")
    git(site.root, "init", "--quiet")
    git(site.root, "add", ".")
    git(site.root, "commit", "--quiet", "-m", "start")
    (site.root / "gone.txt").unlink()
    (site.root / "new folder").mkdir()
    (site.root / "new folder" / "new.txt").write_text("new\n", encoding="utf-8")
    folder = site.run().folder
    rows = statement(folder)["predicate"]["buildDefinition"]["resolvedDependencies"]
    materials = {row["name"]: row["digest"] for row in rows}
    data = site.root / "golden_suite_generator" / "experiments" / "tiny" / "data.txt"
    assert materials["git commit"] == {"gitCommit": git(site.root, "rev-parse", "HEAD")}
    assert materials["container image"] == {"sha256": "ab" * 32}
    for name, path in {
        "requirements/cpu.txt": site.root / "requirements" / "cpu.txt",
        "input: data.txt": data,
        "golden_suite_generator/src/main.c": source,
        "differs from the commit: new folder/new.txt": site.root / "new folder" / "new.txt",
        "program: c": site.root / "programs" / "c",
    }.items():
        assert materials[name] == {"sha256": sha256_of_file(path)}
    assert "\n D - gone.txt\n" in (folder / layout.GIT).read_text(encoding="utf-8")
    assert verify.verify(folder) == []


def test_without_the_library_no_run_starts(site, monkeypatch):
    """A bundle without provenance is none, and the message says what to install."""
    monkeypatch.setattr(provenance.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BlockedError, match="in-toto-attestation is not installed: pip install"):
        site.run()
    assert site.bundles() == []


def packages(folder):
    """The list of packages as the command of a run writes it."""
    command = command_lines.list_packages(sys.executable)
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return (folder / Path(layout.SBOM).name).read_text(encoding="utf-8")


def test_the_list_of_packages_is_that_of_the_environment(tmp_path):
    """Each with the version that the interpreter finds, and the same file every time."""
    text = packages(tmp_path)
    made = json.loads(text)
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    versions = {row["name"]: row["version"] for row in made["components"]}
    for name in ("torch", "numpy", "in-toto-attestation"):
        assert versions[name] == metadata.version(name)
    assert packages(tmp_path) == text


@pytest.mark.slow
def test_the_list_of_packages_is_valid_cyclonedx(tmp_path):
    """Against the schema, which a run does not take the time for."""
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(packages(tmp_path)) is None


def test_packages_that_cannot_be_listed_block_the_run(site):
    """With what the tool printed."""
    plan = site.plan()
    (site.root / "cyclonedx_py.py").write_text("raise SystemExit('no packages today')\n", encoding="utf-8")
    outcome = n1.parity_n1(plan)
    assert outcome.exit_code == ExitCode.BLOCKED
    assert "no packages today" in (outcome.folder / layout.ANALYSIS).read_text(encoding="utf-8")


def test_a_signature_is_a_dsse_envelope(sealed, keys):
    """Checked with nothing of the library that signed: the encoding of the DSSE specification, by hand."""
    signing.sign(sealed, keys["own.private"])
    envelope = json.loads((sealed / layout.SIGNATURE).read_text(encoding="utf-8"))
    payload = base64.b64decode(envelope["payload"])
    assert payload == (sealed / layout.PROVENANCE).read_bytes()
    kind = envelope["payloadType"].encode()
    assert kind == b"application/vnd.in-toto+json"
    signed = b" ".join([b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload])
    public = load_pem_public_key(keys["own.public"].read_bytes())
    public.verify(base64.b64decode(envelope["signatures"][0]["sig"]), signed)


def test_signing_and_checking_from_the_command_line(sealed, keys, capsys):
    """Unsigned is fine unless a key is expected; a signature says whose it is, and who checked that."""

    def said(*arguments):
        status = main([*map(str, arguments)])
        captured = capsys.readouterr()
        return status, captured.out + captured.err

    status, text = said("verify", sealed)
    assert status == ExitCode.OK and text.endswith(": not signed\n")
    status, text = said("verify", sealed, "--key", keys["own.public"])
    assert status == ExitCode.NOT_INTACT and "not signed: no provenance.dsse.json, expected key" in text
    before = {name: sha256_of_file(sealed / name) for name in files_below(sealed)}
    assert said("sign", sealed, "--key", keys["own.private"])[0] == ExitCode.OK
    assert {name: sha256_of_file(sealed / name) for name in before} == before
    assert set(files_below(sealed)) - set(before) == {layout.SIGNATURE}
    status, text = said("verify", sealed)
    assert status == ExitCode.OK and "whose key that is was not checked (--key PUBLIC_KEY)" in text
    status, text = said("verify", sealed, "--key", keys["own.public"])
    assert status == ExitCode.OK and "signed with the key given" in text
    status, text = said("verify", sealed, "--key", keys["other.public"])
    assert status == ExitCode.NOT_INTACT and "wrong signature: made with key" in text
    signature = (sealed / layout.SIGNATURE).read_bytes()
    assert said("sign", sealed, "--key", keys["own.private"])[0] == ExitCode.OK
    assert (sealed / layout.SIGNATURE).read_bytes() == signature
    status, text = said("sign", sealed, "--key", keys["other.private"])
    assert status == ExitCode.USAGE and "is signed with another key" in text
    assert list(sealed.parent.glob(".unfinished*")) == []


def test_a_bundle_that_does_not_hold_is_not_signed(sealed, keys, capsys):
    """A signature under something untrue would be worse than none."""
    (sealed / layout.ANALYSIS).write_text("all is well\n", encoding="utf-8")
    assert main(["sign", str(sealed), "--key", str(keys["own.private"])]) == ExitCode.NOT_INTACT
    assert "the bundle does not hold: changed: analysis.md" in capsys.readouterr().err
    assert not (sealed / layout.SIGNATURE).exists()


@pytest.mark.parametrize("kind", ["missing", "nonsense", "other way round", "wrong kind"])
def test_what_is_no_key_is_named(sealed, keys, tmp_path, kind):
    """File and expectation, whichever of the two keys it should be."""
    rsa = tmp_path / "rsa.pem"
    if kind == "wrong kind":
        command = ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", rsa]
        subprocess.run(command, check=True, capture_output=True)
    (tmp_path / "nonsense.pem").write_text("no key\n", encoding="utf-8")
    private, public = {
        "missing": (tmp_path / "none.pem", tmp_path / "none.pem"),
        "nonsense": (tmp_path / "nonsense.pem", tmp_path / "nonsense.pem"),
        "other way round": (keys["own.public"], keys["own.private"]),
        "wrong kind": (rsa, rsa),
    }[kind]
    with pytest.raises(UsageError, match=str(private)):
        signing.sign(sealed, private)
    with pytest.raises(UsageError, match=str(public)):
        signing.check(sealed, public)


def test_keys_of_openssl_are_read(sealed, tmp_path):
    """The two commands of the documentation."""
    private, public = tmp_path / "key.pem", tmp_path / "key.pub.pem"
    for command in (
        ["openssl", "genpkey", "-algorithm", "ed25519", "-out", private],
        ["openssl", "pkey", "-in", private, "-pubout", "-out", public],
    ):
        subprocess.run(command, check=True, capture_output=True)
    signing.sign(sealed, private)
    assert verify.verify(sealed, public) == []
