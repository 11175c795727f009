"""The 126,000-fold mistake: a program that drops -flux, -exposure and -beamsize, in place of each program."""

import json
import sys

import pytest

from nbparity import experiment, layout, n1, n2, nb_compare, programs, thresholds, verify
from nbparity.errors import ExitCode

WRAPPER = """#!{python}
import os, sys
args, kept = iter(sys.argv[1:]), []
for word in args:
    if word in ("-flux", "-exposure", "-beamsize"):
        next(args)
    else:
        kept.append(word)
os.execv({command}[0], {command} + kept)
"""
WHO = [("py",), ("c",), ("c", "py")]


def wrapper(path, command):
    """Write a program that is another one but for the flags."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(WRAPPER.format(python=sys.executable, command=list(command)), encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def judge(outcome, who):
    """The verdict is never the defect, the factor is in the report, and the bundle is a true one."""
    assert outcome.exit_code in {ExitCode.SCALE, ExitCode.UNEXPLAINED}
    assert outcome.verdict == ("SCALE" if "py" in who else "UNEXPLAINED")
    summary = json.loads((outcome.folder / layout.SUMMARY).read_text(encoding="utf-8"))
    pair = "py_vs_c_spec" if "py" in who else "c_vs_c_spec"
    assert 1e5 < summary["pairs"][pair]["sum_ratio"] < 2e5
    text = (outcome.folder / layout.ANALYSIS).read_text(encoding="utf-8")
    assert "The difference between py and c is C-PARITY-001" not in text
    assert "is not attributed to C-PARITY-001" in text
    rows = {(row["id"], row["x"]): row for row in summary["causes"]}
    if "py" in who:
        assert rows["FLUENCE-IGNORED", "py"]["explains"]
        assert "with FLUENCE-IGNORED switched off py and c_spec are bit-identical" in outcome.reasons
    if "c" in who:
        assert not rows["C-PARITY-001", "c"]["explains"]
        assert rows["FLUENCE-IGNORED", "c"]["before"]["sum_ratio"] > 1e5
        assert 0.5 < rows["FLUENCE-IGNORED", "c"]["after"]["sum_ratio"] < 2
    assert verify.verify(outcome.folder) == []


@pytest.mark.parametrize("who", WHO)
def test_ignored_fluence_is_never_the_defect(site, who):
    """With the fake programs, the historical one with the defect as well."""
    for name in who:
        command = [str(site.root / "programs" / name)]
        site.replaced[name] = wrapper(site.root / "wrapped" / name, command)
    judge(site.run(), who)


@pytest.fixture(scope="module")
def built(make_c):
    """The C programs."""
    return make_c()


@pytest.mark.slow
@pytest.mark.parametrize("who", WHO)
def test_ignored_fluence_is_never_the_defect_in_the_real_programs(root, built, tmp_path, monkeypatch, who):
    """The experiment cro, as make parity runs it."""
    commands = {"c": [str(built / "nanoBragg")], "py": [sys.executable, "-m", "nanobrag_torch"]}
    bins = {f"{name}_bin": wrapper(tmp_path / "wrapped" / name, commands[name]) for name in who}
    stand_in = tmp_path / "modules" / "pytest.py"
    stand_in.parent.mkdir()
    stand_in.write_text("print('== 1 passed in 0.01s ==')\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(stand_in.parent))
    plan = n1.Plan(
        root=root,
        reports=tmp_path / "reports",
        experiment=experiment.load(root, "cro"),
        programs=programs.locate(root, **bins),
        thresholds=thresholds.load(),
    )
    judge(n1.parity_n1(plan), who)


@pytest.mark.parametrize("who", ["c", "py"])
def test_nb_compare_sees_the_scale_that_correlation_does_not(site, monkeypatch, capsys, who):
    """Exit status 3, at a correlation of 1."""
    monkeypatch.chdir(site.root / experiment.FOLDER / "tiny")
    bins = {name: str(site.root / "programs" / name) for name in ("c", "py")}
    bins[who] = wrapper(site.root / "wrapped" / who, [bins[who]])
    args = ["-hkl", "data.txt", "-flux", "1e18", "-exposure", "1", "-beamsize", "1", "-phi", "3"]
    status = nb_compare.main(["--c-bin", bins["c"], "--py-bin", bins["py"], "--", *args])
    assert status == nb_compare.Status.DISAGREE
    assert "OTHER SCALE: correlation 1 " in capsys.readouterr().out


def test_n2_does_not_confirm_a_bundle_with_wrapped_programs(site, tmp_path):
    """Both wrapped agree with each other, and neither with c_spec nor with the images of the bundle."""
    outcome = site.run()
    bins = {
        f"{name}_bin": wrapper(site.root / "wrapped" / name, [str(site.root / "programs" / name)])
        for name in ("c", "py")
    }
    found = n2.parity_n2(
        n2.Plan(
            root=site.root,
            bundle=outcome.folder,
            experiment=experiment.load(site.root, "tiny"),
            programs=programs.locate(site.root, spec_bin=str(site.root / "programs" / "spec"), **bins),
            thresholds=thresholds.load(),
            limits=thresholds.load_nb_compare(),
            reports=tmp_path / "n2",
        )
    )
    assert found.exit_code == ExitCode.SCALE
    failed = {check.name for check in found.checks if check.passed is False}
    assert {"py vs c_spec, ratio of sums", "c, bytes of the bundle", "py, bytes of the bundle"} <= failed
