"""Files read and written by the C reference (F2 to F13)."""

import os
import re
import shutil
import struct
from datetime import datetime

import pytest

HISTORICAL, SPECIFICATION = "nanoBragg", "nanoBragg-spec"
BOTH = [HISTORICAL, SPECIFICATION]
CELL = "-cell 70 80 90 -N 5 -detpixels 4 -oversample 1 -nonoise -nopgm".split()


def header(folder, name="intimage.img"):
    """Keys of an SMV header."""
    text = (folder / name).read_bytes().split(b"}")[0].decode()
    return dict(re.findall(r"(\w+)=([^;\n]*)", text))


@pytest.mark.parametrize(
    ("default_f", "values"),
    [
        (0, "0 100 0 0 0 0 0 -7 0 0 0 0 50.5 0 0 0 0 0 0 0 0 0 0 0"),
        (3, "3 100 0 3 3 0 3 -7 0 0 0 0 50.5 3 0 3 3 0 3 3 0 0 0 0"),
    ],
)
def test_f13_3_cache(programs, tmp_path, default_f, values):
    """F13.3: header bytes, table and counts of the cache, written and read."""
    (tmp_path / "list.hkl").write_text("0 0 0 100\n1 0 -1 50.5\n0 2 0 -7\n")
    text = programs.good(SPECIFICATION, *CELL, "-hkl", "list.hkl", "-default_F", default_f, cwd=tmp_path)
    assert "  3 initialized hkls" in text
    data = (tmp_path / "Fdump.bin").read_bytes()
    assert data[:14] == b"0 1 0 2 -1 0\n\x0c"
    expected = [float(x) for x in values.split()] + [0.0] * 12
    assert list(struct.unpack("<36d", data[14:])) == expected
    assert "  12 initialized hkls" in programs.good(SPECIFICATION, *CELL, cwd=tmp_path)


@pytest.mark.parametrize("program", BOTH)
def test_c4_17_the_cache_in_force_is_named(programs, tmp_path, program):
    """C4.17: with time and box; a warning where it is there by chance, or wins over -default_F (HD-SF-2)."""
    (tmp_path / "list.hkl").write_text("0 0 0 100\n1 0 -1 50.5\n0 2 0 -7\n")
    programs.good(program, *CELL, "-hkl", "list.hkl", cwd=tmp_path)
    (tmp_path / "Fdump.bin").rename(tmp_path / "kept.bin")
    os.utime(tmp_path / "kept.bin", (0, 1234567890))
    when = datetime.fromtimestamp(1234567890).isoformat()
    words = "the structure factors are those of the cache {} of " + when + ", h 0 to 1, k 0 to 2, l -1 to 0"
    assert words.format("kept.bin") in programs(program, *CELL, "-dump", "kept.bin", cwd=tmp_path).said(
        "NOTE"
    )
    shutil.copy2(tmp_path / "kept.bin", tmp_path / "Fdump.bin")
    assert words.format("Fdump.bin") in programs(program, *CELL, cwd=tmp_path).said("WARNING")
    said = programs(program, *CELL, "-default_F", 1, cwd=tmp_path).said("WARNING")
    assert words.format("Fdump.bin") + "; -default_F only serves the others" in said
    said = programs(program, *CELL, "-default_F", 1, "-dump", "none", cwd=tmp_path).said("WARNING")
    assert any(text.startswith("-dump has no effect: none is not there") for text in said)


def test_hd_sf_1_first_number_may_look_like_white_space(programs, tmp_path):
    """HD-SF-1, F3.4: exactly two separator bytes are skipped, in specification mode."""
    value = struct.pack("<d", 100.07836985774748)
    assert value[0] in b"\t\n\v\f\r "
    images = {}
    for program in BOTH:
        (tmp_path / "list.hkl").write_text("0 0 0 100.07836985774748\n")
        programs.good(program, *CELL, "-hkl", "list.hkl", cwd=tmp_path)
        first = (tmp_path / "floatimage.bin").read_bytes()
        programs.good(program, *CELL, cwd=tmp_path)
        images[program] = first == (tmp_path / "floatimage.bin").read_bytes()
    assert images == {HISTORICAL: False, SPECIFICATION: True}


