"""Images opened by programs that we did not write: fabio and Pillow (F7, F8, F9, F11)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fabio
import numpy as np
import pytest
from PIL import Image

from nanobrag_torch.__main__ import main
from nanobrag_torch.formats import smv
from nanobrag_torch.formats.smv_header import BLOCK_BYTES

RUN = (
    "-cell 50 60 70 80 85 95 -misset 10 20 30 -default_F 100 -N 5 -lambda 1.1 -distance 123.456 -seed 1 "
    "-detpixels_f 30 -detpixels_s 17 -pixel 0.5 -Xbeam 4.25 -Ybeam 7.75 -phi 3 -osc 2 -twotheta 5"
)


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """The folder in which a run has written its images."""
    monkeypatch.chdir(tmp_path)

    def run(options: str = "") -> Path:
        assert main(f"{RUN} {options}".split()) == 0
        return tmp_path

    return run


@pytest.mark.parametrize("name", ["intimage.img", "noiseimage.img"])
def test_pixels_and_geometry_arrive(name: str, images: Callable[[str], Path]) -> None:
    """Pixel by pixel, in the shape (slow, fast), and the header as key and text (F7.1)."""
    folder = images("")
    with fabio.open(str(folder / name)) as opened:
        assert opened.data.shape == (17, 30) and opened.data.dtype == np.uint16
        assert np.array_equal(opened.data, smv.read_pixels(str(folder / name)))
        header = {key: text.strip() for key, text in opened.header.items()}
    assert header["SIZE1"] == "30" and header["SIZE2"] == "17"
    assert header["TYPE"] == "unsigned_short" and header["BYTE_ORDER"] == "little_endian"
    expected = {
        "PIXEL_SIZE": 0.5,
        "WAVELENGTH": 1.1,
        "BEAM_CENTER_X": 4.25,
        "BEAM_CENTER_Y": 7.75,
        "PHI": 3.0,
        "OSC_START": 3.0,
        "OSC_RANGE": 2.0,
        "TWOTHETA": 5.0,
    }
    assert {key: float(header[key]) for key in expected} == pytest.approx(expected)


def test_integer_image_is_the_scaled_float_image(images: Callable[[str], Path]) -> None:
    """What fabio reads is the float image times the scale plus the offset, rounded (F8.2)."""
    folder = images("-scale 3 -adc 10")
    photons = np.fromfile(folder / "floatimage.bin", np.float32).reshape(17, 30).astype(float)
    expected = np.clip(np.floor(photons * 3 + 10.5), 0, 65535)
    with fabio.open(str(folder / "intimage.img")) as opened:
        # a sum within float32 rounding of a half may go either way
        assert np.abs(opened.data - expected).max() <= 1
        assert (opened.data == expected).mean() > 0.99


def test_a_header_of_two_blocks_is_followed(images: Callable[[str], Path]) -> None:
    """Long numbers make the header longer than 512 bytes; a reader finds the pixels all the same (F7.2)."""
    folder = images(
        "-oversample 1 -distance 0.0123456789 -pixel 1.23456789e-6 -lambda 1.23456789e-5 "
        "-Xbeam -1.23456789e-5 -Ybeam -1.23456789e-5 -phi -1.23456789e-5 "
        "-osc 1.23456789e-5 -twotheta 1.23456789e-5"
    )
    assert smv.read_header(str(folder / "intimage.img")).length == 2 * BLOCK_BYTES
    with fabio.open(str(folder / "intimage.img")) as opened:
        assert np.array_equal(opened.data, smv.read_pixels(str(folder / "intimage.img")))


def test_grey_image_opens(images: Callable[[str], Path]) -> None:
    """The grey image is a PGM file with a comment after its dimensions, which Pillow reads (F11.1)."""
    folder = images("-pgmscale 0.5")
    photons = np.fromfile(folder / "floatimage.bin", np.float32).reshape(17, 30).astype(float)
    with Image.open(folder / "image.pgm") as opened:
        assert np.array_equal(np.asarray(opened), np.clip(photons * 0.5, 0, 255).astype(np.uint8))
