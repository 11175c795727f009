"""The bundle digest: one SHA-256 over what has to be the same wherever a bundle is reproduced.

It is the SHA-256 of the text that :func:`text` returns: one line ``<sha256>  <name>`` for each
part, in the order of the names. The parts are

* the float images of the three programs, as these wrote them, byte for byte, under the names that they wrote;
* the regions of the ablations, byte for byte;
* ``version.txt``, byte for byte;
* ``env.txt`` without the rows that no image depends on (``[free]`` of ``environment.toml``);
* ``git_sha.txt`` without the files of the ledger, which are written after a run, and with the number
  of differing paths that is left then;
* ``summary.json`` without timings, without what counts files or tests that only some machines have,
  without the GPU, whose image belongs to its model, and without what follows from the traces: they print
  doubles to their last digits, in which the C libraries of processors may differ.

A blocked run has no digest: nothing of it has to come out again.
"""

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

from . import campaign, environment, layout, packed
from .hashing import sha256_of_file
from .summary import GPU_PAIR

Data = dict[str, Any]
# Keys of the summary that belong to the machine, a dot between the levels.
NOT_REPRODUCIBLE = (
    "timings",
    "said",
    "tests.status",
    "tests.counts",
    "tests.skips",
    "protected_assets.files",
    f"pairs.{GPU_PAIR}",
    f"outside.{layout.GPU}",
    f"images.{layout.GPU}",
    f"images_sha256.{layout.GPU}",
    "trace",
    "radial",
)


def digest(bundle: Path, summary: Data) -> str | None:
    """Return the digest of a bundle, hexadecimal, None for a blocked one."""
    if summary["status"] != "complete":
        return None
    return hashlib.sha256(text(bundle, summary).encode("utf-8")).hexdigest()


def read(bundle: Path) -> str | None:
    """Return the digest of a bundle that is sealed."""
    return digest(bundle, json.loads((bundle / layout.SUMMARY).read_text(encoding="utf-8")))


def read_text(bundle: Path) -> str:
    """Return the text of the digest of a bundle that is sealed."""
    return text(bundle, json.loads((bundle / layout.SUMMARY).read_text(encoding="utf-8")))


def text(bundle: Path, summary: Data) -> str:
    """Return what the digest is the SHA-256 of."""
    return "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(parts(bundle, summary).items()))


def parts(bundle: Path, summary: Data) -> dict[str, str]:
    """Return name -> SHA-256 of the reproducible part of each file that has one."""
    texts = {
        layout.ENV: reproducible_environment(_read(bundle / layout.ENV)),
        layout.GIT: reproducible_git(_read(bundle / layout.GIT)),
        layout.SUMMARY: json.dumps(reproducible_summary(summary), sort_keys=True),
    }
    whole = [layout.VERSION, *_ablated(bundle)]
    found = {name: hashlib.sha256(part.encode("utf-8")).hexdigest() for name, part in texts.items()}
    found |= {name: sha256_of_file(bundle / name) for name in whole if (bundle / name).is_file()}
    return found | {
        packed.plain_name(name): packed.sha256_of_content(bundle / name)
        for name in map(layout.image, layout.IMAGES)
        if (bundle / name).is_file()
    }


def reproducible_environment(env_text: str) -> str:
    """Return the rows of ``env.txt`` that the images depend on."""
    free = environment.free_names()
    return "".join(line for line in env_text.splitlines(keepends=True) if line.partition(":")[0] not in free)


def reproducible_git(git_text: str) -> str:
    """Return commit, and status, hash and name of the paths that differ from it."""
    commit, *rows = git_text.splitlines(keepends=True)
    paths = [environment.parse_changed(row) for row in rows if not row.startswith("state: ")]
    # Written by `nbparity ledger`; what they hold decides nothing.
    ledger = campaign.ledger()
    return commit + "".join(path.text for path in paths if path.name not in {ledger.entries, ledger.plan})


def reproducible_summary(summary: Data) -> Data:
    """Return the summary without the keys that belong to the machine."""
    left = copy.deepcopy(summary)
    for key in NOT_REPRODUCIBLE:
        *levels, last = key.split(".")
        level: Any = left
        for name in levels:
            level = level.get(name) or {}
        level.pop(last, None)
    return left


def _ablated(bundle: Path) -> list[str]:
    """List every region rendered with a cause switched off."""
    return [path.relative_to(bundle).as_posix() for path in (bundle / "inputs" / "ablation").rglob("*.npy")]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