BAD_LISTS = {
    "1 2 3\n": ":1:",
    "0 0 0 1\n1 2 3 4 5\n": ":2:",
    "1.5 0 0 1\n": "'1.5'",
    "1 2 3 nan\n": "'nan'",
    "1 2 3 1e999\n": "'1e999'",
    "3000000000 0 0 1\n": "'3000000000'",
    "": "no record",
    "h k l F\n": "'h'",
    "-2147483648 0 0 1\n2147483647 2147483647 2147483647 1\n": "too large",
}


@pytest.mark.parametrize("program", BOTH)
@pytest.mark.parametrize("text", BAD_LISTS)
def test_f2_7_bad_lists(programs, tmp_path, program, text):
    """F2.7: an error with file and line, and no file written."""
    (tmp_path / "list.hkl").write_text(text)
    assert BAD_LISTS[text] in programs(program, *CELL, "-hkl", "list.hkl", cwd=tmp_path).error
    assert [path.name for path in tmp_path.iterdir()] == ["list.hkl"]


def test_f2_7_accepted_lists(programs, tmp_path):
    """F2.7: comments, carriage returns, integral reals, a missing line end; the last duplicate counts."""
    (tmp_path / "list.hkl").write_text("# h k l F\r\n0.0 0 0 100\r\n0 0 0 7")
    done = programs(SPECIFICATION, *CELL, "-hkl", "list.hkl", cwd=tmp_path)
    assert done.returncode == 0
    assert "more than once" in done.stderr
    assert struct.unpack("<d", (tmp_path / "Fdump.bin").read_bytes()[13:21]) == (7.0,)


@pytest.mark.parametrize(
    "change", [lambda d: d[:-3], lambda d: d + b"x", lambda d: b"5" + d[1:], lambda d: d[:4]]
)
def test_f3_5_bad_cache(programs, tmp_path, change):
    """F3.5: wrong length, reversed range or a broken header."""
    (tmp_path / "good").write_bytes(b"0 0 0 0 0 0\n\x0c" + bytes(64))
    (tmp_path / "bad").write_bytes(change((tmp_path / "good").read_bytes()))
    programs.good(SPECIFICATION, *CELL, "-dump", "good", cwd=tmp_path)
    assert "bad" in programs(SPECIFICATION, *CELL, "-dump", "bad", cwd=tmp_path).error


@pytest.mark.parametrize(
    ("numbers", "wavelength", "cell"),
    [
        ("0.01 0 0  0 0.02 0  0 0 0.05 and more", 1, "100 50 20 90 90 90"),
        ("0.01 0.001 0  0 0.02 0  0 0 0.05", 1, "100.125 50 20 90 90 92.8624"),
        ("0.01 0.001 0  0 0.02 0  0 0 0.05", 2, "200.25 100 40 90 90 92.8624"),
    ],
)
def test_f13_5_matrix(programs, tmp_path, numbers, wavelength, cell):
    """F13.5: the cell that follows from a matrix."""
    (tmp_path / "A.mat").write_text(numbers)
    options = ["-mat", "A.mat", "-lambda", wavelength, "-default_F", 1, "-detpixels", 2, "-nonoise"]
    assert f"Unit Cell: {cell}\n" in programs.good(SPECIFICATION, *options, cwd=tmp_path)


@pytest.mark.parametrize("numbers", ["1 0 0 0 1 0 0 0", "1 0 0 2 0 0 0 0 1", "1 0 0 0 x 0 0 0 1"])
def test_f4_2_bad_matrix(programs, tmp_path, numbers):
    """F4.2, HD-XTL-1: too few numbers, singular, not a number."""
    (tmp_path / "A.mat").write_text(numbers)
    assert "A.mat" in programs(SPECIFICATION, "-mat", "A.mat", "-default_F", 1, cwd=tmp_path).error


@pytest.mark.parametrize("line", ["0 0 0", "1 0 0 1 -1", "1 0 x", "1D-10 0 0", "# only a comment"])
def test_f5_5_bad_sources(programs, tmp_path, line):
    """F5.5, HD-SRC-2."""
    (tmp_path / "s.txt").write_text(line)
    assert (
        "s.txt:1:"
        in programs(SPECIFICATION, *CELL, "-default_F", 1, "-sourcefile", "s.txt", cwd=tmp_path).error
    )


