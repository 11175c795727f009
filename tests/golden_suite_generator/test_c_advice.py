"""What the C reference says of its image, and of inputs that contradict it (C10, F4, F5, F12)."""

import re
import struct
import subprocess

import pytest

HISTORICAL, SPECIFICATION = "nanoBragg", "nanoBragg-spec"
BOTH = [HISTORICAL, SPECIFICATION]
# one cell, so that every term of a pixel has the same size
RUN = "-cell 70 80 90 -default_F 10 -N 1 -detpixels 4 -pixel 10 -oversample 1 -nonoise -nopgm -seed 1".split()
SIZE = re.compile(r"(?:up to )?(\S+)( %| times)? ?(too strong|too weak)? in nanoBragg's physics")


def pixels(folder):
    """The float image."""
    data = (folder / "floatimage.bin").read_bytes()
    return struct.unpack(f"<{len(data) // 4}f", data)


def said_ratio(text):
    """Ratio of the number in force to the right one, out of the words of C10.1."""
    number, unit, way = SIZE.search(text).groups()
    if unit is None:
        return float(number)
    value = float(number) / 100 if unit == " %" else float(number)
    if unit == " %":
        return 1 + value if way == "too strong" else 1 - value
    return value if way == "too strong" else 1 / value


THICK = "-detector_thick 100 -detector_abs 300"


@pytest.mark.parametrize(
    ("line", "start", "ids"),
    [
        (f"{THICK}", "-detector_thick:", "(HD-THK-1)"),
        (f"{THICK} -thicksteps 10", "-detector_thick:", "(HD-THK-1, HD-THK-2)"),
        (
            f"{THICK} -thicksteps 3 -oversample_thick",
            "-oversample_thick, -detector_thick:",
            "HD-OVS-1, HD-THK-2",
        ),
        (
            "-pixel 0.1 -oversample 2 -oversample_omega",
            "-oversample_omega:",
            "for terms of equal size (HD-OVS-1)",
        ),
        ("-pixel 0.1 -oversample 3 -oversample_omega -point_pixel", "-oversample_omega:", "(HD-OVS-1)"),
        ("-pixel 0.1 -oversample 2 -oversample_polar -Xbeam 90", "-oversample_polar:", "(HD-OVS-1)"),
        ("-oversample_polar -nopolar -Xbeam 90", "-oversample_polar:", "(HD-POL-2)"),
        ("-oversample_thick", "-oversample_thick:", "(HD-THK-3)"),
        ("-water 4 -fluence 2e22 -default_F 1e-30", "-water:", "(HD-BKG-1, HD-BKG-2)"),
        ("-water 4 -fluence 2e22 -default_F 1e-30 -oversample 4", "-water:", "(HD-BKG-1, HD-BKG-2)"),
    ],
)
def test_c10_2_sizes_are_those_between_the_two_physics(programs, tmp_path, line, start, ids):
    """C10.2.1, C10.2.2: what is said of one pixel is what the images of both physics show."""
    run = [*RUN, "-roi", 3, 3, 1, 1, *line.split()]
    done = programs(SPECIFICATION, *run, cwd=tmp_path)
    (text,) = [text for text in done.said("WARNING") if "in nanoBragg's physics" in text]
    assert text.startswith(start) and ids in text and text.endswith("use -physics corrected")
    ours = pixels(tmp_path)[7]
    done = programs(SPECIFICATION, *run, "-physics", "corrected", cwd=tmp_path)
    assert not any("in nanoBragg's physics" in text for text in done.said("WARNING"))
    assert said_ratio(text) == pytest.approx(ours / pixels(tmp_path)[7], rel=0.006)


@pytest.mark.parametrize(
    "line",
    ["", "-oversample 2", "-oversample_omega", "-nopolar"],
)
def test_c10_2_nothing_is_said_without_a_difference(programs, tmp_path, line):
    """C10.1: below 0.1 % a run is silent; the images of both physics confirm it."""
    images = []
    for physics in ("nanobragg", "corrected"):
        run = [*RUN, "-pixel", 0.1, *line.split(), "-physics", physics]
        done = programs(SPECIFICATION, *run, cwd=tmp_path)
        assert not any("physics" in text for text in done.said("WARNING"))
        images.append(pixels(tmp_path))
    assert images[0] == pytest.approx(images[1], rel=2e-3)


