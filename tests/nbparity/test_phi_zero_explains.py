"""What separates the historical program from the specification in one pixel is its step at phi = 0 (P8.1).

With the real programs: the historical sum is predicted from the trace of the specification program alone.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from nbparity import experiment, programs, trace_runs, trace_tables, traces

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 1e-12  # of 15 printed digits, the last may be rounded either way in each of ten terms


@pytest.fixture(scope="module")
def built(make_c: Callable[..., Path]) -> programs.Programs:
    """The three programs, the C programs built here."""
    make_c()
    return programs.locate(ROOT)


def traced(built: programs.Programs, experiment_id: str, pixel: tuple[int, int] | None) -> trace_runs.Run:
    chosen = experiment.load(ROOT, experiment_id)
    if not chosen.inputs_present():
        pytest.skip(f"no data in {chosen.inputs_dir}: set NB_SUPERVISOR_DIR to their folder")
    return trace_runs.trace_now(ROOT, chosen, built, pixel)


def printed(run: trace_runs.Run, program: str, key: str) -> float:
    found = traces.last(run.traced[program].entries, key)
    assert found is not None
    return found


def predicted_historical_sum(run: trace_runs.Run) -> float:
    """The sum with the axes of the last step in place of those of phi = 0, from what c_spec prints."""
    steps = trace_tables.contributions(run.traced["c_spec"])
    return printed(run, "c_spec", "I_before_scaling") - steps[0] + steps[max(steps)]


def check(run: trace_runs.Run) -> None:
    """The specification programs print the same, and the historical sum is the predicted one."""
    assert run.traced["py"] == run.traced["c_spec"]
    assert run.traced["c"] != run.traced["c_spec"]
    expected = predicted_historical_sum(run)
    assert printed(run, "c", "I_before_scaling") == pytest.approx(expected, rel=LIMIT)
    ratio = printed(run, "c", "I_pixel_final") / printed(run, "c_spec", "I_pixel_final")
    assert ratio == pytest.approx(expected / printed(run, "c_spec", "I_before_scaling"), rel=LIMIT)
    assert ratio != pytest.approx(1, rel=1e-3)  # there is something to explain


def test_cro(built: programs.Programs) -> None:
    """The brightest pixel of the region, from a bare clone."""
    run = traced(built, "cro", None)
    assert run.pixel == (135, 120)
    check(run)


def test_supervisor(built: programs.Programs) -> None:
    """The pixel of the historical note, with the two numbers that it quotes."""
    run = traced(built, "supervisor", (1039, 685))
    assert printed(run, "c", "I_before_scaling") == 1.48079201045406e15
    assert printed(run, "c", "I_pixel_final") == 446.254110667806
    check(run)