def test_f5_5_missing_columns_take_defaults(programs, tmp_path):
    """F5.2, F5.5: separators, comments, carriage returns and a missing line end."""
    (tmp_path / "s.txt").write_text("# comment\n -9,0;1\r\n\n-10 0 0 7 1.1e-10")
    options = [*CELL, "-default_F", 1, "-sourcefile", "s.txt"]
    text = programs.good(SPECIFICATION, *options, cwd=tmp_path)
    assert "-9 0 1   1 1e-10\n-10 0 0   7 1.1e-10\n" in text
    assert "  -1 divergence steps" in text


ROUND_TRIP = (
    "-xds -ORGX 3 -ORGY 2 -close_distance 90 -pixel 0.2 -detpixels_f 8 -detpixels_s 6 -lambda 1.2 -phi 3 "
    "-osc 2 -twotheta 7"
).split()


@pytest.mark.parametrize(
    ("option", "beam", "denzo"), [("-img", "0.5 0.3", "0.6 0.4"), ("-mask", "0.5 0.9", "0.6 1")]
)
def test_f13_6_header_round_trip(programs, tmp_path, option, beam, denzo):
    """F13.6: geometry from a header, with and without a -distance that loses (C4.2)."""
    base = ["-cell", 70, 80, 90, "-default_F", 10, "-nonoise", "-nopgm"]
    programs.good(SPECIFICATION, *base, *ROUND_TRIP, "-intfile", "made.img", cwd=tmp_path)
    for extra in ([], ["-distance", 300]):
        programs.good(SPECIFICATION, *base, option, "made.img", *extra, cwd=tmp_path)
        h = header(tmp_path)
        found = [
            " ".join(h[k] for k in keys.split())
            for keys in (
                "BEAM_CENTER_X BEAM_CENTER_Y",
                "DENZO_X_BEAM DENZO_Y_BEAM",
                "DISTANCE CLOSE_DISTANCE",
                "PHI OSC_RANGE TWOTHETA",
                "WAVELENGTH PIXEL_SIZE SIZE1 SIZE2",
            )
        ]
        assert found == [beam, denzo, "90 90", "3 2 0", "1.2 0.2 8 6"]


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d[:600],
        lambda d: d[:100],
        lambda d: b"x" + d,
        lambda d: d.replace(b"BYTE_ORDER", b"BYTE_ORDEX"),
        lambda d: d.replace(b"SIZE1=8", b"SIZE1=0"),
        lambda d: d.replace(b"PIXEL_SIZE=0", b"PIXEL_SIZE=-"),
        lambda d: d.replace(b"HEADER_BYTES=512", b"HEADER_BYTES=513"),
    ],
)
def test_f12_7_bad_masks(programs, tmp_path, change):
    """F12.7: truncated, unrecognised or without usable keys."""
    base = ["-cell", 70, 80, 90, "-default_F", 10, "-nonoise", "-nopgm", "-oversample", 1]
    programs.good(SPECIFICATION, *base, "-detpixels", 8, "-intfile", "good.img", cwd=tmp_path)
    (tmp_path / "bad.img").write_bytes(change((tmp_path / "good.img").read_bytes()))
    programs.good(SPECIFICATION, *base, "-mask", "good.img", cwd=tmp_path)
    assert "bad.img" in programs(SPECIFICATION, *base, "-mask", "bad.img", cwd=tmp_path).error
    assert "8 x 8" in programs(SPECIFICATION, *base, "-mask", "good.img", "-detpixels", 9, cwd=tmp_path).error


