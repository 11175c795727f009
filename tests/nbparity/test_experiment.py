import pytest

from nbparity import experiment
from nbparity.errors import BlockedError, UsageError

GOOD = {
    "id": '"tiny"',
    "title": '"t"',
    "shows": '"s"',
    "args": '["-detpixels", "8"]',
    "inputs": "[]",
    "inputs_dir": '"."',
}


@pytest.fixture
def read(tmp_path):
    """Read an experiment from the keys above with some replaced; None removes a key."""

    def reader(**replaced):
        keys = {**GOOD, **replaced}
        path = tmp_path / "tiny.toml"
        text = "".join(f"{key} = {value}\n" for key, value in keys.items() if value is not None)
        path.write_text(text, encoding="utf-8")
        return experiment.read(path, tmp_path)

    return reader


def test_the_committed_experiments_are_well_formed(root):
    """Both can be read; the inputs of cro are in the repository and are the pinned ones."""
    assert experiment.known_ids(root) == ["cro", "supervisor"]
    cro, supervisor = experiment.load(root, "cro"), experiment.load(root, "supervisor")
    cro.check_inputs()
    assert cro.shape == supervisor.shape == (2527, 2463)
    assert cro.roi == supervisor.roi == (100, 156, 100, 156)
    assert cro.roi_args[-5:] == ("-roi", "100", "156", "100", "156")


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        ({"title": None}, "key 'title' is missing, expected a str"),
        ({"title": "5"}, "key 'title': found 5, expected a str"),
        ({"id": '"other"'}, "key 'id': found 'other', expected the name of the file, 'tiny'"),
        ({"what": '"?"'}, r"key 'what': found '\?', expected one of the keys id, title"),
        ({"args": '["-detpixels", 8]'}, "key 'args': found 8, expected strings only"),
        ({"args": '["-detpixels", "0"]'}, "key 'args -detpixels': found '0', expected a positive number"),
        ({"args": '["-detpixels_x", "8"]'}, "key 'args': found 'no pixel counts'"),
        ({"roi": "[0, 8, 0, 7]"}, r"key 'roi': found \[0, 8, 0, 7\], expected four integers.*within 8 x 8"),
        ({"roi": "[3, 2, 0, 7]"}, "key 'roi'"),
        ({"roi": "[0, 1, 2]"}, "key 'roi'"),
        ({"roi": "[0, 1.0, 2, 3]"}, "key 'roi'"),
        ({"inputs": '[{name = "a"}]'}, "key 'inputs': found {'name': 'a'}, expected a table"),
        ({"inputs": '[{name = "../a", sha256 = ""}]'}, "key 'inputs.name': found '../a', expected a bare"),
        ({"inputs": '[{name = "a", sha256 = "12"}]'}, "key 'inputs.sha256': found '12', expected 64"),
        ({"inputs_dir": None}, "key 'inputs_dir' is missing, expected it, or both"),
        ({"id": "no quotes"}, "not a TOML file"),
    ],
)
def test_a_bad_file_is_named_with_key_value_and_expectation(read, replaced, message):
    """Nobody has to open the harness to mend an experiment."""
    with pytest.raises(UsageError, match=f"tiny.toml: {message}"):
        read(**replaced)


@pytest.mark.parametrize(
    ("args", "shape"),
    [
        ('["-detpixels", "8"]', (8, 8)),
        ('["-detpixels_x", "8", "-detpixels_y", "6"]', (6, 8)),
        ('["-detpixels", "8", "-detpixels_s", "6"]', (6, 8)),
        ('["-detpixels_f", "5", "-detpixels", "8"]', (8, 8)),
    ],
)
def test_the_shape_is_that_of_the_arguments(read, args, shape):
    """Slow first; later flags win."""
    assert read(args=args).shape == shape


def test_the_folder_of_inputs_can_be_chosen_by_the_user(read, tmp_path, monkeypatch):
    """The variable wins over the default."""
    keys = {"inputs_dir": None, "inputs_dir_env": '"NB_TINY_DIR"', "inputs_dir_default": '"../data"'}
    monkeypatch.delenv("NB_TINY_DIR", raising=False)
    assert read(**keys).inputs_dir == tmp_path.parent.resolve() / "data"
    monkeypatch.setenv("NB_TINY_DIR", str(tmp_path / "mine"))
    chosen = read(**keys, inputs=f'[{{name = "a", sha256 = "{"0" * 64}"}}]')
    assert chosen.inputs_dir == tmp_path / "mine"
    assert not chosen.inputs_present()
    with pytest.raises(BlockedError, match="input a of experiment tiny is missing"):
        chosen.check_inputs()


def test_an_unknown_experiment_is_refused_with_the_known_ones(root):
    """A mistyped id costs no search."""
    with pytest.raises(UsageError, match=r"no experiment 'crow': .*known: cro, supervisor"):
        experiment.load(root, "crow")
