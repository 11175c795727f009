"""Everything somebody could do to a bundle unnoticed, done to every place of one, and counted.

Three kinds of people: one who edits and leaves, one who brings the hash list up to date, and one who
derives everything anew, whom only the signature stops.
"""

import itertools
import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nbparity import bundle, layout, n2_record, signing, verify
from nbparity.ablation import CAUSE
from nbparity.hashing import files_below, sha256_list

NUMBER = re.compile(r"\d+")


@dataclass
class Count:
    """How many tampers of a kind were tried, and which went unnoticed or were blamed on another file."""

    of_record: bool = False

    tried: int = 0
    unnoticed: list[str] = field(default_factory=list)

    def look(self, folder, what, key=None, named=""):
        self.tried += 1
        complaints = verify.verify_record(folder) if self.of_record else verify.verify(folder, key)
        if not any(named in complaint for complaint in complaints):
            self.unnoticed.append(what)


@pytest.fixture
def signed(sealed, keys):
    """A finished bundle that somebody signed."""
    signing.sign(sealed, keys["own.private"])
    assert verify.verify(sealed) == verify.verify(sealed, keys["own.public"]) == []
    return sealed


@pytest.fixture
def report(record_property):
    """Put what was tried and caught into pytest's summary, then insist on all of it."""

    def check(kind, count, at_least):
        caught = count.tried - len(count.unnoticed)
        record_property("counted", f"{kind}: {count.tried} tampers tried, {caught} caught")
        assert count.tried >= at_least
        assert count.unnoticed == []

    return check


def flipped(data, place):
    """The bytes with one bit changed, another one at each place."""
    return data[:place] + bytes([data[place] ^ (1 << place % 8)]) + data[place + 1 :]


