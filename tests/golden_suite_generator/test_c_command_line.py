"""The command line of the C reference (C3, C8, C9)."""

import re

import pytest

HISTORICAL, SPECIFICATION = "nanoBragg", "nanoBragg-spec"
BOTH = [HISTORICAL, SPECIFICATION]
RUN = "-cell 70 80 90 -default_F 10 -N 5 -detpixels 4 -oversample 1 -nonoise -nopgm".split()

# valid values: every spelling that takes them (C3, C8.5)
OPTIONS = {
    "file": (
        "-hkl -mat -matrix -img -mask -sourcefile -dump -dumpfile -stol -4stol -Q -stolout -floatfile "
        "-floatimage -intfile -intimage -pgmfile -pgmimage -noisefile -noiseimage"
    ),
    "0.5": (
        "-default_F -samplesize -sample_size -xtalsize -xtal_size -sample_x -sample_thick "
        "-sample_thickness -xtal_x -xtal_thick -xtal_thickness -sample_y -sample_width -xtal_y "
        "-xtal_width -width -sample_z -sample_height -sample_heigh -xtal_z -xtal_height -xtal_heigh "
        "-height -heigh -fudge -density -sample_density -sample_den -MW -molecular_weight -molec -mosaic "
        "-mosaicity -mosaici -mosaic_spread -mosaic_spr -phi -osc -phistep -lambda -wave -wavelength "
        "-energy -fluence -flux -exposure -beamsize -polar -dispersion -divergence -hdivrange -vdivrange "
        "-hdivstep -vdivstep -pixel -detsize -detsize_f -detsize_s -distance -close_distance "
        "-detector_rotx -detector_roty -detector_rotz -twotheta -Xbeam -Ybeam -Xclose -Yclose -ORGX -ORGY "
        "-detector_thick -dmin -water -scale -pgmscale -adc -adcoffset -adc_offset"
    ),
    "": (
        "-interpolate -nointerpolate -square_xtal -round_xtal -gauss_xtal -tophat_spots -binary_spots "
        "-nopolar -round_div -square_div -coherent -curved_det -curved_detector -point_pixel -mosflm -xds "
        "-adxv -denzo -dials -oversample_thick -oversample_polar -oversample_omega -nonoise -nopgm "
        "-printout -progress -noprogress"
    ),
    "100 90 80": ("-cell"),
    "1 2 3": ("-misset -pix0_vector -pix0_vector_mm"),
    "3": (
        "-N -Na -Nb -Nc -mosaic_domains -mosaic_dom -phisteps -dispsteps -hdivsteps -vdivsteps -divsteps "
        "-detpixels -detpixels_f -detpixels_x -detpixels_s -detpixels_y -detector_thicksteps -thicksteps "
        "-oversample -seed -mosaic_seed -misset_seed"
    ),
    "1 0 0": (
        "-spindle_axis -fdet_vector -sdet_vector -odet_vector -beam_vector -polar_vector -twotheta_axis"
    ),
    "beam": ("-pivot"),
    "100": ("-detector_abs -detector_absorb -detector_absorption"),
    "0 1 0 1": ("-roi"),
    "1 2": ("-printout_pixel -trace_pixel"),
    "cpu": ("-device"),
    "float64": ("-dtype"),
    "nanobragg": ("-physics"),
}
USES = [(name, values.split()) for values, names in OPTIONS.items() for name in names.split()]


def header(folder):
    """Keys of the integer image's header."""
    text = (folder / "intimage.img").read_bytes().split(b"}")[0].decode()
    return dict(re.findall(r"(\w+)=([^;\n]*)", text))


def refused(done, *words):
    """Whether a run ended with status 9 and one line that holds the words."""
    return all(word in done.error for word in words)


def idle(done, level="WARNING"):
    """Options of which a run says in this level that they have no effect (C8.3)."""
    return [text.split()[0] for text in done.said(level) if " has no effect" in text]


def test_c8_2_there_are_163_spellings_in_c3():
    """C8.2: 163 spellings of 118 options, and five options with values in C8.5."""
    assert len(USES) == 163 + 5


def test_c9_1_every_spelling_parses(programs, tmp_path):
    """C9.1: all spellings with valid values; --version ends the scan without error."""
    for name, values in USES:
        done = programs(SPECIFICATION, name, *values, "--version", cwd=tmp_path)
        assert done.returncode == 0, (name, done.stderr)


