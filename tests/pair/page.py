"""Checks a page of --report and prints what it says, as JSON.

The page must be well-formed, load nothing, have no script that runs, and have its headings in order. Its data must match
docs/report.schema.json.
"""

import json
import pathlib
import re
import sys
from html.parser import HTMLParser

VOID = {"meta", "br"}
SELF_CLOSING = {"path", "rect"}


class Page(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.headings, self.heading, self.text = [], [], None, []
        self.policy, self.shapes, self.language, self.data = None, [], None, None

    def handle_startendtag(self, tag, attrs):
        assert tag in SELF_CLOSING, f"<{tag}/>"
        self.check(tag, attrs)

    def handle_starttag(self, tag, attrs):
        self.check(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.heading = (int(tag[1]), [])

    def check(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "script":
            # A data block, which no browser runs; there is one, at the end.
            assert attrs == {"type": "application/json", "id": "udpcli-report"} and self.data is None, attrs
            self.data = ""
            return
        assert tag not in {"link", "img", "iframe", "object", "a", "base", "form"}, tag
        for name, value in attrs.items():
            assert not name.startswith("on") and name not in {"src", "href", "style"}, (tag, name)
        if attrs.get("http-equiv") == "Content-Security-Policy":
            self.policy = attrs["content"]
        if tag == "html":
            self.language = attrs["lang"]
        if tag == "svg" and attrs["class"].startswith("mark"):
            self.shapes.append(attrs["class"].split()[1])

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"
        if self.heading and tag == f"h{self.heading[0]}":
            self.headings.append((self.heading[0], "".join(self.heading[1]).strip()))
            self.heading = None

    def handle_data(self, data):
        if self.heading:
            self.heading[1].append(data)
        if self.open[-1:] == ["script"]:
            assert not set(data) & set("<>&"), data
            self.data += data
        elif "style" in self.open:
            assert "url(" not in data and "@import" not in data, data
        else:
            self.text.append(data)


DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None)}


def fits(value, rule, root, at):
    """Validates a value against the keywords of JSON Schema that our schemas use; an unknown key is an error."""
    if "$ref" in rule:
        name, _, path = rule["$ref"].partition("#")
        root = json.loads((DOCS / name).read_text(encoding="utf-8")) if name else root
        rule = root
        for key in filter(None, path.split("/")):
            rule = rule[key]
        return fits(value, rule, root, at)
    assert "enum" not in rule or value in rule["enum"], (at, value)
    kinds = rule.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    is_kind = lambda kind: isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
    assert not kinds or any(map(is_kind, kinds)), (at, value, kinds)
    if isinstance(value, list):
        for item in value:
            fits(item, rule["items"], root, f"{at}[]")
    if isinstance(value, dict):
        assert set(rule.get("required", [])) <= set(value), (at, set(rule["required"]) - set(value))
        for key, item in value.items():
            assert key in rule["properties"], f"{at}: {key} is not in the schema"
            fits(item, rule["properties"][key], root, f"{at}.{key}")


source = open(sys.argv[1], encoding="utf-8", newline="").read()
page = Page()
page.feed(source)
page.close()
assert not page.open, page.open
assert page.policy == "default-src 'none'; style-src 'unsafe-inline'", page.policy
assert not re.search(r"(https?|ftp|wss?)://|//[a-z]", source), "an address"
hidden = re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]", source)
assert not hidden, hidden
level = 0
for depth, name in page.headings:
    assert depth <= level + 1 and name, page.headings
    level = depth
assert [depth for depth, _ in page.headings].count(1) == 1, page.headings
data = json.loads(page.data)
schema = json.loads((DOCS / "report.schema.json").read_text(encoding="utf-8"))
fits(data, schema, schema, "$")
assert data["language"] == page.language
print(json.dumps({"data": data, "language": page.language, "headings": page.headings, "shapes": page.shapes, "text": "".join(page.text)}))
