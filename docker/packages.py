"""The list of what an image holds, CycloneDX 1.6: ``python docker/packages.py TARGET`` while it is built.

The Python packages are listed by CycloneDX's own tool, the Debian packages by dpkg, with the SHA-256 of
``debian.lock`` where the version is the locked one. The list holds no date and no random number.
"""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import debian
from packageurl import PackageURL

PYTHON_PACKAGES = (
    "-m",
    "cyclonedx_py",
    "environment",
    "--output-reproducible",
    "--no-validate",
    "--output-file",
)
DEBIAN_PACKAGES = ("dpkg-query", "--show", "--showformat=${Package} ${Version} ${Architecture}\\n")


def main(target: Path) -> None:
    """Write the list of this environment; CalledProcessError if a package manager does not answer."""
    subprocess.run([sys.executable, *PYTHON_PACKAGES, str(target)], check=True)
    listed = subprocess.run(DEBIAN_PACKAGES, check=True, capture_output=True, text=True).stdout
    bill = json.loads(target.read_text(encoding="utf-8"))
    bill["components"] += components(listed, debian.read().packages)
    target.write_text(json.dumps(bill, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def components(listed: str, locked: Iterable[debian.Package]) -> list[dict[str, Any]]:
    """Return a component for each line 'name version architecture', sorted by name."""
    hashes = {(package.name, package.version): package.sha256 for package in locked}
    found = []
    for line in sorted(listed.splitlines()):
        name, version, architecture = line.split(" ")
        url = PackageURL("deb", "debian", name, version, {"arch": architecture}).to_string()
        component: dict[str, Any] = {
            "type": "library",
            "bom-ref": url,
            "name": name,
            "version": version,
            "purl": url,
        }
        if (name, version) in hashes:
            component["hashes"] = [{"alg": "SHA-256", "content": hashes[name, version]}]
        found.append(component)
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
