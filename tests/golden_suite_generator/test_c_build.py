"""Build and memory checks of the C reference."""

import re
import subprocess

import pytest

HISTORICAL, SPECIFICATION = "nanoBragg", "nanoBragg-spec"
BOTH = [HISTORICAL, SPECIFICATION]
BASE = "-cell 70 80 90 75 85 95 -default_F 10 -N 5 -detpixels 6 -pixel 1 -oversample 1 -seed 1".split()
LINES = [
    "-phi 0 -osc 1 -phisteps 3 -mosaic 1 -divergence 1 -dispersion 1",
    "-detector_thick 100 -detector_abs 100 -oversample 2 -oversample_thick -water 5 -dmin 2 -curved_det",
    "-round_xtal -trace_pixel 2 3 -misset random -misset_seed 3",
    "-distance 1e49",
    "-lambda 1e-7",
    "-N 2147483647 -gauss_xtal",
    "-default_F 1e200 -nonoise",
    "-cell 50 60 70 10 170 179",
    "-roi 0 2147483647 -1 2147483647",
]
BAD_LINES = [
    "-hkl .",
    "-mat /dev/null",
    "-mask /dev/null",
    "-sourcefile /dev/null",
    "-stol /dev/null",
    "-dump .",
    "-floatfile /dev/full",
    "-unknown",
    "-lambda 1e-290",
    "-cell",
]


@pytest.mark.parametrize("program", BOTH)
def test_sanitizers_find_nothing(sanitized, tmp_path, program):
    """Address, leak and undefined-behaviour checks over good and bad lines."""
    for line in LINES:
        done = sanitized(program, *BASE, *line.split(), cwd=tmp_path)
        assert done.returncode == 0, (line, done.stderr)
    for line in BAD_LINES:
        done = sanitized(program, *BASE, *line.split(), cwd=tmp_path)
        assert done.error, line


def test_sanitizers_find_nothing_in_tables(sanitized, tmp_path):
    """The interpolation at and beyond the table's border, and the cache."""
    rows = [
        f"{h} {k} {m} {1 + abs(h + k + m)}" for h in range(-3, 4) for k in range(-3, 4) for m in range(-3, 4)
    ]
    (tmp_path / "box.hkl").write_text("\n".join(rows))
    for files in (["-hkl", "box.hkl"], []):
        done = sanitized(
            SPECIFICATION, *BASE, *files, "-interpolate", "-detpixels", 30, cwd=tmp_path, threads=3
        )
        assert done.returncode == 0, done.stderr


def test_programs_hold_no_path_and_no_date(programs):
    """A build does not depend on where and when it was made."""
    for program in BOTH:
        data = (programs.folder / program).read_bytes()
        assert str(programs.folder).encode() not in data
        assert not re.search(rb"[A-Z][a-z]{2} [ \d]\d 20\d\d", data)


def test_p0_7_historical_rows_restart_with_each_thread(programs, tmp_path):
    """P0.7, P8.1: two threads change one pixel of the historical image, none of the other."""
    for program, changed in ((HISTORICAL, 1), (SPECIFICATION, 0)):
        images = []
        for threads in (1, 2):
            programs.good(program, *BASE, "-osc", 1, "-phisteps", 3, cwd=tmp_path, threads=threads)
            images.append((tmp_path / "floatimage.bin").read_bytes())
        one, two = images
        assert sum(one[i : i + 4] != two[i : i + 4] for i in range(0, len(one), 4)) == changed


def test_render_time_is_reported(programs, tmp_path):
    """The benchmark reads one line with six decimals."""
    text = programs.good(SPECIFICATION, *BASE, cwd=tmp_path)
    assert len(re.findall(r"^render time = \d+\.\d{6} s$", text, flags=re.M)) == 1


def test_the_programs_stand_where_people_type_them(programs):
    """A build links both programs beside the Makefile."""
    if programs.folder.name != "build":
        pytest.skip("counting programs are not linked")
    for program in BOTH:
        assert (programs.folder.parent / program).resolve() == (programs.folder / program).resolve()


def test_make_check(programs):
    """The self-check of the Makefile passes (F13.1)."""
    command = ["make", "-s", "-C", str(programs.folder.parent), "check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