def test_c10_2_the_historical_program_names_the_other(programs, tmp_path):
    """C10.2: it has no corrected physics itself."""
    done = programs(HISTORICAL, *RUN, *THICK.split(), cwd=tmp_path)
    assert any(text.endswith("use nanoBragg-spec -physics corrected") for text in done.said("WARNING"))


def test_c10_2_4_first_subpixel(programs, tmp_path):
    """C10.2.4: a note with the difference between first sub-pixel and pixel, as a finer run has it."""
    run = [*RUN, "-pixel", 3, "-roi", 3, 3, 0, 0, "-oversample", 9]
    done = programs(SPECIFICATION, *run, cwd=tmp_path)
    (text,) = [text for text in done.said("NOTE") if "HD-OVS-2" in text]
    switches = re.search(r"use (.*) with -physics corrected", text)[1].split()
    assert switches == ["-oversample_polar", "-oversample_omega"]
    first = pixels(tmp_path)[3]
    programs.good(SPECIFICATION, *run, *switches, "-physics", "corrected", cwd=tmp_path)
    percent, way = re.search(r"so that it is (\S+) % too (\w+)", text).groups()
    ratio = 1 + float(percent) / 100 * (1 if way == "strong" else -1)
    assert ratio == pytest.approx(first / pixels(tmp_path)[3], rel=2e-3)


@pytest.mark.parametrize(
    ("option", "other"), [("-gauss_xtal", "-tophat_spots"), ("-tophat_spots", "-gauss_xtal")]
)
def test_c10_2_5_spots_of_the_wrong_volume(programs, tmp_path, option, other):
    """C10.2.5, HD-SHP-1: silent with the factor that it advises, and for a single cell."""
    run = [*RUN, "-cell", 50, 50, 50, "-N", 20, option]
    (text,) = [
        text for text in programs(SPECIFICATION, *run, cwd=tmp_path).said("WARNING") if "HD-SHP-1" in text
    ]
    assert text.startswith(option) and "520" in text if option == "-gauss_xtal" else other not in text
    fudge = re.search(r"-fudge (\S+)", text)[1]
    for extra in (["-fudge", fudge], ["-N", 1]):
        done = programs(SPECIFICATION, *run, *extra, cwd=tmp_path)
        assert not any("HD-SHP-1" in text for text in done.said("WARNING"))


def test_c10_2_8_distance_after_a_swing(programs, tmp_path):
    """C10.2.8, HD-DET-1: the two distances are those of the headers of both physics."""
    run = [*RUN, "-twotheta", 20]
    (text,) = [
        text for text in programs(SPECIFICATION, *run, cwd=tmp_path).said("WARNING") if "HD-DET-1" in text
    ]
    said = re.search(r"is (\S+) instead of (\S+) mm", text).groups()
    for distance, physics in zip(said, ("nanobragg", "corrected"), strict=True):
        programs.good(SPECIFICATION, *run, "-physics", physics, cwd=tmp_path)
        assert f"\nDISTANCE={distance};" in (tmp_path / "intimage.img").read_bytes().decode("latin-1")


