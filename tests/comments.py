#!/usr/bin/env python3
"""Prints how many why-comments and doc comments the Rust code has, for each folder and for all.

    python3 tests/comments.py           src
    python3 tests/comments.py tests     another folder

A why-comment is a line with `//` that is not a doc comment. The goal is 3 to 5 why-comments per 100 lines of code: fewer
leave the reasons out, more repeat the code. Blank lines do not count, and generated files do not exist here.
"""

import pathlib
import re
import sys


def count(path):
    """The lines of code, why-comments and doc comments in a file."""
    code = why = doc = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if not text:
            continue
        if text.startswith(("///", "//!")):
            doc += 1
        elif text.startswith("//"):
            why += 1
        else:
            code += 1
            # A comment after code; `://` and quotes before it belong to a string.
            why += bool(re.search(r"[;,{})] // ", line))
    return code, why, doc


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    folder = root / (sys.argv[1] if len(sys.argv) > 1 else "src")
    groups = {}
    for path in sorted(folder.rglob("*.rs")):
        parts = path.relative_to(folder).parts
        name = parts[0].removesuffix(".rs") if parts else ""
        sums = groups.setdefault(name, [0, 0, 0])
        for index, number in enumerate(count(path)):
            sums[index] += number
    if not groups:
        sys.exit(f"no Rust files in {folder}")
    groups["all"] = [sum(column) for column in zip(*groups.values())]
    print(f"{'':16} {'code':>7} {'why':>6} {'share':>7} {'doc':>6} {'per line':>9}")
    for name, (code, why, doc) in groups.items():
        if name == "all" or code >= 300:
            print(f"{name:16} {code:7} {why:6} {why / code:7.1%} {doc:6} {doc / code:9.2f}")


main()
