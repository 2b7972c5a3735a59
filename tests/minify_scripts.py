#!/usr/bin/env python3
"""Makes what udpcli sends to a board out of the readable scripts in src/.

    target/virtual-board/bin/python tests/minify_scripts.py           write the minified files
    target/virtual-board/bin/python tests/minify_scripts.py --check   only report stale files; exit code 1 if there are any

`cargo test --test board` makes that Python environment on first use, from tests/virtual_board/requirements.txt.

python-minifier (PyPI) removes comments and white space and gives local names one letter. This script does what
python-minifier cannot do, because it sees one file at a time and rightly leaves alone what others may call:

- Global names. A comment behind the statement that binds them, `# on the line: x`, declares their short names, in order.
  Scripts that lie in one dictionary on the board use each other's names.
- Parts. A line that begins with `# ----` ends a part. Each part goes over the line by itself; the minified file has `#`
  between two of them.
- Parameters. They become short too, except in a function that has `# keeps its parameters' names` behind its `def`:
  somebody calls it with keyword arguments.
- Variants. `if MIXLY:` and `if CHECKED:` are decided here, once for each variant.
- MicroPython 1.9. Newer syntax is an error.
"""

import argparse
import ast
import io
import re
import sys
import tokenize
from pathlib import Path

import python_minifier

ROOT = Path(__file__).resolve().parent.parent

# (script, constants, minified file, scripts that are on the board before it)
SCRIPTS = [
    ("src/board/scripts/helper.py", {}, "src/board/scripts/minified/helper.py", []),
    ("src/board/scripts/fast_line.py", {}, "src/board/scripts/minified/fast_line.py", ["src/board/scripts/helper.py"]),
    ("src/board/scripts/files.py", {}, "src/board/scripts/minified/files.py", ["src/board/scripts/helper.py"]),
    ("src/board/scripts/manage.py", {}, "src/board/scripts/minified/manage.py", ["src/board/scripts/helper.py", "src/board/scripts/files.py"]),
    ("src/board/scripts/info.py", {}, "src/board/scripts/minified/info.py", ["src/board/scripts/helper.py"]),
    ("src/board/scripts/clock.py", {}, "src/board/scripts/minified/clock.py", ["src/board/scripts/helper.py"]),
    ("src/board/scripts/show_value.py", {}, "src/board/scripts/minified/show_value.py", []),
    ("src/board/scripts/load.py", {"CHECKED": True, "PACKED": False}, "src/board/scripts/minified/load.py", []),
    ("src/board/scripts/load.py", {"CHECKED": True, "PACKED": True}, "src/board/scripts/minified/load_packed.py", []),
    ("src/board/scripts/load.py", {"CHECKED": False, "PACKED": False}, "src/board/scripts/minified/load_unchecked.py", []),
    ("src/board/scripts/look.py", {}, "src/board/scripts/minified/look.py", []),
    ("src/board/scripts/mirror.py", {"MIXLY": False}, "src/board/scripts/minified/mirror_mpython.py", []),
    ("src/board/scripts/mirror.py", {"MIXLY": True}, "src/board/scripts/minified/mirror_mixly.py", []),
    ("src/board/scripts/mirror_lcd.py", {}, "src/board/scripts/minified/mirror_lcd.py", []),
    ("src/board/scripts/no_display.py", {}, "src/board/scripts/minified/no_display.py", []),
    ("src/board/scripts/display_use.py", {}, "src/board/scripts/minified/display_use.py", []),
    ("src/board/scripts/unpack.py", {}, "src/board/scripts/minified/unpack.py", []),
    ("src/board/scripts/last_picture.py", {}, "src/board/scripts/minified/last_picture.py", []),
    ("src/pair/scripts/network.py", {}, "src/pair/scripts/minified/network.py", []),
]

# Scripts that are in one dictionary on the board at the same time, although they do not use each other's names.
TOGETHER = [
    ("src/board/scripts/fast_line.py", other)
    for other in (
        "src/board/scripts/files.py",
        "src/board/scripts/manage.py",
        "src/board/scripts/info.py",
        "src/board/scripts/clock.py",
    )
]