@pytest.mark.parametrize("program", BOTH)
@pytest.mark.parametrize("option", ["-img", "-mask"])
@pytest.mark.parametrize(
    ("entry", "replacement", "key", "value"),
    [
        ("WAVELENGTH=0", "-lambda 1.1", "WAVELENGTH", "1.1"),
        ("WAVELENGTH=-1", "-energy 12398.42", "WAVELENGTH", "1"),
        ("DISTANCE=0", "-distance 80", "DISTANCE", "80"),
        ("DISTANCE=0", "-close_distance 70", "DISTANCE", "70"),
        ("CLOSE_DISTANCE=0", "-close_distance 70", "CLOSE_DISTANCE", "70"),
    ],
)
def test_c4_1_options_replace_unusable_numbers_of_headers(
    programs, tmp_path, program, option, entry, replacement, key, value
):
    """C1, C4.1: the command line beats the header; F12.7, C5: alone such a number is an error."""
    text = f"{{\nHEADER_BYTES=512;\nBYTE_ORDER=little_endian;\nSIZE1=4;\nSIZE2=4;\n{entry};\n}}\f"
    (tmp_path / "zero.img").write_bytes(text.encode().ljust(512) + b"\1\0" * 16)
    run = [*CELL[:6], "-oversample", 1, "-nonoise", "-nopgm", "-default_F", 10, option, "zero.img"]
    assert f"'zero.img': header key {entry.split('=')[0]} is " in programs(program, *run, cwd=tmp_path).error
    programs.good(program, *run, *replacement.split(), cwd=tmp_path)
    assert header(tmp_path)[key] == value


@pytest.mark.parametrize("option", ["-img", "-mask"])
def test_f12_6_only_the_last_image_is_read(programs, tmp_path, option):
    """F12.6: an earlier argument of the same option is not even looked for."""
    text = "{\nHEADER_BYTES=512;\nBYTE_ORDER=little_endian;\nSIZE1=3;\nSIZE2=2;\n}\f"
    (tmp_path / "last").write_bytes(text.encode().ljust(512) + b"\1\0" * 6)
    run = [*CELL[:6], "-oversample", 1, "-nonoise", "-nopgm", "-default_F", 10]
    programs.good(SPECIFICATION, *run, option, "missing", option, "last", cwd=tmp_path)
    assert (header(tmp_path)["SIZE1"], header(tmp_path)["SIZE2"]) == ("3", "2")


def test_f12_6_image_replaces_unusable_number_of_mask(programs, tmp_path):
    """F12.6: the image header wins for every shared key; otherwise the mask is at fault."""
    text = "{{\nHEADER_BYTES=512;\nBYTE_ORDER=little_endian;\nSIZE1=4;\nSIZE2=4;\n{};\n}}\f"
    for name, entry in (("mask", "WAVELENGTH=0"), ("image", "WAVELENGTH=1.3"), ("silent", "PHI=0")):
        (tmp_path / name).write_bytes(text.format(entry).encode().ljust(512) + b"\1\0" * 16)
    run = [*CELL[:6], "-oversample", 1, "-nonoise", "-nopgm", "-default_F", 10, "-mask", "mask", "-img"]
    programs.good(SPECIFICATION, *run, "image", cwd=tmp_path)
    assert header(tmp_path)["WAVELENGTH"] == "1.3"
    assert (
        "-mask: file 'mask': header key WAVELENGTH"
        in programs(SPECIFICATION, *run, "silent", cwd=tmp_path).error
    )


def test_f7_2_long_headers_are_padded_to_the_next_block(programs, tmp_path):
    """F7.2: HEADER_BYTES says where the pixels begin."""
    programs.good(
        SPECIFICATION,
        *CELL,
        "-default_F",
        10,
        "-xds",
        *"-detector_rotx 1.2345678 -detector_roty 2.345678 "
        "-distance 123.4567 -ORGX 1.234567 -ORGY 2.345678 -lambda 1.234567 -phi 12.34567 -osc 1.234567 "
        "-pixel 0.1234567 -twotheta 12.34567".split(),
        cwd=tmp_path,
    )
    assert header(tmp_path)["HEADER_BYTES"] == "1024"
    assert (tmp_path / "intimage.img").stat().st_size == 1024 + 2 * 16


def test_f1_4_failed_output_leaves_no_partial_file(programs, tmp_path):
    """F1.4, C5: unwritable paths are found before anything is written; a full disk leaves nothing behind."""
    run = [*CELL, "-default_F", 10]
    for path in ("no/such/folder/x", ".", "/dev/null/x"):
        assert "-intfile" in programs(SPECIFICATION, *run, "-intfile", path, cwd=tmp_path).error
        assert list(tmp_path.iterdir()) == []
    assert "/dev/full" in programs(SPECIFICATION, *run, "-floatfile", "/dev/full", cwd=tmp_path).error
    assert list(tmp_path.iterdir()) == []


def infinite_pixels(done):
    """How many infinite pixels a run warns about."""
    found = [
        re.match(r"the image has (\d+) infinite and 0 undefined pixels", t) for t in done.said("WARNING")
    ]
    return [int(match[1]) for match in found if match]