def test_c10_2_11_angles_in_force(programs, tmp_path):
    """C10.2.11, HD-XTL-4: those of the report; silent where at most two angles are oblique."""
    done = programs(SPECIFICATION, *RUN, *"-cell 50 60 70 60 70 80".split(), cwd=tmp_path)
    (text,) = [text for text in done.said("WARNING") if "HD-XTL-4" in text]
    angles = " ".join(re.search(r"Unit Cell: (.*)", done.stdout)[1].split()[3:])
    assert f"in force are {angles} degrees instead of 60 70 80" in text
    done = programs(SPECIFICATION, *RUN, *"-cell 50 60 70 90 70 90".split(), cwd=tmp_path)
    assert not any("HD-XTL-4" in text for text in done.said("WARNING"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "-lambda 12398.42",
            "-lambda/-energy: 12398.4 Angstrom is implausible, expected 0.1 to 10 Angstrom; looks like an",
        ),
        ("-lambda 0.07", "looks like nanometres"),
        ("-distance 0.1", "-distance: 0.1 mm is implausible, expected 1 to 100000 mm; looks like metres"),
        ("-close_distance 0.1", "-close_distance: 0.1 mm"),
        ("-pixel 0.0001", "-pixel: 0.0001 mm is implausible"),
        (
            "-cell 7 8 0.9",
            "-cell: 0.9 Angstrom is implausible, expected 2 to 10000 Angstrom; looks like nanometres",
        ),
        ("-cell 70 80 90 1.57 1.57 1.57", "-cell: 1.57 degrees is implausible"),
        ("-beamsize 1e-4", "-beamsize: 0.0001 mm is implausible"),
        ("-samplesize 50", "-samplesize: 50 mm is implausible, expected 0 to 10 mm; looks like micrometres"),
        ("-mosaic 20 -mosaic_dom 1", "-mosaic: 20 degrees"),
        (
            "-divergence 200",
            "-vdivrange: 200 mrad is implausible, expected 0 to 100 mrad; looks like microradians",
        ),
        ("-dispersion 60", "-dispersion: 60 percent"),
        ("-osc 400", "-osc: 400 degrees"),
        ("-twotheta 200", "-twotheta: 200 degrees"),
        ("-flux 1e30", "-flux: 1e+38 photons/m^2"),
        (
            "-sdet_vector 0 -1 0.5",
            "-fdet_vector to -sdet_vector: 63.4349 degrees is implausible, expected 89.9 to",
        ),
        ("-polar_vector 1 0 0 -polar 0.9", "-polar_vector to -beam_vector: 0 degrees is implausible"),
        ("-spindle_axis 1 0 0 -phi 1", "-spindle_axis to -beam_vector: 0 degrees is implausible"),
        ("-gauss_xtal -fudge 0", "-fudge: 0 makes one spot of all reciprocal space, expected more than 0"),
        ("-twotheta 170", "-twotheta: the detector is behind the sample"),
        ("-pixel 0.1 -detpixels 999 -roi 0 0 0 0 -Xbeam 0.05 -Ybeam 0.06", "; looks like metres"),
        ("-flux 1e12 -exposure 0", "-flux has no effect: the exposure is 0"),
        ("-exposure 9", "-exposure has no effect without -flux"),
        ("-misset_seed 9", "-misset_seed has no effect without -misset random"),
        ("-mosaic 1 -mosaic_domains 1", "-mosaic has no effect with one domain, which is not tilted"),
        ("-samplesize 1e-4", "-N: the number of cells follows from the crystal size (-samplesize)"),
        ("-samplesize 0.2", "-samplesize: the crystal along b is cut from 0.2 to the beam size of 0.1 mm"),
        ("-scale 1e9", "-scale: 16 of 16 pixels of the integer image are cut at 65535"),
        ("-scale 1e-9", "-scale: the brightest pixel of the integer image is"),
        (
            "-detector_thick 0.3 -detector_abs 300",
            "-detector_thick: 0.3 micrometre is implausible, expected 1 to",
        ),
        ("-detector_thick 300 -detector_abs 0.3", "-detector_abs: 0.3 micrometre"),
        ("-water 0.004", "-water: 0.004 micrometre"),
        ("-fluence 1e32", "-fluence: 1e+32 photons/m^2"),
        ("-dmin 0.4", "-dmin has no effect: a wavelength of 1 Angstrom reaches 0.5 Angstrom"),
        ("-fluence 1", "-fluence: 7.2e-17 photons hit the crystal"),
        ("-flux 1e-12", "-flux: 7.2e-21 photons hit the crystal, expected at least 1"),
        ("-sample_x 1e-6", "-samplesize: the crystal is smaller than its unit cell along a"),
        ("-distance -100", "-distance: its sign has no effect"),
        ("-Xbeam 900", "the beam centre is 30 905 mm from the first corner, on"),
        ("-fdet_vector 0 0 -1", "fast x slow points against the normal, the image is mirrored"),
        ("-odet_vector -1 0 0", "the beam does not meet the front of the detector"),
        ("-close_distance -50", "the detector is behind the sample"),
        (
            "-phisteps 5 -phistep 0.1",
            "-phisteps has no effect beside -phistep without -osc: 2 steps are taken (HD-PHI-4)",
        ),
        ("-osc 1 -phisteps 4 -phistep 0.1", "-phistep: 4 steps of 0.1 cover 0.4 degrees, but -osc says 1"),
        ("-hdivsteps 3", "-hdivsteps: without -hdivrange the range is 1000 mrad (HD-SRC-4)"),
        ("-hdivrange 1 -hdivstep 0.3", "-hdivrange: the 4 directions reach from -0.5 to 0.4 mrad"),
        ("-thicksteps 3", "-thicksteps has no effect without -detector_thick"),
        ("-detector_absorb 3", "-detector_absorb has no effect without -detector_thick"),
        ("-dispsteps 3", "-dispsteps has no effect without -dispersion"),
        ("-curved_det", "reflected about its anti-diagonal (HD-DET-7)"),
        ("-curved_det -xds", "the pixels lie on no sphere"),
        ("-default_F 1e-30 -mask dark.img", "the image is 0 everywhere (-mask: no pixel is left)"),
        ("-fluence 0", "the image is 0 everywhere (fluence 0)"),
        ("-dmin 50", "the image is 0 everywhere (-dmin: the whole region is beyond it)"),
        ("-close_distance -50 -nopolar", "the image has 16 pixels below 0"),
    ],
)
def test_c10_4_and_c10_8_what_is_hardly_meant(programs, tmp_path, line, words):
    """C10.4, C10.8, C10.2.10, 12, 13: said once, by both programs; the plain run says none of it."""
    text = "{\nHEADER_BYTES=512;\nBYTE_ORDER=little_endian;\nSIZE1=4;\nSIZE2=4;\nPIXEL_SIZE=10;\n}\f"
    (tmp_path / "dark.img").write_bytes(text.encode().ljust(512) + bytes(32))
    for program in BOTH:
        done = programs(program, *RUN, *line.split(), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert sum(words in text for text in done.said("WARNING")) == 1, done.stderr
        assert not any(words in text for text in programs(program, *RUN, cwd=tmp_path).said("WARNING"))


def test_c5_equal_messages_are_given_once(programs, tmp_path):
    """C5: three equal edges are one message."""
    done = programs(SPECIFICATION, *RUN, "-cell", 1, cwd=tmp_path)
    assert sum("is implausible" in text for text in done.said("WARNING")) == 1


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
@pytest.mark.parametrize("option", ["-floatfile", "-intfile", "-pgmfile", "-noisefile"])
def test_c10_5_an_image_on_standard_output(programs, tmp_path, option, name):
    """C10.5: the bytes of the file and nothing else, into a pipe and into a file; all text is elsewhere."""
    run = [str(programs.folder / SPECIFICATION), *RUN, "-noisefile", "noise"]
    subprocess.run([*run, option, "made"], cwd=tmp_path, capture_output=True, check=True)
    made = (tmp_path / "made").read_bytes()
    done = subprocess.run([*run, option, name], cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout == made
    assert b"render time" in done.stderr
    with (tmp_path / "kept").open("wb") as out:
        out.write(b"before ")
        out.flush()
        subprocess.run([*run, option, name], cwd=tmp_path, stdout=out, stderr=subprocess.DEVNULL, check=True)
    assert (tmp_path / "kept").read_bytes() == b"before " + made
    assert not (tmp_path / "-").exists()


def test_c10_5_two_images_on_standard_output(programs, tmp_path):
    """C10.5: an error that names both; one that is not written does not count, and ./- is a file."""
    done = programs(SPECIFICATION, *RUN, "-floatfile", "-", "-intfile", "/dev/stdout", cwd=tmp_path)
    assert done.error.startswith("-intfile:") and "-floatfile" in done.error
    assert list(tmp_path.iterdir()) == []
    programs.good(SPECIFICATION, *RUN, "-pgmfile", "/dev/stdout", "-nopgm", "-floatfile", "./-", cwd=tmp_path)
    assert (tmp_path / "-").stat().st_size == 64


# ---- input that contradicts the run ---------------------------------------------------------------------

MATRIX = (
    "  0.02500000  0.00000000  0.00000000\n  0.00000000  0.02142857  0.00000000\n"
    "  0.00000000  0.00000000  0.01875000\n       0.000       0.000       0.000\n"
    "   1.0000000   0.0000000   0.0000000\n   0.0000000   1.0000000   0.0000000\n"
    "   0.0000000   0.0000000   1.0000000\n"
    "     60.0000     70.0000     80.0000     90.0000     90.0000     90.0000\n"
    "       0.000       0.000       0.000\n"
)


@pytest.mark.parametrize("program", BOTH)
@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("", "", "-lambda 1.5", None),
        (
            "",
            "",
            "-lambda 1",
            ":8: the file states the cell 60 70 80 90 90 90, but its matrix gives 40 46.6667 53.3333",
        ),
        ("", "", "-lambda 1", "the matrix was made for 1.5 Angstrom (-lambda)?"),
        ("60.0000", "61.0000", "-lambda 1.5", ":8: the file states the cell 61 70 80"),
        ("       0.000", "       5.000", "-lambda 1.5", ":4: the file has missetting angles 5 0 0 degrees"),
        ("       0.000", "       5.000", "-lambda 1.5 -misset 0 0 0", None),
        (
            "0.000\n   1.0",
            "0.000\n   1.0",
            "-lambda 1.5 -cell 60 70 80 90 105 90",
            "the angles of -cell are not used",
        ),
        ("", "", "-lambda 1.5 -cell 60.3 70 80", None),
        ("  0.02500000", " -0.02500000", "-lambda 1.5", "the matrix is left-handed (determinant -1.0"),
    ],
)
def test_f4_3_matrix_files_that_contradict_the_run(programs, tmp_path, program, old, new, line, words):
    """F4.2, F4.3, F4.4: compared with the cell that follows, with missets and with -cell."""
    (tmp_path / "A.mat").write_text(MATRIX.replace(old, new, 1))
    run = [*RUN[4:], "-mat", "A.mat", *line.split()]
    done = programs(program, *run, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = [text for text in done.said("WARNING") if "A.mat" in text]
    assert words in found[0] if words else found == []


def test_f4_3_other_text_after_the_numbers(programs, tmp_path):
    """F4.3.3: a note with its first line, unless it is a comment."""
    for text, line in ((" and more\n", 3), ("\n# no\n\nSYMM P1\n", 6), ("\n# no\n! no\n", None)):
        (tmp_path / "A.mat").write_text("0.01 0 0\n0 0.02 0\n0 0 0.05" + text)
        done = programs(SPECIFICATION, *RUN[4:], "-mat", "A.mat", cwd=tmp_path)
        expected = [f"A.mat:{line}: everything after the nine numbers is ignored"] if line else []
        assert [text for text in done.said("NOTE") if "A.mat" in text] == expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (" 1 0.0 0.1 1.0 0.0 0.0\n 1.0 0.0 0.0 1.0\n 96 78 78 37\n 1 2 3\n", "XPARM.XDS"),
        (" XPARM.XDS    VERSION\n 1 0.0 0.1 1.0 0.0 0.0\n", "XPARM.XDS"),
        (
            "x file of DENZO\n 0.1 0.2 0.3 0.4 0.5 0.6\n 0.1 0.2 0.3 0.4 0.5 0.6\n 1. 2. 3. 4. 5. 6.\n",
            "DENZO",
        ),
        ('{"__id__": "ExperimentList"}', "DIALS"),
    ],
)
def test_f4_5_orientations_of_other_programs(programs, tmp_path, text, kind):
    """F4.5: an error that says what the file is."""
    (tmp_path / "A.mat").write_text(text)
    for program in BOTH:
        assert kind in programs(program, *RUN[4:], "-mat", "A.mat", cwd=tmp_path).error


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("-10 0 0 1\n-10 0 0 1.0000001\n-10 0.1 0", []),
        ("-10 0 0 7\n# x\n-10 0.1 0 9", [":3: weight 9, but 7 in line 1: column 4 is ignored"]),
        ("-10 0 0 0\n-10 0.1 0 0", [":1: weight 0 does not switch it off"]),
        ("-10 0 0 1 1e-10 6 7 # 8", [":1: columns beyond the fifth are ignored, got 2 more"]),
        ("-10 0 0 1 1.0", [":1: wavelength 1 m, which looks like Angstrom"]),
        ("-10 0 0 1 12398", [":1: wavelength 12398 m, which looks like eV"]),
        (
            "-10 0.1",
            [":1: the source is taken to be at -10 0.1 0: expected x y z [weight [wavelength]], got 2"],
        ),
        ("-10 0 0 1 3e-10", [":1: wavelength 3e-10 m, but the central wavelength is 1e-10 m"]),
        ("-10 0 0 1 1.2e-10", [":1: the wavelengths of the sources are 1.2e-10 to 1.2e-10 m"]),
        ("10 0 0", [":1: the source at 10 0 0 is 180 degrees off the beam, its beam comes from behind"]),
        ("-10 0 20", [":1: the source at -10 0 20 is 63 degrees off the beam; expected it near -10 0 0"]),
    ],
)
def test_f5_6_source_lists_that_are_hardly_meant(programs, tmp_path, text, words):
    """F5.6: with the line."""
    (tmp_path / "s.txt").write_text(text)
    done = programs(SPECIFICATION, *RUN, "-sourcefile", "s.txt", cwd=tmp_path)
    found = [text for text in done.said("WARNING") if text.startswith("s.txt")]
    assert len(found) == len(words) and all(word in text for word, text in zip(words, found, strict=True))