PART_END = "# ----"
ON_THE_LINE = re.compile(r"# on the line: ([\w, ]+)")
KEEPS_PARAMETERS = "# keeps its parameters' names"

# python-minifier renames nothing in functions that call these. In our scripts they see only global names, which it does
# not rename anyway.
TAINTING = {name: f"_{name}_not_renamed_" for name in ("exec", "globals", "locals", "eval")}


class Problem(Exception):
    pass


def comments(source):
    """The comment of each line that has one."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}


def bound_by(statement):
    """The names that one statement binds, in order."""
    if isinstance(statement, ast.FunctionDef):
        return [statement.name]
    if isinstance(statement, ast.Assign):
        return [target.id for target in statement.targets if isinstance(target, ast.Name)]
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name for alias in statement.names]
    if isinstance(statement, ast.Global):
        return statement.names
    return []


def line_names(path):
    """What the comments of a script declare: the short name of each global one."""
    source = (ROOT / path).read_text()
    said = comments(source)
    names = {}
    for statement in ast.walk(ast.parse(source)):
        if not isinstance(statement, ast.stmt):
            continue
        declared = ON_THE_LINE.search(said.get(statement.lineno, ""))
        bound = bound_by(statement)
        if not declared or not bound:
            continue
        short = [name.strip() for name in declared[1].split(",")]
        if len(short) != len(bound):
            raise Problem(f"{path}:{statement.lineno}: {bound} are not as many as {short}")
        names.update(zip(bound, short))
    return names


def globals_of(tree):
    """Names that a script binds in the dictionary it runs in."""
    found = set()

    def visit(node, is_global):
        if isinstance(node, ast.Global):
            found.update(node.names)
        elif is_global and isinstance(node, ast.stmt):
            found.update(bound_by(node))
        if is_global and isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        inner = is_global and not isinstance(node, (ast.FunctionDef, ast.Lambda, ast.ListComp, ast.GeneratorExp))
        for child in ast.iter_child_nodes(node):
            visit(child, inner)

    visit(tree, True)
    return found


def check_names(path, tree, names):
    """Each global name has a short one, and no local name is mistaken for either."""
    own = globals_of(tree)
    if missing := own - names.keys():
        raise Problem(f"{path}: no `# on the line:` for {sorted(missing)}")
    used = set()
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.Lambda)):
            bound = {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
            public = {name for node in ast.walk(function) if isinstance(node, ast.Global) for name in node.names}
            for node in ast.walk(function):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    bound.add(node.id)
                elif isinstance(node, ast.ExceptHandler) and node.name:
                    bound.add(node.name)
                elif node is not function:
                    bound.update(bound_by(node) if isinstance(node, ast.stmt) else [])
            used |= bound - public
    if shadowed := used & names.keys():
        raise Problem(f"{path}: local names hide global ones: {sorted(shadowed)}")
    clash = used & {short for long, short in names.items() if short != long}
    if clash:
        raise Problem(f"{path}: local names are global names on the line: {sorted(clash)}")


def check_together(path, other):
    """No name on the line has two meanings: the script that comes later would replace what the other one needs."""
    ours, theirs = ({short: long for long, short in line_names(script).items()} for script in (path, other))
    if clash := sorted(short for short in ours.keys() & theirs.keys() if ours[short] != theirs[short]):
        raise Problem(f"{path} and {other}: different names are the same on the line: {clash}")


class Prepare(ast.NodeTransformer):
    """Decides the variant, gives global names their short ones, and lets python-minifier rename parameters."""

    def __init__(self, constants, names, keeps):
        self.constants, self.names, self.keeps = constants, names, keeps

    def short(self, name):
        name = self.names.get(name, name)
        return TAINTING.get(name, name)

    def visit_If(self, node):
        if isinstance(node.test, ast.Name) and node.test.id in self.constants:
            chosen = node.body if self.constants[node.test.id] else node.orelse
            return [kept for statement in chosen for kept in as_list(self.visit(statement))]
        return self.generic_visit(node)

    def visit_Name(self, node):
        node.id = self.short(node.id)
        return node

    def visit_Global(self, node):
        node.names = [self.short(name) for name in node.names]
        return node

    def visit_alias(self, node):
        bound = node.asname or node.name
        if self.short(bound) != bound:
            node.asname = self.short(bound)
        return node

    def visit_FunctionDef(self, node):
        keeps = node.lineno in self.keeps
        node.name = self.short(node.name)
        self.generic_visit(node)
        if not keeps:
            node.args.posonlyargs, node.args.args = node.args.args, []
        return node


def as_list(node):
    return node if isinstance(node, list) else [] if node is None else [node]


class Finish(ast.NodeTransformer):
    """Takes back what Prepare did for python-minifier, and refuses what MicroPython 1.9 does not know."""

    TOO_NEW = (ast.JoinedStr, ast.NamedExpr, ast.AnnAssign, ast.AsyncFunctionDef, ast.Await, ast.MatMult, ast.YieldFrom)

    def __init__(self, path):
        self.path = path
        self.back = {placeholder: name for name, placeholder in TAINTING.items()}

    def visit(self, node):
        if isinstance(node, self.TOO_NEW) or isinstance(node, (ast.Tuple, ast.List)) and any(
            isinstance(item, ast.Starred) for item in node.elts
        ):
            raise Problem(f"{self.path}: MicroPython 1.9 does not know {type(node).__name__}")
        return super().visit(node)

    def visit_Name(self, node):
        node.id = self.back.get(node.id, node.id)
        return node

    def visit_arguments(self, node):
        node.args, node.posonlyargs = node.posonlyargs + node.args, []
        return self.generic_visit(node)


def minify_part(path, source, constants, names):
    said = comments(source)
    keeps = {line for line, text in said.items() if KEEPS_PARAMETERS in text}
    tree = Prepare(constants, names, keeps).visit(ast.parse(source))
    text = python_minifier.minify(
        ast.unparse(ast.fix_missing_locations(tree)),
        rename_locals=True,
        rename_globals=False,
        remove_literal_statements=True,
        # New names in the dictionary on the board, and texts that are no longer where a reader looks for them.
        hoist_literals=False,
        combine_imports=False,
        convert_posargs_to_args=False,
        constant_folding=False,
        remove_builtin_exception_brackets=False,
    )
    tree = Finish(path).visit(ast.parse(text))
    text = python_minifier.unparse(tree)
    # In a literal, a tab would take two bytes; so would \x00 instead of \0.
    text = re.sub(r"^\t+", lambda tabs: " " * len(tabs[0]), text, flags=re.MULTILINE)
    text = re.sub(r"(?<!\\)\\x00(?![0-7])", r"\\0", text)
    if not text.isascii() or re.search(r"[\x00-\x09\x0b-\x1f]|#\n", text):
        raise Problem(f"{path}: a character that must not go over the line as it is")
    return text.rstrip("\n") + "\n"


def minify(path, constants, before):
    source = (ROOT / path).read_text()
    names = {}
    for script in [*before, path]:
        names.update(line_names(script))
    check_names(path, ast.parse(source), names)
    parts = [[]]
    for line in source.splitlines(keepends=True):
        if line.startswith(PART_END):
            parts.append([])
        else:
            parts[-1].append(line)
    return "#\n".join(minify_part(path, "".join(part), constants, names) for part in parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--check", action="store_true", help="report stale files instead of writing them")
    check = parser.parse_args().check
    stale = False
    for pair in TOGETHER:
        try:
            check_together(*pair)
        except Problem as problem:
            sys.exit(f"error: {problem}")
    for path, constants, target, before in SCRIPTS:
        try:
            text = minify(path, constants, before)
        except Problem as problem:
            sys.exit(f"error: {problem}")
        target = ROOT / target
        if target.is_file() and target.read_bytes() == text.encode():
            continue
        stale = True
        if check:
            print(f"{target.relative_to(ROOT)} does not fit {path}")
        else:
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(text.encode())
            print(f"{target.relative_to(ROOT)}: {len(text)} bytes")
    if check and stale:
        sys.exit(f"hint: renew them: target/virtual-board/bin/python tests/{Path(__file__).name}")


if __name__ == "__main__":
    main()
