import dataclasses
import re

import pytest

from nbparity import campaign
from nbparity.errors import UsageError

CODE = ("nbparity/**/*.py", "docker/**/*", "noxfile.py", ".github/**/*", "Makefile", "nanobrag_torch/**/*.py")


def test_no_code_knows_the_names_of_the_campaign(root):
    """Another campaign changes one file: its folders, its decision and its plan stand nowhere else."""
    reports, ledger = campaign.reports(), campaign.ledger()
    names = [
        reports.campaign,
        reports.n1,
        reports.n2,
        reports.o1,
        ledger.decision,
        ledger.plan,
        ledger.because,
    ]
    files = [path for pattern in CODE for path in root.glob(pattern) if path.is_file()]
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in files}
    assert len(texts) > 100
    found = [
        (path.relative_to(root).as_posix(), name)
        for path, text in texts.items()
        for name in names
        if re.search(rf"\b{re.escape(name)}\b", text)
    ]
    assert found == []


def test_ledger_and_plan_are_files_of_the_repository(root):
    """The command that stamps them would find them missing only after a run."""
    assert (root / campaign.ledger().entries).is_file()
    assert (root / campaign.ledger().plan).is_file()


@pytest.mark.parametrize(
    ("read", "key"),
    [
        *((campaign.reports, f"reports.{field.name}") for field in dataclasses.fields(campaign.Reports)),
        *((campaign.ledger, f"ledger.{field.name}") for field in dataclasses.fields(campaign.Ledger)),
    ],
)
@pytest.mark.parametrize("value", ["", '""', "5"])
def test_a_key_that_is_missing_or_no_text_is_named(tmp_path, read, key, value):
    """With the file, what was found, and what was expected."""
    path, name = tmp_path / "campaign.toml", key.partition(".")[2]
    lines = campaign.FILE.read_text(encoding="utf-8").splitlines(keepends=True)
    changed = [f"{name} = {value}\n" if line.startswith(f"{name} = ") else line for line in lines]
    path.write_text(
        "".join(changed if value else [line for line in changed if line != f"{name} = \n"]), "utf-8"
    )
    found = {"": "None", '""': "''", "5": "5"}[value]
    with pytest.raises(UsageError) as raised:
        read(path)
    assert str(raised.value) == f"{path}: key '{key}': found {found}, expected a text"