def image(folder, entries, name="x.img", pixels=32):
    """An SMV file of 4 x 4 pixels with these entries."""
    start = "{\nHEADER_BYTES=1024;\nBYTE_ORDER=little_endian;\nSIZE1=4;\nSIZE2=4;\nPIXEL_SIZE=10;\n"
    text = f"{start}{entries}\n}}\f"
    (folder / name).write_bytes(text.encode().ljust(1024) + b"\1" * pixels)


GEOMETRY = "DISTANCE=100;WAVELENGTH=1;BEAM_CENTER_X=20;BEAM_CENTER_Y=20;"


@pytest.mark.parametrize(
    ("entries", "line", "level", "words"),
    [
        ("TWOTHETA=20.000;", "", "WARNING", "TWOTHETA: the swing of 20 degrees is not applied"),
        ("TWOTHETA=20.000;", "-twotheta 0", "WARNING", None),
        ("OSC_START=3;", "", "WARNING", "OSC_START=3 and no PHI, so it is 0"),
        ("OSC_START=3;PHI=3;", "", "WARNING", None),
        ("OSC_START=3;PHI=4;", "-phi 4", "WARNING", None),
        ("OMEGA=5;AXIS=phi;", "", "WARNING", "header keys OMEGA=5 (degrees): these axes are not turned"),
        ("OMEGA=5;AXIS=omega;", "", "WARNING", "AXIS: the scan turned 'omega'"),
        ("DISTANCE=200;", "", "WARNING", "DISTANCE occurs 2 times, as '100' and as '200': the last counts"),
        ("DISTANCE=100.0;", "", "WARNING", None),
        (
            "PHI=3 rad;",
            "",
            "WARNING",
            "PHI: 'rad' after the number is ignored, the number is taken in degrees",
        ),
        ("PHI=3 deg;", "", "WARNING", None),
        ("DETECTOR_DIMENSIONS=4 5;", "", "WARNING", "DETECTOR_DIMENSIONS: 4 x 5 pixels, but 4 x 4"),
        ("SIZE2=4.5;", "", "WARNING", "SIZE2: 4.5 is no pixel count, 4 is used"),
        ("SCAN_ROTATION=0 1 1;", "", "WARNING", "SCAN_ROTATION: the geometry of d*TREK is not read"),
        ("Distance=3;", "", "WARNING", "header key Distance is not read, expected DISTANCE in capitals"),
        ("FOO=1;BAR=2;CCD_X=1;DATE=1;", "", "NOTE", "does not know are ignored: FOO, BAR"),
        ("", "", "NOTE", "the header does not say of which convention they are, mosflm is taken"),
        ("", "-denzo", "NOTE", None),
        ("TYPE=signed_long;", "", "WARNING", "32 bytes of pixels, but SIZE1, SIZE2 and TYPE say 64"),
        ("", "-xds", "WARNING", "BEAM_CENTER_X, BEAM_CENTER_Y do not place the detector: the xds convention"),
        ("CLOSE_DISTANCE=90;", "", "WARNING", "100 and 90 mm fit only a detector that is tilted"),
        ("CLOSE_DISTANCE=90;", "-detector_roty 25.841933", "WARNING", None),
    ],
)
def test_f12_10_headers_that_contradict_the_run(programs, tmp_path, entries, line, level, words):
    """F12.9, F12.10, F12.11: said, with file and key, and not where an option settles it."""
    image(tmp_path, GEOMETRY + entries)
    for program in BOTH:
        done = programs(program, *RUN[:8], "-nonoise", "-nopgm", "-img", "x.img", *line.split(), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        found = [text for text in done.said(level) if text.startswith("x.img:")]
        assert sum(words in text for text in found) == 1 if words else found == [], found


@pytest.mark.parametrize("convention", ["mosflm", "xds", "adxv", "denzo", "dials"])
@pytest.mark.parametrize("other", ["mosflm", "xds", "adxv", "denzo", "dials"])
def test_f12_11_own_headers_come_back(programs, tmp_path, convention, other):
    """F12.11: silent under the convention of the file; one that places anything elsewhere is named."""
    base = [*RUN[:8], "-nonoise", "-nopgm"]
    made = "-pixel 0.1 -detpixels 40 -Xbeam 1.3 -Ybeam 2.1 -ORGX 13 -ORGY 21".split()
    programs.good(SPECIFICATION, *base, f"-{convention}", *made, "-intfile", "x.img", cwd=tmp_path)
    done = programs(SPECIFICATION, *base, f"-{other}", "-img", "x.img", cwd=tmp_path)
    found = [text for text in done.said("WARNING") if text.startswith("x.img:")]
    centres = {name: [] for name in ("made", "read")}
    for name, path in (("made", "x.img"), ("read", "intimage.img")):
        text = (tmp_path / path).read_bytes().split(b"}")[0].decode()
        keys = re.findall(r"(?:DENZO_._BEAM|DIALS_ORIGIN)=([^;\n]*)", text)
        centres[name] = [float(x) for x in ",".join(keys).split(",")]
    same = centres["made"] == pytest.approx(centres["read"], abs=0.025)
    assert len(found) == (0 if same else 1)
    if found:
        assert f"under the {other} convention" in found[0]
        assert re.search(rf"it was written with .*-{convention}\b", found[0])
    elif convention == other:
        assert same


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("-lambda 0.0251", "-lambda/-energy: 0.0251 Angstrom is a wavelength of electrons"),
        ("-osc 1", "-osc without -phisteps: 2 steps"),
        ("-phisteps 3", "-phisteps without -osc: the range is 1 degree"),
        ("-hdivrange 1", "-hdivrange without -hdivsteps: 2 directions"),
        ("-vdivrange 1", "-vdivrange without -vdivsteps: 2 directions"),
        ("-dispersion 1", "-dispersion without -dispsteps: 2 wavelengths"),
        ("-divergence 50 -divsteps 3", "each pixel has the polarization of the first source"),
    ],
)
def test_c8_3_and_c10_what_may_be_ignored(programs, tmp_path, line, words):
    """C8.3, C10.2.14, C10.4.9: a note, said once, by both programs; the plain run says none of it."""
    for program in BOTH:
        done = programs(program, *RUN, *line.split(), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert sum(words in text for text in done.said("NOTE")) == 1, done.stderr
        assert not any(words in text for text in programs(program, *RUN, cwd=tmp_path).said("NOTE"))