def test_c9_1_one_value_too_few_fails(programs, tmp_path):
    """C9.1: the message names the option."""
    for name, values in USES:
        if values:
            short = values[:-1] if name != "-cell" else []
            assert refused(programs(SPECIFICATION, name, *short, cwd=tmp_path), name), name


def test_c9_1_numeric_options_refuse_words(programs, tmp_path):
    """C9.1: every numeric option fails on ``abc`` and names option and text."""
    for name, values in USES:
        if values and values[0][0].isdigit():
            bad = ["abc", *values[1:]]
            assert refused(programs(SPECIFICATION, name, *bad, cwd=tmp_path), name, "abc"), name


@pytest.mark.parametrize("option", ["-hdiv", "-vdiv", "-dispstep", "-detsize_x", "-detsize_y"])
def test_c8_3_documented_but_idle_options_warn(programs, tmp_path, option):
    """C8.3: accepted, with a note that names an effective option."""
    done = programs(SPECIFICATION, *RUN, option, 1, cwd=tmp_path)
    assert done.returncode == 0
    assert re.search(rf"{option} has no effect.*option is -\w+", "\n".join(done.said("NOTE")))
    assert idle(done) == []


REFUSED = {
    "-lamdba 1": "-lambda",
    "--lambda 1": "-lambda",
    "--phi-carryover-mode spec": "--phi-carryover-mode",
    "-N 1e3": "1e3",
    "-N 5.9": "5.9",
    "-N": "expected 1",
    "-lambda inf": "inf",
    "-lambda nan": "nan",
    "-lambda 0x10": "0x10",
    "-lambda 0": "more than 0",
    "-lambda 1e999": "1e999",
    "-hkl -cell": "minus sign",
    "-seed -5": "2147483646",
    "-seed 2147483647": "2147483646",
    "-polar 1.5": "-1 to 1",
    "-adc 65536": "65535",
    "-misset 1 2": "expected 3",
    "-misset upside": "random",
    "-detector_abs thick": "inf",
    "-device cuda": "cpu",
    "-dtype float32": "float64",
    "-fdet_vector 0 0 0": "0 0 0",
    "stray": "stray",
    "-N 5 6": "6: stray argument after -N",
    "-N 5 -7": "-7: stray argument after -N",
    "-N 5 -.5e1": "-.5e1: stray argument after -N",
    "-N=5": "nearest: -N,",
    "-cell 70 80 90 180": "180",
    "-cell 0": "edge",
    "-pivot middle": "sample",
    "-roi 5 4 0 3": "-roi",
    "-roi 4 9 0 3": "-roi",
    "-divsteps 1": "-divsteps",
    "-flux 1 -beamsize 0": "-beamsize",
    "-detpixels 2147483647": "in all",
    "-trace_pixel 4 0": "-trace_pixel",
    "-floatfile no/such/x": "no/such/x",
    "-oversample 60000": "terms",
    "-hdivsteps 2147483647": "-divsteps",
}