@pytest.mark.parametrize("program", BOTH)
def test_r5_7_non_finite_image_has_no_noise(programs, tmp_path, program):
    """R5.7, C10.8: float and integer files are written, then the error, which says what is infinite."""
    done = programs(program, *CELL, "-default_F", 1e200, "-noisefile", "noise.img", cwd=tmp_path)
    words = "noise image: the float image has 16 infinite and 0 undefined pixels, expected finite ones"
    assert done.error == words
    assert sorted(path.name for path in tmp_path.iterdir()) == ["floatimage.bin", "intimage.img"]


@pytest.mark.parametrize("program", BOTH)
def test_c10_8_infinite_pixels_are_counted(programs, tmp_path, program):
    """C10.8: the pixels in question are those of the file."""
    counts = []
    for fluence in (1e69, 3e70, 1e300):
        done = programs(
            program, *CELL, "-default_F", 1, "-roi", 0, 2, 0, 3, "-fluence", fluence, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        image = struct.unpack("<16f", (tmp_path / "floatimage.bin").read_bytes())
        counts.append(sum(not abs(pixel) < float("inf") for pixel in image))
        assert infinite_pixels(done) == ([counts[-1]] if counts[-1] else [])
    assert 0 == counts[0] < counts[1] < counts[2] == 12


# TYPE of a header: bytes of one pixel, whether it may be a negative zero
ELEMENTS = {
    "": (2, False),
    "unsigned_byte": (1, False),
    "unsigned_char": (1, False),
    "unsigned_short": (2, False),
    "signed_short": (2, False),
    "short": (2, False),
    "unsigned_long": (4, False),
    "signed_long": (4, False),
    "long": (4, False),
    "unsigned_int": (4, False),
    "signed_int": (4, False),
    "int": (4, False),
    "integer": (4, False),
    "float": (4, True),
    "float_ieee": (4, True),
    "double": (8, True),
    "Unsigned Long-Int": (4, False),
    "signed_byte": (1, False),
    "short int": (2, False),
}


def mask_file(kind, order, pixels):
    """An SMV file of 4 x 4 pixels of a type."""
    entry = f"TYPE={kind};\n" if kind else ""
    text = f"{{\nHEADER_BYTES=512;\nBYTE_ORDER={order};\nDETECTOR_TYPE=x;\n{entry}SIZE1=4;\nSIZE2=4;\n}}\f"
    return text.encode().ljust(512) + pixels


@pytest.mark.parametrize("program", BOTH)
@pytest.mark.parametrize("order", ["little_endian", "big_endian"])
@pytest.mark.parametrize("kind", ELEMENTS)
def test_f12_5_masks_of_every_type(programs, tmp_path, program, order, kind):
    """F12.5: a pixel is off where all its bytes are 0, whichever way they stand; a negative zero is 0."""
    size, real = ELEMENTS[kind]
    sign = 0 if order == "big_endian" else size - 1
    pixels = [
        bytes(size) if i % 3 == 0 else bytes(i % size) + b"\1" + bytes(size - i % size - 1) for i in range(16)
    ]
    pixels[4] = bytes(sign) + b"\x80" + bytes(size - sign - 1)
    pixels[5] = bytes(size - sign - 1) + b"\x80" + bytes(sign)
    off = {i for i in range(16) if i % 3 == 0} | ({4} if real else set())
    (tmp_path / "m.img").write_bytes(mask_file(kind, order, b"".join(pixels)))
    programs.good(program, *CELL, "-default_F", 10, "-mask", "m.img", cwd=tmp_path)
    image = struct.unpack("<16f", (tmp_path / "floatimage.bin").read_bytes())
    assert {i for i in range(16) if image[i] == 0} == off


def test_f12_5_types_and_lengths_that_do_not_fit(programs, tmp_path):
    """F12.5, F12.7: unknown types and missing bytes are errors, further bytes are not read."""
    run = [*CELL, "-default_F", 10]
    (tmp_path / "odd.img").write_bytes(mask_file("complex", "little_endian", bytes(128)))
    for option, good in (("-mask", False), ("-img", True)):
        done = programs(SPECIFICATION, *run, option, "odd.img", cwd=tmp_path)
        assert good or "key TYPE is 'complex'" in done.error and "unsigned_short" in done.error
        assert good == (done.returncode == 0)
    for kind, (size, _) in ELEMENTS.items():
        for length, words in ((-1, "truncated"), (0, None), (1, "bytes of pixels, but")):
            (tmp_path / "m.img").write_bytes(mask_file(kind, "little_endian", b"\1" * (16 * size + length)))
            done = programs(SPECIFICATION, *run, "-mask", "m.img", cwd=tmp_path)
            said = done.said("WARNING" if length > 0 else "ERROR")
            assert [words in text for text in said if "m.img" in text] == ([True] if words else [])


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ("DATA_TYPE=short int;", None),
        ("Data_type=unsigned short int;TYPE=short;", None),
        ("TYPE=unsigned_short;Data_type=long int;", "'long int', expected the type of TYPE, unsigned_short"),
        ("DIM=3;", "key DIM is '3', expected 2"),
        ("DIM=two;", "key DIM is 'two', expected 2"),
        ("COMPRESSION=None;", None),
        ("COMPRESSION=gzip;", "key COMPRESSION is 'gzip', expected none"),
        ("TYPE=unsigned_short DIM=2;", None),
        ("DETECTOR_TYPE=complex;MYTYPE=odd;", None),
    ],
)
def test_f12_8_what_else_says_how_pixels_are_stored(programs, tmp_path, entries, said):
    """F12.8: other keys of the type, dimensions, compression; an error for a mask only."""
    text = f"{{\nHEADER_BYTES=512;\nBYTE_ORDER=little_endian;\nSIZE1=4;\nSIZE2=4;\n{entries}\n}}\f"
    (tmp_path / "m.img").write_bytes(text.encode().ljust(512) + b"\1" * 32)
    run = [*CELL, "-default_F", 10]
    for program in BOTH:
        done = programs(program, *run, "-mask", "m.img", cwd=tmp_path)
        assert said in done.error if said else done.returncode == 0, done.stderr
    programs.good(SPECIFICATION, *run, "-img", "m.img", cwd=tmp_path)


