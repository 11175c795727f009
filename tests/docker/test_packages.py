"""The list of what an image holds."""

LISTED = "zlib1g 1:1.2.13.dfsg-1 amd64\nlibstdc++6 12.2.0-14+deb12u1 amd64\nadduser 3.134 all\n"


def test_debian_packages_are_named_as_others_name_them(packages, debian):
    """The examples of the package URL specification; a hash only where the version is the locked one."""
    locked = debian.Package(
        group="runtime",
        name="adduser",
        version="3.134",
        architecture="all",
        sha256="c" * 64,
        file="adduser_3.134_all.deb",
    )
    found = packages.components(LISTED, [locked])
    assert [row["purl"] for row in found] == [
        "pkg:deb/debian/adduser@3.134?arch=all",
        "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64",
        "pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=amd64",
    ]
    assert [row.get("hashes") for row in found] == [[{"alg": "SHA-256", "content": "c" * 64}], None, None]
    other = packages.components("adduser 3.135 all\n", [locked])
    assert "hashes" not in other[0]