@pytest.mark.parametrize("line", REFUSED)
def test_c8_4_errors_are_one_line_with_status_9(programs, tmp_path, line):
    """C8.4, C8.6, C5: the message holds what the user needs and nothing is written."""
    assert refused(programs(SPECIFICATION, *RUN, *line.split(), cwd=tmp_path), REFUSED[line])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "line",
    [
        ["-pixel", "4" * 5000 + "x"],
        ["-hkl", "./" * 1500 + "missing"],
        ["-N", "\u20ac" * 900],
        ["-" + "\u20ac" * 900],
    ],
)
def test_c8_4_a_long_value_does_not_hide_what_was_expected(programs, tmp_path, line):
    """C8.4, C5: one line of bounded length that holds the option and the expectation."""
    error = programs(SPECIFICATION, *RUN, *line, cwd=tmp_path).error
    assert error.startswith(line[0][:50]) and "expected" in error
    assert len(error) < 1000


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-detpixels 50000", "2147483647"),
        ("-pixel 1e200", "1e+50 m"),
        ("-xds -distance 1e300", "1e+50 m"),
        ("-detector_thick 1e300", "1e+50 m"),
        ("-detector_thick 9 -thicksteps 2147483647", "1000000"),
        ("-osc 100 -phistep 1e-7", "100000000"),
        ("-mosaic 1 -mosaic_dom 2147483647", "100000000"),
        ("-divergence 1 -divsteps 99999999", "100000000"),
        ("-cell 1e200", "Miller indices and cells"),
    ],
)
def test_c8_9_absurd_sizes_are_refused(programs, tmp_path, line, said):
    """C8.9: in a moment, whatever memory the machine has."""
    assert refused(programs(SPECIFICATION, *RUN, *line.split(), cwd=tmp_path), said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("program", BOTH)
@pytest.mark.parametrize(
    ("angles", "expected"),
    [
        ("30 30 120", "gamma below alpha + beta"),
        ("60 60 120", "gamma below alpha + beta"),
        ("120 60 60.001", None),
        ("120 120 120", "a sum below 360"),
        ("119.9 119.9 119.9", None),
        ("170 100 95", "a sum below 360"),
        ("100 30 60", "alpha below beta + gamma"),
        ("45 170 50", "beta below alpha + gamma"),
        ("45 44.9", "gamma below alpha + beta"),
        ("45 45.1", None),
        ("0.1 0.1 0.1", None),
    ],
)
def test_c10_3_angles_that_no_cell_has(programs, tmp_path, program, angles, expected):
    """C10.3, HD-XTL-3: refused, also where a matrix leaves only the edges of -cell in use (P3.2)."""
    (tmp_path / "A.mat").write_text("0.01 0 0 0 0.02 0 0 0 0.05")
    full = [*map(float, angles.split()), 90.0][:3]
    for matrix in ([], ["-mat", "A.mat"]):
        done = programs(program, *RUN, *matrix, "-cell", 70, 80, 90, *angles.split(), cwd=tmp_path)
        if expected is None:
            assert done.returncode == 0, done.stderr
        else:
            words = "-cell: no cell has the angles {:g} {:g} {:g} degrees: expected {}"
            assert done.error == words.format(*full, expected)


@pytest.mark.parametrize(("line", "said"), [("-cell 70 80 90", "-default_F"), ("-default_F 10", "-cell")])
def test_c9_9_missing_inputs(programs, tmp_path, line, said):
    """C9.9, C4.17: one line that says what is missing, and status 9."""
    done = programs(SPECIFICATION, *line.split(), cwd=tmp_path)
    assert refused(done, "expected", said)
    assert done.stdout == ""


@pytest.mark.parametrize("program", BOTH)
def test_c10_7_without_arguments(programs, tmp_path, program):
    """C10.7: five lines on standard output, among them an example that runs, and status 9."""
    done = programs(program, cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert (done.returncode, len(lines), done.stderr) == (9, 5, "")
    assert lines[0].startswith(program) and "-h lists" in lines[4]
    example = lines[3].removeprefix(f"example: {program} ").split()
    programs.good(program, *example, "-roi", 0, 0, 0, 0, cwd=tmp_path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-hkl missing -sourcefile missing2", "-hkl"),
        ("-mat missing -floatfile no/such/x", "-mat"),
        ("-stol missing -sourcefile missing2", "-sourcefile"),
        ("-Q missing -floatfile no/such/x", "-Q"),
        ("-cell 30 30 30 30 30 120 -floatfile no/such/x", "-floatfile"),
    ],
)
def test_c10_6_files_are_tried_before_anything_is_read(programs, tmp_path, line, said):
    """C10.6: input files in order, then output files, then what they hold."""
    done = programs(SPECIFICATION, *RUN, *line.split(), cwd=tmp_path)
    assert done.error.startswith(said + ":")
    assert done.stdout == ""


@pytest.mark.parametrize("program", BOTH)
def test_c8_5_version_and_help(programs, tmp_path, program):
    """C8.5.1, C8.5.2: status 0, every spelling in the help text."""
    assert re.fullmatch(
        rf"{program} \d+\.\d+\.\d+ \(golden_suite_generator, \w+ mode\)\n",
        programs.good(program, "--version", cwd=tmp_path),
    )
    text = programs.good(program, "-h", cwd=tmp_path)
    assert text == programs.good(program, "--help", cwd=tmp_path)
    assert all(f" {name} " in text for name, _ in USES)
    helps = dict(re.findall(r"^  (-\S+).*\n(      .*)", text, flags=re.M))
    ones = ("-Na", "-Nb", "-Nc", "-fudge", "-exposure", "-lambda")
    assert all("default 1)" in helps[name] for name in ones)
    assert all("default 102.4" in helps[name] for name in ("-detsize", "-detsize_f", "-detsize_s"))
    assert "default 0" in helps["-flux"]
    assert "-hdivrange" in helps["-hdiv"] and "-odet_vector" in helps["-zdet_vector"]


def test_c9_3_twotheta_axis_does_not_set_the_swing(programs, tmp_path):
    """C9.3, HD-CLI-1."""
    programs.good(SPECIFICATION, *RUN, *"-twotheta 5 -twotheta_axis 0 0 -1".split(), cwd=tmp_path)
    assert header(tmp_path)["TWOTHETA"] == "5"


@pytest.mark.parametrize("convention", ["mosflm", "xds", "adxv", "denzo", "dials"])
def test_c9_4_named_conventions_ignore_the_pivot(programs, tmp_path, convention):
    """C9.4, C4.7: with a warning."""
    forced, other = ("sample", "beam") if convention in ("xds", "dials") else ("beam", "sample")
    done = programs(SPECIFICATION, *RUN, f"-{convention}", "-pivot", other, cwd=tmp_path)
    line = next(line for line in done.stdout.splitlines() if line.startswith("pivoting"))
    assert forced in line
    assert idle(done) == ["-pivot"]


@pytest.mark.parametrize(
    "option", [("-pix0_vector", 0.1, 0.0002, -0.0002), ("-pix0_vector_mm", 100, 0.2, -0.2)]
)
def test_hd_det_5_the_origin_that_is_computed_anyway_is_idle_too(programs, tmp_path, option):
    """HD-DET-5: kept with a note, which does not depend on the numbers."""
    done = programs(SPECIFICATION, *RUN, *option, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"{option[0]} has no effect: it only selects the custom convention" in done.said("NOTE")
    assert not any("origin" in text for text in done.said("WARNING"))


def test_c9_5_pix0_moves_nothing(programs, tmp_path):
    """C9.5, C4.8: same image, and a warning when it disagrees with the geometry."""
    images = set()
    for extra in ([], ["-pix0_vector", 1, 2, 3], ["-pix0_vector_mm", 1, 2, 3]):
        done = programs(SPECIFICATION, *RUN, "-fdet_vector", 0, 0, 1, *extra, cwd=tmp_path)
        assert ("detector origin" in done.stderr) == bool(extra)
        images.add((tmp_path / "floatimage.bin").read_bytes())
    assert len(images) == 1


@pytest.mark.parametrize("line", ["-distance 200 -close_distance 80", "-close_distance 80 -distance 200"])
def test_c9_6_close_distance_wins(programs, tmp_path, line):
    """C9.6, C4.5: in either order, with a warning."""
    done = programs(SPECIFICATION, *RUN, *line.split(), cwd=tmp_path)
    assert header(tmp_path)["DISTANCE"] == "80"
    assert "-distance" in idle(done)


def test_c9_7_centre_inputs(programs, tmp_path):
    """C9.7, C4.6: which centre option moves the pattern."""

    def image(*extra):
        programs.good(SPECIFICATION, *RUN, *extra, cwd=tmp_path)
        return (tmp_path / "floatimage.bin").read_bytes()

    assert image("-xds") == image("-xds", "-Xbeam", 0.3)
    assert image("-xds") != image("-xds", "-ORGX", 1)
    assert image() == image("-ORGX", 1)
    custom = ["-spindle_axis", 0, 0, 1]
    assert image(*custom, "-ORGX", 1, "-Xclose", 0.2, "-Xbeam", 0.1, "-pivot", "sample") == image(
        *custom, "-Xbeam", 0.1, "-pivot", "sample"
    )
    assert image(*custom, "-ORGX", 1, "-Xclose", 0.2) == image(*custom, "-Xclose", 0.2)
    assert image(*custom, "-ORGX", 1) != image(*custom, "-Xclose", 0.2)


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("-nonoise -noisefile x -seed 1", True),
        ("-noisefile x -nonoise", False),
        ("-nopgm -pgmscale 2 -pgmfile x", True),
        ("-pgmfile x -pgmscale 2 -nopgm", False),
    ],
)
def test_c9_8_last_switch_wins(programs, tmp_path, line, written):
    """C9.8, C2.8, with a warning for the idle option (C8.3)."""
    done = programs(SPECIFICATION, *RUN, *line.split(), cwd=tmp_path)
    assert (tmp_path / "x").exists() == written
    assert ("comes later" in done.stderr) != written


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("-xds -Xbeam 1 -Yclose 2 -ORGX 3", ["-Xbeam", "-Yclose"]),
        ("-adxv -Xbeam 1 -Yclose 2 -ORGX 3", ["-Yclose", "-ORGX"]),
        ("-beam_vector 1 0 0 -Xbeam 1 -Xclose 2 -ORGX 3 -ORGY 4", ["-Xclose", "-ORGX"]),
        ("-beam_vector 1 0 0 -Yclose 1 -ORGY 3 -ORGX 3", ["-ORGY"]),
        ("-fdet_vector 0 0 1 -pix0_vector_mm 100 0.2 -0.2 -denzo", ["-fdet_vector", "-pix0_vector_mm"]),
        ("-denzo -fdet_vector 0 0 1", ["-denzo"]),
        ("-detsize 5 -detsize_f 1", ["-detsize", "-detsize_f"]),
        ("-flux 1e20 -fluence 1e20", ["-fluence"]),
        ("-flux 0 -fluence 1e20", []),
        (
            "-sourcefile sources -hdivrange 1 -dispsteps 2 -round_div",
            ["-hdivrange", "-round_div", "-dispsteps"],
        ),
        ("-floatfile x -intfile x -noisefile y -pgmfile x", ["-floatfile", "-floatfile", "-intfile"]),
        ("-pgmfile intimage.img -nopgm -noisefile /dev/null -floatfile /dev/null", []),
    ],
)
def test_c8_3_what_has_no_effect_in_this_run_is_named(programs, tmp_path, line, named):
    """C8.3, C4.6, C4.7, C4.3, C4.11, F5.1: these options and no others."""
    (tmp_path / "sources").write_text("-1 0 0\n")
    done = programs(SPECIFICATION, *RUN, *line.split(), cwd=tmp_path)
    assert sorted(name for name in idle(done) if name.startswith("-")) == sorted(named)


