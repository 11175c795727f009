"""Names of the campaign that the bundles belong to, from ``campaign.toml``: folders, ledger, decision."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from .errors import UsageError

FILE = Path(__file__).with_name("campaign.toml")


@dataclass(frozen=True, kw_only=True)
class Reports:
    """Folders below ``reports/``: of the campaign, of what each command leaves in it, and the last one."""

    campaign: str
    n1: str
    n2: str
    o1: str
    last: str


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Paths of ledger and plan from the root of the checkout; the decision that a run closes, in words."""

    entries: str
    plan: str
    decision: str
    closed: str
    because: str


Table = TypeVar("Table", Reports, Ledger)


def reports(path: Path = FILE) -> Reports:
    """Read the table ``reports``; UsageError names file and key if one is missing or is no text."""
    return _read(path, "reports", Reports)


def ledger(path: Path = FILE) -> Ledger:
    """Read the table ``ledger``; UsageError as for ``reports``."""
    return _read(path, "ledger", Ledger)


def _read(path: Path, name: str, table: type[Table]) -> Table:
    found: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8")).get(name, {})
    known = [field.name for field in fields(table)]
    for key in known:
        if not (isinstance(found.get(key), str) and found[key]):
            raise UsageError(f"{path}: key '{name}.{key}': found {found.get(key)!r}, expected a text")
    return table(**{key: found[key] for key in known})
