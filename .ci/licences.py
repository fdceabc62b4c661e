#!/usr/bin/env python3
"""Fails unless every crate that ends up in the `cordboard` binary may be shipped under our licence.

Reads `cargo metadata`; walks the dependencies that are compiled in, not those of tests.
"""

import json
import re
import subprocess
import sys

# Licences that ask for no more than their text to be kept (MPL-2.0: and changes to its own files).
ALLOWED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0",
    "CDLA-Permissive-2.0", "ISC", "MIT", "MIT-0", "MPL-2.0", "Unicode-3.0", "Unlicense", "Zlib",
}
SHIPPED = "cordboard"


def is_allowed(expression):
    """Whether an SPDX expression can be met with the licences above."""
    # Old manifests write MIT/Apache-2.0. An exception only gives more rights.
    words = re.findall(r"[()]|[^\s()]+", re.sub(r"\s+WITH\s+\S+", "", expression.replace("/", " OR ")))

    def any_of():
        met = all_of()
        while words and words[0] == "OR":
            words.pop(0)
            met = all_of() or met
        return met

    def all_of():
        met = one()
        while words and words[0] == "AND":
            words.pop(0)
            met = one() and met
        return met

    def one():
        word = words.pop(0)
        if word != "(":
            return word in ALLOWED
        met = any_of()
        words.pop(0)
        return met

    return any_of()


def shipped_packages(metadata):
    """Every package that `cordboard` is built from."""
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    waiting = [key for key, package in packages.items() if package["name"] == SHIPPED]
    assert len(waiting) == 1, f"no package {SHIPPED}"
    seen = set(waiting)
    while waiting:
        for dependency in nodes[waiting.pop()]["deps"]:
            kinds = {kind["kind"] for kind in dependency["dep_kinds"]}
            if kinds & {None, "build"} and dependency["pkg"] not in seen:
                seen.add(dependency["pkg"])
                waiting.append(dependency["pkg"])
    return [packages[key] for key in sorted(seen)]


def main():
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    metadata = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    shipped = shipped_packages(metadata)
    wrong = [package for package in shipped if not is_allowed(package["license"] or "none")]
    for package in wrong:
        print(f"{package['name']} {package['version']}: {package['license'] or 'no licence named'}")
    print(f"{len(shipped)} packages, {len(wrong)} with a licence that we cannot ship")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