@pytest.mark.parametrize(
    ("line", "same"),
    [
        ("-N 4 -Na 2", "-Nc 4 -Na 2 -Nb 4"),
        ("-Na 2 -N 4", "-N 4"),
        ("-lambda 2 -energy 24796.84", "-wave 0.5"),
        ("-divergence 2 -hdivrange 1", "-vdivrange 2 -hdivrange 1"),
        ("-hdivrange 1 -divergence 2", "-divergence 2"),
        ("-divergence 1 -hdivsteps 5 -divsteps 2", "-divergence 1 -vdivsteps 2 -hdivsteps 2"),
        ("-samplesize 1e-5 -width 4e-5", "-heigh 1e-5 -sample_y 4e-5 -xtal_thick 1e-5"),
        ("-cell 50 60 70 80 -cell 50", "-cell 50 50 50 90 90 90"),
        ("-misset random -misset 1 2 3", "-misset 1 2 3"),
        ("-misset_seed 3 -misset 1 2 3 -misset random -misset_seed 4", "-misset_seed 4 -misset random"),
        ("-square_div -round_div -divergence 1 -divsteps 3", "-divergence 1 -divsteps 3"),
        ("-gauss_xtal -binary_spots -round_xtal", "-round_xtal"),
        ("-flux 1e20 -fluence 7 -beamsize 1", "-fluence 1e26"),
        (
            "-twotheta 9 -detector_roty 5 -spindle_axis 0 0 1 -twotheta 0",
            "-pivot sample -detector_roty 5 -spindle_axis 0 0 1",
        ),
    ],
)
def test_c8_8_the_last_one_counts(programs, tmp_path, line, same):
    """C8.8, C2.8: repetitions, and options that set one quantity together, against what they amount to."""
    images = []
    for options in (line, same, ""):
        programs.good(SPECIFICATION, *RUN, *options.split(), cwd=tmp_path)
        images.append((tmp_path / "floatimage.bin").read_bytes() + (tmp_path / "intimage.img").read_bytes())
    assert images[0] == images[1] != images[2]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("-pgmscale 2 -nopgm -pgmfile x", []),
        ("-pgmscale 2 -nopgm -pgmimage x -nopgm", ["-pgmimage", "-pgmscale"]),
        ("-noisefile x -nonoise -noiseimage y", []),
        ("-polar 0.5 -nopolar -polar 0.5", []),
    ],
)
def test_c8_3_what_is_switched_on_again_is_not_called_idle(programs, tmp_path, line, named):
    """C8.3: the last switch says whether the options before it have an effect, in a note."""
    done = programs(SPECIFICATION, *RUN, *line.split(), cwd=tmp_path)
    assert idle(done, "NOTE") == named


