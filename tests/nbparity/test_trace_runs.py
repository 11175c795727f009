"""``nbparity trace``: which pixel, which arguments, what is printed; with fake programs."""

import json

import numpy as np
import pytest

from nbparity import experiment, layout, trace_runs, verify
from nbparity.__main__ import main
from nbparity.errors import ExitCode, UsageError


@pytest.fixture
def tiny(site):
    """The experiment of the small checkout: region fast 1 to 4, slow 1 to 3 of 8 x 6 pixels."""
    return experiment.load(site.root, "tiny")


@pytest.fixture
def command(site):
    """Run ``nbparity trace`` on the small checkout."""
    bins = []
    for flag, program in (("--c-bin", "c"), ("--spec-bin", "spec"), ("--py-bin", "py")):
        bins += [flag, str(site.root / "programs" / program)]

    def run(*arguments):
        return main(["trace", "--root", str(site.root), *bins, *map(str, arguments)])

    return run


@pytest.mark.parametrize(
    ("pixel", "region"),
    [
        ((1, 1), "1 1 1 1"),  # the first of the region: nothing comes before it
        ((2, 3), "2 3 2 2"),
        ((3, 1), "1 1 2 3"),  # the first of its row: the one above
        ((0, 0), "0 0 0 0"),  # outside the region: as in a render of the whole detector
        ((0, 5), "4 5 0 0"),
        ((4, 0), "0 0 3 4"),
    ],
)
def test_the_pixel_before_is_rendered_too(tiny, pixel, region):
    """Otherwise C-PARITY-001 would not show, since the first pixel of a render is free of it (P8.1)."""
    args = trace_runs.arguments(tiny, pixel)
    assert args[: len(tiny.args)] == tiny.args
    assert " ".join(args[len(tiny.args) :]) == f"-roi {region} -trace_pixel {pixel[0]} {pixel[1]}"


@pytest.mark.parametrize("pixel", [(6, 0), (0, 8), (-1, 0)])
def test_a_pixel_outside_the_image_is_refused(tiny, pixel):
    """With what was expected."""
    with pytest.raises(UsageError, match="expected slow below 6 and fast below 8"):
        trace_runs.arguments(tiny, pixel)


def test_the_brightest_pixel_is_that_of_the_region():
    """In the coordinates of the detector; what is not finite does not count."""
    image = np.zeros((6, 8), np.float32)
    image[0, 0], image[2, 3], image[3, 2], image[2, 2] = 9, 5, 5, np.nan
    assert trace_runs.brightest(image, (1, 4, 1, 3)) == (2, 3)
    assert trace_runs.brightest(image, None) == (0, 0)


def test_the_traces_are_set_side_by_side(command, capsys):
    """The sums, the first key that parts, each spindle step, and what the step at phi = 0 explains."""
    assert command("--experiment", "tiny") == ExitCode.OK
    text = " ".join(capsys.readouterr().out.replace("|", " ").split())
    assert "Pixel slow 3, fast 4." in text  # values rise along both axes
    assert "c vs c_spec: rot_a_angstroms: 50 0 0.5 against 50 0 0" in text
    assert "py vs c_spec: nowhere" in text
    assert "0 0 900 400 400 1.25e+00 0" in text
    assert "1 0.5 900 900 900 0 0" in text
    assert "I_before_scaling of c is 1.38461538461538 times that of c_spec" in text  # 1800 / 1300
    assert "500 of the difference of 500 electrons^2 (100.000000 %)" in text
    assert "rot_a_angstroms 50 0 0 50 0 0.5 = 1.00e-02 0" in text


def test_a_pixel_can_be_chosen(command, capsys):
    """The first of the region is free of the defect, so that nothing parts."""
    assert command("--experiment", "tiny", "--pixel", 1, 1) == ExitCode.OK
    text = capsys.readouterr().out
    assert "Pixel slow 1, fast 1." in text
    assert "c vs c_spec: nowhere" in text
    assert "there is a step at exactly phi = 0, and it agrees" in text


def test_a_program_without_traces_is_said_to_have_none(site, command, capsys):
    """The user's own program need not know the option."""
    site.program("c", historical=True, traces_nothing=True)
    assert command("--experiment", "tiny") == ExitCode.OK
    text = capsys.readouterr().out
    assert "no trace line was printed" in text
    assert "c vs c_spec: not compared, a trace is missing" in text


def test_a_program_that_fails_blocks(site, command, capsys):
    """With its last words."""
    site.program("py", status=9)
    assert command("--experiment", "tiny") == ExitCode.BLOCKED
    assert "program py ended with 9" in capsys.readouterr().err


def test_a_bundle_shows_the_traces_it_holds(site, sealed, command, capsys):
    """No program is run for it."""
    for name in ("c", "spec", "py"):
        (site.root / "programs" / name).unlink()
    assert command("--bundle", sealed) == ExitCode.OK
    assert "Pixel slow 3, fast 4." in capsys.readouterr().out


def test_a_bundle_has_its_pixel(site, sealed, command, capsys):
    """Asking for another one is a contradiction; so is a folder that is no bundle."""
    assert command("--bundle", sealed, "--pixel", 1, 1) == ExitCode.USAGE
    assert command("--bundle", site.root) == ExitCode.USAGE
    assert "expected a bundle with traces" in capsys.readouterr().err


@pytest.mark.parametrize(("behaviour", "as_in_image"), [({}, True), ({"traced": 35.5}, False)])
def test_the_bundle_compares_the_trace_with_the_image(site, summary_of, behaviour, as_in_image):
    """A trace of another pixel value than the image holds does not explain the image."""
    site.program("py", **behaviour)
    trace = summary_of(site.run().folder)["trace"]
    assert trace["pixel"] == {"slow": 3, "fast": 4}
    assert trace["brightest"]
    assert trace["programs"]["py"]["as_in_image"] == as_in_image
    assert trace["programs"]["c"]["as_in_image"] and trace["programs"]["c_spec"]["as_in_image"]


def test_a_bundle_without_an_image_has_no_trace(site):
    """And says why."""
    site.program("spec", writes_nothing=True)
    outcome = site.run()
    assert not (outcome.folder / layout.trace_log("c")).exists()
    analysis = (outcome.folder / layout.ANALYSIS).read_text(encoding="utf-8")
    assert "None: c_spec has no image to take a pixel from" in analysis
    assert verify.verify(outcome.folder) == []


def test_a_trace_that_fails_does_not_stop_the_run(site):
    """The images are what is judged; the bundle says what went wrong with the trace."""
    site.program("c", historical=True, trace_status=7)
    outcome = site.run()
    assert outcome.exit_code == ExitCode.OK
    analysis = (outcome.folder / layout.ANALYSIS).read_text(encoding="utf-8")
    assert "the program ended with 7" in analysis
    assert verify.verify(outcome.folder) == []


def test_another_pixel_in_the_facts_is_untrue(sealed):
    """The traced pixel is derived again from the image of c_spec, and its value compared."""
    run = json.loads((sealed / layout.RUN).read_text(encoding="utf-8"))
    run["trace"]["pixel"] = [3, 3]
    (sealed / layout.RUN).write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    assert any(complaint.startswith(f"untrue: {layout.SUMMARY}") for complaint in verify.verify(sealed))
