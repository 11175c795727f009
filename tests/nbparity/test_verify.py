import json
import shutil

import numpy as np
import pytest

from nbparity import bundle, layout, verify


def test_an_untouched_bundle_holds(sealed):
    """Also when it was copied to another place."""
    copy = shutil.copytree(sealed, sealed.parent / "copy")
    assert verify.verify(sealed) == verify.verify(copy) == []


def test_a_link_in_place_of_a_file_is_found(sealed):
    """What it points to may change later."""
    target = sealed / layout.image("py")
    target.unlink()
    target.symlink_to("c_spec_float.bin")
    assert f"changed: {layout.image('py')} is not a plain file" in verify.verify(sealed)


def test_a_line_dropped_from_the_hash_list_is_found(sealed):
    """The file it was for becomes an extra one."""
    path = sealed / layout.HASHES
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for dropped in range(len(lines)):
        path.write_text("".join(lines[:dropped] + lines[dropped + 1 :]), encoding="utf-8")
        assert verify.verify(sealed) == [f"extra: {lines[dropped].split()[1]}"]


def test_every_figure_of_the_summary_is_derived_again(sealed, rehash):
    """A summary that claims anything else is untrue, whatever the hash list says."""
    path = sealed / layout.SUMMARY
    original = path.read_text(encoding="utf-8")
    for pair, key in [("py_vs_c", "correlation"), ("py_vs_c_spec", "sum_x"), ("c_vs_c_spec", "rmse")]:
        data = json.loads(original)
        data["pairs"][pair][key] += 1e-9
        path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        rehash(sealed)
        assert any(complaint.startswith(f"untrue: {layout.SUMMARY}:") for complaint in verify.verify(sealed))


def test_an_edited_region_of_the_ablation_is_untrue(sealed, rehash):
    """The experiment behind a named cause is derived again, too."""
    path = sealed / layout.ablated_roi("c", "C-PARITY-001")
    pixels = np.load(path)
    pixels[0, 0] += 1
    np.save(path, pixels)
    rehash(sealed)
    assert any(complaint.startswith("untrue: ") for complaint in verify.verify(sealed))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"status": "complete"}'])
def test_nonsense_in_the_facts_is_a_complaint(sealed, text, rehash):
    """No traceback, whatever the file holds."""
    (sealed / layout.RUN).write_text(text, encoding="utf-8")
    rehash(sealed)
    assert any("cannot be derived" in complaint for complaint in verify.verify(sealed))


@pytest.fixture
def reseal():
    """Change the facts of a bundle, take files out, and derive the rest anew, as somebody does who lies."""

    def run(folder, *dropped, **facts):
        data = json.loads((folder / layout.RUN).read_text(encoding="utf-8"))
        for key, value in facts.items():
            data[key] = data[key] | value if isinstance(value, dict) else value
        (folder / layout.RUN).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        for name in dropped:
            (folder / name).unlink()
        bundle.seal(folder)
        return verify.verify(folder)

    return run


def test_a_status_of_ones_own_leaves_out_no_files(sealed, reseal):
    """What a bundle has to hold follows from its status, of which there are two."""
    complaints = reseal(sealed, layout.SBOM, layout.command_log("py"), status="partial")
    assert complaints == [f"untrue: {layout.RUN}: status 'partial', expected 'complete'"]


@pytest.mark.parametrize(
    "limit", [{"gpu_min_bit_identical": 0.5}, {"max_sum_ratio": 1e6}, {"min_bit_identical": float("nan")}]
)
def test_a_bundle_is_judged_by_the_limits_of_the_checkout(sealed, reseal, limit):
    """Whoever derives a verdict anew from looser limits has to say so to whoever verifies."""
    ((name, value),) = limit.items()
    expected = f"untrue: {layout.RUN}: judged by {name} = {value!r}, thresholds.toml has "
    assert reseal(sealed, thresholds=limit)[0].startswith(expected)


def test_no_limit_makes_up_for_a_bit(site, reseal):
    """A verdict that names the defect says that py and c_spec have the same bits."""
    site.program("py", pixel=(9, 12.000001))
    folder = site.run().folder
    reseal(folder, thresholds={"min_bit_identical": 0.5})
    verdict = json.loads((folder / layout.SUMMARY).read_text(encoding="utf-8"))["verdict"]
    assert verdict["name"] == "UNEXPLAINED"
    assert verdict["reasons"] == ["py differs from c_spec in 1 of 12 pixels, up to 1 ULP"]


def test_a_part_of_the_region_explains_nothing(sealed, reseal):
    """Two equal corners say nothing of the pixels between them."""
    for name in ("c", "c_spec"):
        path = sealed / layout.ablated_roi(name, "C-PARITY-001")
        np.save(path, np.load(path)[:1, :1])
    reseal(sealed)
    verdict = json.loads((sealed / layout.SUMMARY).read_text(encoding="utf-8"))["verdict"]
    assert verdict["name"] == "UNEXPLAINED"
    assert "off covers 1 pixels instead of the 12 of the region" in verdict["reasons"][0]


def test_a_bundle_without_its_images_is_incomplete(sealed, rehash):
    """Files removed together with their lines are missed as parts of a complete bundle."""
    (sealed / layout.command_log("py")).unlink()
    (sealed / layout.VERSION).unlink()
    rehash(sealed)
    complaints = verify.verify(sealed)
    assert f"incomplete: {layout.VERSION} is not there" in complaints
    assert f"incomplete: {layout.command_log('py')} is not there" in complaints


def test_no_folder_is_a_complaint(tmp_path):
    """A name mistyped on the command line."""
    assert verify.verify(tmp_path / "none") == [f"{tmp_path / 'none'}: not a folder"]