OTHER_KINDS = {
    "compressed with gzip": b"\x1f\x8b\x08\0\0",
    "an MTZ file": b"MTZ \x15\0\0\0",
    "an HDF5 file": b"\x89HDF\r\n\x1a\n\0",
    "a CBF image": b"###CBF: VERSION 1.5\r\n\r\ndata_x\r\n",
    "a CIF file": b"# made here\n\ndata_1abc\n_cell.length_a 10\n",
    "a PDB file": b"CRYST1   50.000   60.000   70.000  90.00  90.00  90.00 P 21 21 21\n",
    "XPARM.XDS, the geometry of XDS": b" XPARM.XDS    VERSION Jan 10, 2022\n     1     0.0000    0.1\n",
    "an experiment list of DIALS": b'{\n  "__id__": "ExperimentList"\n}\n',
    "a JSON file": b'[["x", 1]]',
    "a file of XDS": b"!FORMAT=XDS_ASCII    MERGE=FALSE\n",
    "a ZIP archive": b"PK\3\4",
    "text in UTF-16": "1 2 3 4".encode("utf-16-be"),
    "text in UTF-32": "1 2 3 4".encode("utf-32"),
    "an SMV image": b"{\nHEADER_BYTES=512;\n",
}


@pytest.mark.parametrize("kind", OTHER_KINDS)
@pytest.mark.parametrize("option", ["-hkl", "-dump", "-mat", "-sourcefile", "-stol", "-mask"])
def test_f2_8_files_of_other_kinds_are_named(programs, tmp_path, option, kind):
    """F2.8: by their first bytes; the user is told what takes them where something does."""
    (tmp_path / "other").write_bytes(OTHER_KINDS[kind])
    done = programs(SPECIFICATION, *CELL, "-default_F", 1, option, "other", cwd=tmp_path)
    if (option, kind) == ("-mask", "an SMV image"):
        assert "at least 512 bytes" in done.error
        return
    assert f"{option}: file 'other' is {kind}" in done.error
    text = ("gzip", "MTZ", "CIF", "PDB")
    assert ("nanobrag_torch reads it" in done.error) == (option == "-hkl" and any(t in kind for t in text))
