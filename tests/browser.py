"""Looks at a page of --report in headless Chromium: `python3 tests/browser.py PAGE.html [FOLDER]`.

At three widths, light and dark, nothing may be wider than the window. There may be no message on the console and no
request but for the page. The headings of the accessibility tree must be those of the page in their order. On paper it is
one sheet of A4. With FOLDER, the screenshots and the PDF are written there.
"""

import base64
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile


class Browser:
    """Chromium, driven through --remote-debugging-pipe: JSON that ends in a zero byte, on descriptors 3 and 4."""

    def __init__(self, profile):
        to_read, self.to_write = os.pipe()
        self.from_read, from_write = os.pipe()

        def descriptors():
            os.dup2(to_read, 10)
            os.dup2(from_write, 11)
            os.dup2(10, 3)
            os.dup2(11, 4)

        self.process = subprocess.Popen(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
             "--no-first-run", f"--user-data-dir={profile}", "about:blank"],
            close_fds=False, preexec_fn=descriptors, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": profile})
        os.close(to_read)
        os.close(from_write)
        self.buffer, self.number, self.events, self.session = b"", 0, [], None

    def receive(self):
        while b"\0" not in self.buffer:
            more = os.read(self.from_read, 1 << 20)
            assert more, "the browser ended"
            self.buffer += more
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to_write, json.dumps(message).encode() + b"\0")
        while True:
            message = self.receive()
            if message.get("id") == self.number:
                assert "error" not in message, (method, message["error"])
                return message["result"]
            self.events.append(message)

    def wait(self, method):
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self.receive())

    def value(self, expression):
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"]["value"]


def check(browser, page, folder):
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    browser.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ["Page", "Runtime", "Log", "Network", "Accessibility"]:
        browser.call(f"{domain}.enable")
    browser.events.clear()
    browser.call("Page.navigate", url=page.as_uri())
    browser.wait("Page.loadEventFired")

    for width in [360, 768, 1280]:
        for scheme in ["light", "dark"]:
            browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
            browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            wide = browser.value("document.documentElement.scrollWidth")
            assert wide <= width, f"{wide} of {width} at {scheme}"
            paper = browser.value("getComputedStyle(document.body).backgroundColor")
            brightness = sum(int(part) for part in re.findall(r"\d+", paper)[:3])
            assert (brightness < 200) == (scheme == "dark"), (scheme, paper)
            if folder:
                shot = browser.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
                (folder / f"{page.stem}-{width}-{scheme}.png").write_bytes(base64.b64decode(shot))

    headings = browser.value("[...document.querySelectorAll('h1,h2,h3')].map(h => h.textContent.trim().replace(/\\s+/g, ' '))")
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    told = [node["name"]["value"] for node in nodes
            if not node["ignored"] and node["role"]["value"] == "heading"]
    plain = lambda names: [re.sub(r"\s+", "", name).lower() for name in names]
    assert plain(told) == plain(headings), (told, headings)

    pdf = base64.b64decode(browser.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"])
    if folder:
        (folder / f"{page.stem}.pdf").write_bytes(pdf)
    sheets = len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))
    assert sheets == 1, f"{sheets} sheets"

    methods = ["Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"]
    told = [event for event in browser.events if event.get("method") in methods]
    assert not told, told
    requests = [event["params"]["request"]["url"] for event in browser.events
                if event.get("method") == "Network.requestWillBeSent"]
    assert requests == [page.as_uri()], requests
    print(f"{page.name}: {len(headings)} headings, one sheet, no message, no request")


page = pathlib.Path(sys.argv[1]).resolve()
folder = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else None
with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
    browser = Browser(profile)
    try:
        check(browser, page, folder)
    finally:
        browser.process.kill()
        browser.process.wait()
