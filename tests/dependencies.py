#!/usr/bin/env python3
"""Checks licences, sources and duplicates of all crates in Cargo.lock against .deny.toml, as cargo-deny does.

cargo-deny itself takes minutes to build, and the builds of it that can be had as a package are too old for today's licence
names. Run from anywhere; exits 1 and names what is wrong.
"""

import json
import pathlib
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent


def is_allowed(expression: str, allowed: set[str]) -> bool:
    """Whether an SPDX expression can be met by licences that are allowed. `/` is what crates wrote before SPDX."""
    tokens = re.findall(r"\(|\)|AND|OR|[\w.+-]+(?: WITH [\w.-]+)?", expression.replace("/", " OR "))
    python = [
        token.lower() if token in ("AND", "OR") else token if token in "()" else str(token in allowed)
        for token in tokens
    ]
    return bool(eval(" ".join(python)))  # Nothing but True, False, and, or and parentheses.


def main() -> int:
    rules = tomllib.loads((ROOT / ".deny.toml").read_text())
    allowed = set(rules["licenses"]["allow"])
    skipped = {entry["crate"] for entry in rules["bans"]["skip"]}
    answer = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--locked"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )
    packages = json.loads(answer.stdout)["packages"]
    wrong = []
    versions: dict[str, set[str]] = {}
    sources: set[str] = set()
    for package in packages:
        name = f"{package['name']}@{package['version']}"
        versions.setdefault(package["name"], set()).add(package["version"])
        if not is_allowed(package["license"] or "", allowed):
            wrong.append(f"{name}: licence {package['license']!r} is not allowed")
        # None is udpcli itself.
        sources.add(package["source"] or "registry+")
    if foreign := [source for source in sources if not source.startswith("registry+")]:
        wrong.append(f"crates come from elsewhere than the registry: {foreign}")
    for name, found in sorted(versions.items()):
        extra = [version for version in sorted(found) if f"{name}@{version}" not in skipped]
        if len(extra) > 1:
            wrong.append(f"{name} stands in Cargo.lock as {', '.join(extra)}: put all but one into bans.skip, with the reason")
    every = {f"{name}@{version}" for name, found in versions.items() for version in found}
    wrong += [f"bans.skip names {crate}, which is not there" for crate in sorted(skipped - every)]
    for line in wrong:
        print(f"dependencies: {line}", file=sys.stderr)
    print(f"dependencies: {len(packages)} crates, {len(wrong)} wrong")
    return min(len(wrong), 1)


if __name__ == "__main__":
    sys.exit(main())
