import gzip
import hashlib
import zlib

import numpy as np
import pytest

from nbparity import packed
from nbparity.compare import read_float_image

SHAPE = (6, 8)
RAMP = np.arange(48, dtype="<f4").reshape(SHAPE)


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "py_float.bin.gz"
    packed.write(path, RAMP.tobytes())
    return path


def test_the_content_is_what_was_written(image):
    """For our reader, and for zlib without it; the hash is that of the plain bytes."""
    assert (read_float_image(image, SHAPE) == RAMP).all()
    assert zlib.decompress(image.read_bytes(), wbits=31) == RAMP.tobytes()
    assert packed.sha256_of_content(image) == hashlib.sha256(RAMP.tobytes()).hexdigest()


def test_the_header_has_no_name_and_no_time(image):
    """RFC 1952: the flags in byte 3, the time in bytes 4 to 7; the same image is the same file, whenever."""
    assert image.read_bytes()[:8] == b"\x1f\x8b\x08" + bytes(5)


def test_a_region_on_a_whole_detector_takes_little(tmp_path):
    """Of 24 MiB: 57 x 57 pixels of noise, which cannot be packed, and six million zeros."""
    frame = np.zeros((2527, 2463), "<f4")
    frame[100:157, 100:157] = np.random.default_rng(57).random((57, 57), np.float32)
    packed.write(tmp_path / "x.gz", frame.tobytes())
    assert 57 * 57 * 3 < (tmp_path / "x.gz").stat().st_size < 100_000


@pytest.mark.parametrize(
    ("size", "found"),
    [(0, "0"), (100, "100"), (191, "191"), (193, "more than 192"), (10**6, "more than 192")],
)
def test_another_size_is_named(image, size, found):
    """Under the name of the image; of one that is too long no more is read than it takes to know it."""
    packed.write(image, bytes(size))
    with pytest.raises(
        ValueError, match=rf"^py_float.bin holds {found} bytes, expected 192 for 6 x 8 pixels$"
    ):
        read_float_image(image, SHAPE)


def broken(data):
    """A packed file cut off, without its end, with another checksum, with other content, and plain bytes."""
    yield from (data[: len(data) // 2], data[:-8], b"", RAMP.tobytes())
    yield data[:-8] + bytes([data[-8] ^ 1]) + data[-7:]
    yield data[:30] + bytes([data[30] ^ 255]) + data[31:]
    yield data + b"more"


@pytest.mark.parametrize("number", range(7))
def test_a_file_that_cannot_be_unpacked_is_a_value_error(image, number):
    """Whoever reads images expects one; gzip has three others, and takes an empty file for no content."""
    data = list(broken(gzip.compress(RAMP.tobytes(), mtime=0)))[number]
    image.write_bytes(data)
    with pytest.raises(
        ValueError, match=r"^py_float\.bin(\.gz: cannot be unpacked by gzip: | holds 0 bytes)"
    ):
        read_float_image(image, SHAPE)
    if data:
        with pytest.raises(ValueError, match=r"^py_float\.bin\.gz: cannot be unpacked by gzip: "):
            packed.sha256_of_content(image)
