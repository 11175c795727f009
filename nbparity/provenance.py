"""``provenance.json``: who made a bundle, of what, and what came out.

An in-toto Statement (v1) with the SLSA provenance predicate (v1), made with the types of the
in-toto-attestation package. Its subjects are all files of the bundle but three: itself, the hash
list, which is written after it and has its hash, and the signature, which is over its bytes.

Like every text of a bundle it is derived from the raw files alone, so that ``verify`` can derive it again.
All values are strings: the format has no integers, and rounding must not become a question.
"""

import importlib.util
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import environment, layout
from .errors import BlockedError
from .hashing import files_below, sha256_of_file

if TYPE_CHECKING:
    from in_toto_attestation.v1.resource_descriptor_pb2 import ResourceDescriptor as Descriptor

Data = dict[str, Any]
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:nbparity:n1:1"
BUILDER = "urn:nbparity:builder"
# What the programs are made of; the images depend on nothing else of the repository but the locks.
SOURCES = (
    "golden_suite_generator/Makefile",
    "golden_suite_generator/src/*",
    "nanobrag_torch/**/*.py",
)


def require_library() -> None:
    """Raise BlockedError if the package with the types of the statement is not installed."""
    if importlib.util.find_spec("in_toto_attestation") is None:
        raise BlockedError(
            "package in-toto-attestation is not installed: pip install in-toto-attestation, or make venv"
        )


def source_hashes(root: Path) -> dict[str, str]:
    """Return path -> SHA-256 of the sources of the three programs, paths relative to the root."""
    paths = sorted(path for pattern in SOURCES for path in root.glob(pattern) if path.is_file())
    return {path.relative_to(root).as_posix(): sha256_of_file(path) for path in paths}


def text(bundle: Path) -> str:
    """Return the provenance of a bundle whose other files, the hash list apart, are in place.

    Raises OSError, ValueError or KeyError if a raw file is missing or not of its format.
    """
    require_library()
    from google.protobuf import json_format
    from in_toto_attestation.v1.statement import Statement

    statement = Statement(_subjects(bundle), PREDICATE_TYPE, _predicate(bundle))
    statement.validate()
    return json.dumps(json_format.MessageToDict(statement.pb), indent=1, sort_keys=True) + "\n"


def _subjects(bundle: Path) -> "list[Descriptor]":
    names = set(files_below(bundle)) - {layout.PROVENANCE, layout.HASHES} - layout.ADDED_LATER
    return [_file(name, sha256_of_file(bundle / name)) for name in sorted(names)]


def _predicate(bundle: Path) -> Data:
    """Return the SLSA predicate; the types of the package refuse a field that it does not have."""
    from google.protobuf import json_format
    from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance

    run: Data = json.loads((bundle / layout.RUN).read_text(encoding="utf-8"))
    image = environment.value_of((bundle / layout.ENV).read_text(encoding="utf-8"), "image")
    predicate = Provenance()
    definition = predicate.build_definition
    definition.build_type = BUILD_TYPE
    definition.external_parameters.update(_parameters(run))
    definition.resolved_dependencies.extend(_materials(bundle, run))
    details = predicate.run_details
    details.builder.id = f"{BUILDER}:{image}"
    details.metadata.invocation_id = run["stamp"]
    details.metadata.started_on.FromJsonString(run["started"])
    details.metadata.finished_on.FromJsonString(run["ended"])
    made: Data = json_format.MessageToDict(predicate)
    return made


def _parameters(run: Data) -> Data:
    """Return what the user chose."""
    experiment = run["experiment"]
    return {
        "experiment": experiment["id"],
        "arguments": list(experiment["args"]),
        "roi": [] if experiment["roi"] is None else [str(limit) for limit in experiment["roi"]],
        "py_threads": str(run["threads_py"]),
    }


def _materials(bundle: Path, run: Data) -> "list[Descriptor]":
    """Return what the bundle was made of."""
    commit, *rows = (bundle / layout.GIT).read_text(encoding="utf-8").splitlines()
    hashes = re.findall(r"^commit: ([0-9a-f]{40,64})$", commit)
    changed = [environment.parse_changed(row) for row in rows if not row.startswith("state: ")]
    env = (bundle / layout.ENV).read_text(encoding="utf-8")
    image = environment.value_of(env, "image")
    own = {name: program for name, program in run["programs"].items() if program["replaced"]}
    return [
        *(_descriptor("git commit", "gitCommit", sha) for sha in hashes),
        *(
            _file(f"differs from the commit: {path.name}", path.sha256)
            for path in changed
            if path.sha256 != "-"
        ),
        *(_file(f"requirements/{name}", sha256) for name, sha256 in environment.locks(env).items()),
        *(_file(f"input: {name}", sha256) for name, sha256 in run["experiment"]["inputs"].items()),
        *(_file(name, sha256) for name, sha256 in run["sources"].items()),
        *(
            [_descriptor("container image", "sha256", image.rpartition(":")[2])]
            if image != environment.HOST
            else []
        ),
        *(_file(f"program: {name}", program["sha256"]) for name, program in own.items() if program["sha256"]),
    ]


def _file(name: str, sha256: str) -> "Descriptor":
    return _descriptor(name, "sha256", sha256)


def _descriptor(name: str, algorithm: str, digest: str) -> "Descriptor":
    from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor

    made: Descriptor = ResourceDescriptor(name=name, digest={algorithm: digest}).pb
    return made