def test_one_bit_of_any_file(signed, report):
    """At both ends and in the middle of each file, the signature among them, without any key."""
    count = Count()
    for name in files_below(signed):
        path = signed / name
        original = path.read_bytes()
        for place in {0, len(original) // 2, len(original) - 1} if original else set():
            path.write_bytes(flipped(original, place))
            # A bit of the hash list makes a line of it wrong, which names another file, or none.
            named = "" if name == layout.HASHES else name
            count.look(signed, f"{name}, byte {place}", named=named)
        path.write_bytes(original)
    assert verify.verify(signed) == []
    report("one bit flipped", count, at_least=60)


def test_one_bit_with_the_hash_list_brought_up_to_date(signed, rehash, report):
    """Then the provenance, which is derived again, has another hash of the file."""
    count = Count()
    for name in set(files_below(signed)) - {layout.HASHES}:
        path = signed / name
        original = path.read_bytes()
        for place in {0, len(original) // 2, len(original) - 1} if original else set():
            path.write_bytes(flipped(original, place))
            rehash(signed)
            count.look(signed, f"{name}, byte {place}")
        path.write_bytes(original)
    report("one bit flipped, hash list renewed", count, at_least=40)


def test_every_byte_of_the_signature(signed, report):
    """The envelope allows other spellings of the same; a bundle does not.

    The bits are those that make another letter and the other case.
    """
    path, count = signed / layout.SIGNATURE, Count()
    original = path.read_bytes()
    for place in [*range(0, 60), *range(len(original) - 320, len(original))]:
        for bit in (0, 1, 5):
            path.write_bytes(original[:place] + bytes([original[place] ^ (1 << bit)]) + original[place + 1 :])
            checked = signing.check(signed)
            count.tried += 1
            if not checked.complaints:
                count.unnoticed.append(f"byte {place}, bit {bit}")
    report("one bit of the signature", count, at_least=1000)


def test_a_dropped_file(signed, keys, rehash, report):
    """With its line of the hash list or without; the signature is missed by who expects one."""
    count = Count()
    for name, renewed in itertools.product(files_below(signed), (False, True)):
        if renewed and name == layout.HASHES:
            continue
        path, hashes = signed / name, signed / layout.HASHES
        original, listed = path.read_bytes(), hashes.read_bytes()
        path.unlink()
        if renewed:
            rehash(signed)
        count.look(signed, f"{name} dropped", keys["own.public"], named="" if renewed else name)
        hashes.write_bytes(listed)
        path.write_bytes(original)
    assert verify.verify(signed) == []
    report("one file dropped", count, at_least=30)


@pytest.mark.parametrize("renewed", [False, True])
def test_an_added_file(signed, rehash, report, renewed):
    """In any folder, of any name, and empty."""
    count = Count()
    for name in ("extra.txt", ".hidden", "inputs/c_float.bin~", "inputs/ablation/x.npy", "deep/er/file"):
        path = signed / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
        if renewed:
            rehash(signed)
        count.look(signed, f"{name} added", named="" if renewed else f"extra: {name}")
        path.unlink()
    report(f"one file added, hash list renewed: {renewed}", count, at_least=5)


@pytest.mark.parametrize("renewed", [False, True])
def test_two_images_swapped(signed, rehash, report, renewed):
    """Every two images that differ; also the regions of the ablation for another's."""
    names = [
        *map(layout.image, layout.IMAGES),
        *(layout.ablated_roi(name, CAUSE) for name in ("c", "c_spec")),
    ]
    count = Count()
    for one, other in itertools.combinations(names, 2):
        x, r = (signed / one).read_bytes(), (signed / other).read_bytes()
        if x == r:
            continue
        (signed / one).write_bytes(r)
        (signed / other).write_bytes(x)
        if renewed:
            rehash(signed)
        count.look(signed, f"{one} and {other}")
        (signed / one).write_bytes(x)
        (signed / other).write_bytes(r)
    report(f"two images swapped, hash list renewed: {renewed}", count, at_least=8)


@pytest.mark.slow
@pytest.mark.parametrize("name", [layout.ANALYSIS, layout.LEDGER, layout.SUMMARY])
def test_each_number_of_a_text(signed, rehash, report, name):
    """The hash list is brought up to date each time, so what finds it is the derivation."""
    path, count = signed / name, Count()
    original = path.read_text(encoding="utf-8")
    for match in NUMBER.finditer(original):
        last = match.end() - 1
        other = str((int(original[last]) + 1) % 10)
        path.write_text(original[:last] + other + original[last + 1 :], encoding="utf-8")
        rehash(signed)
        complaints = verify.verify(signed)
        count.tried += 1
        line = original.count("\n", 0, last) + 1
        if not any(complaint.startswith(f"untrue: {name}:{line} ") for complaint in complaints):
            count.unnoticed.append(f"{name}:{line}: {match[0]}")
    report(f"one number of {name} edited", count, at_least=50)


def renew(folder):
    """Bring the hash list of a record up to date."""
    names = [name for name in files_below(folder) if name != n2_record.HASHES]
    (folder / n2_record.HASHES).write_text(sha256_list(folder, names), encoding="utf-8")


@pytest.mark.parametrize("renewed", [False, True])
def test_one_bit_of_any_file_of_a_record(record, report, renewed):
    """Of N2, whose hash list a second list in n2.json backs; a bit of it is named, or makes a line wrong."""
    count = Count(of_record=True)
    for name in set(files_below(record)) - ({n2_record.HASHES} if renewed else set()):
        path, hashes = record / name, record / n2_record.HASHES
        original, listed = path.read_bytes(), hashes.read_bytes()
        for place in {0, len(original) // 2, len(original) - 1} if original else set():
            path.write_bytes(flipped(original, place))
            if renewed:
                renew(record)
            count.look(record, f"{name}, byte {place}", named="" if renewed or path == hashes else name)
        path.write_bytes(original)
        hashes.write_bytes(listed)
    assert verify.verify_record(record) == []
    report(f"one bit of a record flipped, hash list renewed: {renewed}", count, at_least=40)


@pytest.mark.parametrize("renewed", [False, True])
def test_a_file_dropped_from_a_record_or_added(record, report, renewed):
    """With its line of the hash list or without."""
    count = Count(of_record=True)
    hashes = record / n2_record.HASHES
    listed = hashes.read_bytes()
    for name in (*files_below(record), "extra.txt", "c/.hidden", "deep/er/file"):
        if renewed and name == n2_record.HASHES:
            continue
        path = record / name
        original = path.read_bytes() if path.is_file() else None
        if original is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
        else:
            path.unlink()
        if renewed:
            renew(record)
        count.look(record, name, named="" if renewed else name)
        path.unlink(missing_ok=True)
        if original is not None:
            path.write_bytes(original)
        hashes.write_bytes(listed)
    report(f"one file of a record dropped or added, hash list renewed: {renewed}", count, at_least=20)


@pytest.mark.slow
def test_each_number_of_the_checks_of_a_record(record, report):
    """The hash list is brought up to date each time, so what finds it is the derivation."""
    count = Count(of_record=True)
    for name in (n2_record.CHECKS, n2_record.TEXT):
        path = record / name
        original = path.read_text(encoding="utf-8")
        for match in NUMBER.finditer(original):
            last = match.end() - 1
            other = str((int(original[last]) + 1) % 10)
            path.write_text(original[:last] + other + original[last + 1 :], encoding="utf-8")
            renew(record)
            count.look(record, f"{name}: {match[0]}", named="n2.")
        path.write_text(original, encoding="utf-8")
    report("one number of a record edited", count, at_least=50)


def test_everything_derived_anew(signed, keys, report):
    """Images swapped and every text and hash made again: nothing is untrue then but the signature."""
    count = Count()
    image = signed / layout.image("c")
    image.write_bytes((signed / layout.image("py")).read_bytes())
    envelope = (signed / layout.SIGNATURE).read_bytes()
    (signed / layout.SIGNATURE).unlink()
    bundle.seal(signed)
    assert verify.verify(signed) == []
    count.look(signed, "unsigned", keys["own.public"])
    signing.sign(signed, keys["other.private"])
    count.look(signed, "signed with another key", keys["own.public"])
    (signed / layout.SIGNATURE).write_bytes(envelope)
    count.look(signed, "the old signature")
    count.look(signed, "the old signature, with the key", keys["own.public"])
    report("all derived anew", count, at_least=4)


def test_a_replaced_key(signed, keys, report):
    """Another signature, the other's key in the envelope of the right one, and the reverse."""
    count = Count()
    path = signed / layout.SIGNATURE
    own = path.read_text(encoding="utf-8")
    path.unlink()
    signing.sign(signed, keys["other.private"])
    other = path.read_text(encoding="utf-8")
    count.look(signed, "signed by somebody else", keys["own.public"])
    for text, source in ((own, other), (other, own)):
        for taken in (("publicKey",), ("keyid",), ("publicKey", "keyid"), ("sig",)):
            envelope, donor = json.loads(text), json.loads(source)
            for key in taken:
                envelope["signatures"][0][key] = donor["signatures"][0][key]
            path.write_text(json.dumps(envelope, indent=1) + "\n", encoding="utf-8")
            count.look(signed, f"{taken} replaced")
    path.write_text(own, encoding="utf-8")
    count.look(signed, "checked with the wrong key", keys["other.public"])
    report("key replaced", count, at_least=10)


def test_a_signature_from_another_bundle(signed, site, keys, report):
    """The envelope of one bundle beside the files of another one."""
    count, second = Count(), site.run().folder
    shutil.copyfile(signed / layout.SIGNATURE, second / layout.SIGNATURE)
    count.look(second, "signature of another bundle")
    count.look(second, "signature of another bundle, with the key", keys["own.public"])
    report("signature moved", count, at_least=2)


def test_the_unfinished_folder_of_a_run_is_no_bundle(signed, tmp_path):
    """A killed run may leave one in which every file is in order already."""
    folder = Path(shutil.copytree(signed, tmp_path / f"{layout.UNFINISHED}abc"))
    assert verify.verify(folder) == [f"{folder}: unfinished, a run is building it or was killed"]
