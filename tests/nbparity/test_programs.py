"""Which program runs under which name."""

from nbparity import programs


def test_the_link_of_a_build_is_no_other_program(tmp_path):
    """People type golden_suite_generator/nanoBragg, which a build links to what it made."""
    generator = tmp_path / programs.GENERATOR
    (generator / "build").mkdir(parents=True)
    (generator / "build" / "nanoBragg").touch()
    link, elsewhere = generator / "nanoBragg", tmp_path / "nanoBragg"
    link.symlink_to("build/nanoBragg")
    elsewhere.touch()
    for given, ours in ((link, True), (generator / "build" / "nanoBragg", True), (elsewhere, False)):
        c = programs.locate(tmp_path, c_bin=str(given)).c
        assert programs.is_built_here(c, tmp_path) is ours
        assert programs.stands_in(c, tmp_path) is not ours