@pytest.mark.parametrize(
    ("size", "printed"),
    [("-detpixels 9", True), ("-detpixels 8", False), ("-detpixels 8 -roi 0 9 0 9", True)],
)
def test_c6_3_progress_counts_the_region_as_it_is_given(programs, tmp_path, size, printed):
    """C6.3: lines from 100 pixels on, in a region that is inclusive and may lie beyond the image."""
    text = programs.good(SPECIFICATION, *RUN, *size.split(), cwd=tmp_path)
    assert ("% done" in text) == printed
    assert not printed or "100% done" in text


@pytest.mark.parametrize(
    ("line", "label", "numbers"),
    [
        ("", "phi", "0"),
        ("-osc 1", "phi", "0 0.5"),
        ("-osc 1 -phisteps 4", "phi", "0 0.25 0.5 0.75"),
        ("-osc 1 -phistep 0.3", "phi", "0 0.3 0.6 0.9"),
        ("-phistep 0.1", "phi", "0 0.1"),
        ("-phisteps 5", "phi", "0 0.2 0.4 0.6 0.8"),
        ("-phisteps 5 -phistep 0.1", "phi", "0 0.1"),
        ("-phisteps 0", "phi", "0"),
        ("-osc 0 -phistep 1", "phi", "0"),
        ("-dispersion 1", "lambda", "9.95e-11 1.005e-10"),
        ("-dispsteps 3", "lambda", "1e-10"),
        ("-dispersion 1 -dispsteps 3", "lambda", "9.95e-11 1e-10 1.005e-10"),
        ("-detector_thick 100", "thick", "0 50"),
        ("-detector_thick 100 -thicksteps 3", "thick", "0 50 100"),
        ("-thicksteps 3", "thick", "0"),
    ],
)
def test_c9_11_steps(programs, tmp_path, line, label, numbers):
    """C9.11, C4.9, C4.13, C4.15: the examples of the specification."""
    text = programs.good(SPECIFICATION, *RUN, *line.split(), cwd=tmp_path)
    assert " ".join(re.findall(rf"^{label}\d+ = (\S+)", text, flags=re.M)) == numbers


