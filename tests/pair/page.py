"""Checks a page of `udpcli pair --report` and prints what it says, as JSON.

The page must be well-formed, load nothing, have no script, and have its headings in order.
"""

import json
import re
import sys
from html.parser import HTMLParser

VOID = {"meta", "br"}
SELF_CLOSING = {"path", "rect"}


class Page(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.headings, self.heading, self.text = [], [], None, []
        self.policy, self.shapes, self.language = None, [], None

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
        assert tag not in {"script", "link", "img", "iframe", "object", "a", "base", "form"}, tag
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
        if "style" in self.open:
            assert "url(" not in data and "@import" not in data, data
        else:
            self.text.append(data)


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
print(json.dumps({"language": page.language, "headings": page.headings, "shapes": page.shapes, "text": "".join(page.text)}))