@pytest.mark.parametrize(
    ("line", "directions"),
    [
        ("-hdivrange 1", 2),
        ("-hdivrange 1 -hdivsteps 3", 3),
        ("-hdivrange 1 -hdivstep 0.3", 4),
        ("-divergence 1 -divsteps 3", 5),
        ("-divergence 1 -divsteps 3 -square_div", 9),
        ("-divergence 1 -divsteps 4", 12),
        ("-divergence 1 -divsteps 1", 4),
    ],
)
def test_c9_11_divergence(programs, tmp_path, line, directions):
    """C9.11, C4.14, P4.6: the examples of the specification."""
    text = programs.good(SPECIFICATION, *RUN, *line.split(), cwd=tmp_path)
    assert text.count("divergence deviation:") == directions
    assert f"  {directions} divergence steps" in text


@pytest.mark.parametrize(
    ("program", "line", "dark"),
    [
        (HISTORICAL, "-detector_abs inf -detector_thick 100", True),
        (SPECIFICATION, "-detector_abs inf -detector_thick 100", False),
        (SPECIFICATION, "-detector_thick 100 -detector_abs inf", False),
    ],
)
def test_hd_thk_4_infinite_depth(programs, tmp_path, program, line, dark):
    """HD-THK-4, C8.7: no sensor in specification mode, a dark image in historical mode."""
    text = programs.good(program, *RUN, *line.split(), cwd=tmp_path)
    assert ("max_I = 0 " in text) == dark
