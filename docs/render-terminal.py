#!/usr/bin/env python3
"""Draws captured terminal panes as an SVG picture, one below the other.

    tmux capture-pane -e -N -p -t ONE > one; tmux capture-pane -e -N -p -t TWO > two
    docs/render-terminal.py TITLE one two > docs/picture.svg

Knows what udpcli prints: bold, dim, reverse, the eight colours and the 256, and characters two cells wide. Lines, blocks
and braille are drawn as shapes on whole pixels: a font would leave gaps between them. docs/pictures.py makes the pictures
of real runs with it.
"""
import re
import sys
import unicodedata
from xml.sax.saxutils import escape

# A pixel of the OLED in braille is 5 by 5.
CELL_W, CELL_H, FONT_SIZE, MARGIN, TITLE_H = 10, 20, 16.6, 16, 36
FONTS = "ui-monospace,'DejaVu Sans Mono',Consolas,Menlo,'Noto Sans Mono CJK SC','Noto Sans CJK SC','PingFang SC','WenQuanYi Micro Hei Mono','Microsoft YaHei',monospace"
TEXT, PAPER = "#e6edf3", "#0d1117"
COLORS = ["#484f58", "#ff7b72", "#7ee787", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#e6edf3"]

# The arms of a line's character: left, right, up, down.
LINES = {"─": "lr", "│": "ud", "┌": "rd", "┐": "ld", "└": "ru", "┘": "lu", "├": "rud", "┤": "lud", "┬": "lrd", "┴": "lru",
         "┼": "lrud"}
BLOCKS = {**{chr(0x2580 + eighths): (0, 1 - eighths / 8, 1, eighths / 8) for eighths in range(1, 9)}, "▀": (0, 0, 1, 0.5)}


# Wide and narrow characters apart: their fonts differ. So may the font of a sign such as ✓ differ from that of letters. The
# spaces between words stay inside.
DRAWN = "".join(LINES) + "".join(BLOCKS)
WIDE = r"\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\U00020000-\U0003ffff"
PARTS = re.compile(rf"[ ]+|[\u2800-\u28ff{DRAWN}]+|[{WIDE}]+|[\u2190-\u27ff]|[^ {WIDE}\u2190-\u28ff]+(?: [^ {WIDE}\u2190-\u28ff]+)*")
WIDE_SIZE = 18
WIDE_GAP = 2 * CELL_W - WIDE_SIZE


def cells(text):
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def color(number):
    """One of the 256."""
    if number < 16:
        return "#ffffff" if number == 15 else COLORS[number % 8]
    if number >= 232:
        return "#" + f"{8 + 10 * (number - 232):02x}" * 3
    levels = (0, 95, 135, 175, 215, 255)
    number -= 16
    return "#" + "".join(f"{levels[number // step % 6]:02x}" for step in (36, 6, 1))


class Look:
    def __init__(self):
        self.reset()

    def reset(self):
        self.fill = self.back = None
        self.bold = self.dim = self.reverse = False

    def take(self, codes):
        codes = [int(code or 0) for code in codes.split(";")]
        while codes:
            code = codes.pop(0)
            if code in (38, 48) and codes[:1] == [5]:
                setattr(self, "fill" if code == 38 else "back", color(codes[1]))
                del codes[:2]
            elif code == 0:
                self.reset()
            elif code in (1, 2, 7):
                setattr(self, {1: "bold", 2: "dim", 7: "reverse"}[code], True)
            elif code in (22, 27):
                self.bold = self.dim = False if code == 22 else self.bold
                self.reverse = self.reverse and code != 27
            elif code in (39, 49):
                setattr(self, "fill" if code == 39 else "back", None)
            elif 30 <= code <= 37:
                self.fill = COLORS[code - 30]
            elif 40 <= code <= 47:
                self.back = "#000000" if code == 40 else COLORS[code - 40]
            elif 90 <= code <= 97:
                self.fill = color(code - 82)

    def attributes(self):
        fill, _ = self.colors()
        text = f'fill="{fill}"' if fill else ""
        if self.bold:
            text += ' font-weight="bold"'
        if self.dim:
            text += ' opacity="0.62"'
        return text.strip()

    def colors(self):
        if self.reverse:
            return self.back or PAPER, self.fill or TEXT
        return self.fill, self.back


def shape(char, x, y):
    """The path of a character that is drawn as a shape, or None."""
    if 0x2800 <= ord(char) < 0x2900:
        path, w, h = "", CELL_W // 2, CELL_H // 4
        for bit, (column, row) in enumerate(((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))):
            if ord(char) - 0x2800 >> bit & 1:
                path += f"M{x + column * w} {y + row * h}h{w}v{h}h-{w}z"
        return path
    if char in BLOCKS:
        left, top, width, height = BLOCKS[char]
        return f"M{x + left * CELL_W:g} {y + top * CELL_H:g}h{width * CELL_W:g}v{height * CELL_H:g}h-{width * CELL_W:g}z"
    if char in LINES:
        middle, centre, path = x + CELL_W // 2 - 1, y + CELL_H // 2 - 1, ""
        for arm in LINES[char]:
            if arm in "lr":
                start, width = (x, CELL_W // 2 + 1) if arm == "l" else (middle, CELL_W // 2 + 1)
                path += f"M{start} {centre}h{width}v2h-{width}z"
            else:
                start, height = (y, CELL_H // 2 + 1) if arm == "u" else (centre, CELL_H // 2 + 1)
                path += f"M{middle} {start}h2v{height}h-2z"
        return path
    return None


def draw_line(line, look, left, top):
    """The elements of a line of a terminal. The look is that at the end of the line before."""
    column, backs, shapes, texts = 0, [], {}, []
    for sgr, other, text in re.findall(r"\x1b\[([\d;]*)m|(\x1b\[[^a-zA-Z]*[a-zA-Z])|([^\x1b]+)", line):
        if not text:
            if not other:
                look.take(sgr)
            continue
        _, back = look.colors()
        if back:
            backs.append(f'<path d="M{left + column * CELL_W} {top}h{cells(text) * CELL_W}v{CELL_H}h-{cells(text) * CELL_W}z" '
                         f'fill="{back}"/>')
        for part in PARTS.findall(text):
            x = left + column * CELL_W
            if shape(part[0], 0, 0) is not None:
                for index, char in enumerate(part):
                    path = shape(char, x + index * CELL_W, top)
                    shapes[look.attributes()] = shapes.get(look.attributes(), "") + path
            elif cells(part) == 2 * len(part):
                # A wide character is as wide as its font is high, whatever the font: the rest of its two columns is a gap.
                texts.append(f'<text class="w" x="{x + WIDE_GAP / 2:g}" y="{top + 0.75 * CELL_H:g}" '
                             f'{look.attributes()}>{escape(part)}</text>')
            elif part.strip():
                # textLength keeps the columns in line whatever font the reader has.
                texts.append(f'<text x="{x}" y="{top + 0.75 * CELL_H:g}" textLength="{cells(part) * CELL_W}" '
                             f'lengthAdjust="spacingAndGlyphs" {look.attributes()}>{escape(part)}</text>')
            column += cells(part)
    yield from backs
    for attributes, path in shapes.items():
        if path:
            yield f'<path d="{path}" shape-rendering="crispEdges" {attributes}/>'
    yield from texts


def draw_pane(pane, top):
    """The elements of a pane."""
    look = Look()
    for row, line in enumerate(pane):
        yield from draw_line(line, look, MARGIN, top + row * CELL_H)


def window(title, width, height):
    """The beginning of a picture: a window with its title."""
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
           f'font-family="{FONTS}" font-size="{FONT_SIZE}" fill="{TEXT}">')
    yield f"<title>{escape(title)}</title>"
    # A browser would move two marks such as ）， together.
    yield (f"<style>.w{{font-size:{WIDE_SIZE}px;letter-spacing:{WIDE_GAP}px;font-kerning:none;text-spacing-trim:space-all;"
           'font-feature-settings:"chws" 0,"halt" 0}</style>')
    yield f'<rect width="100%" height="100%" rx="9" fill="{PAPER}"/>'
    yield f'<path d="M0 {TITLE_H}V9a9 9 0 0 1 9-9H{width - 9}a9 9 0 0 1 9 9V{TITLE_H}z" fill="#21262d"/>'
    for index, circle in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        yield f'<circle cx="{20 + 20 * index}" cy="{TITLE_H // 2}" r="6" fill="{circle}"/>'
    yield f'<text x="{width // 2}" y="{TITLE_H // 2 + 5}" text-anchor="middle" opacity="0.8">{escape(title)}</text>'


def picture(title, panes):
    """Panes, each a list of lines with their escape sequences, as an SVG picture."""
    columns = max(cells(re.sub(r"\x1b\[[\d;]*m", "", line).rstrip()) for pane in panes for line in pane)
    width = columns * CELL_W + 2 * MARGIN
    height = TITLE_H + sum(len(pane) * CELL_H + 2 * MARGIN for pane in panes)
    lines, top = list(window(title, width, height)), TITLE_H
    for index, pane in enumerate(panes):
        if index:
            lines.append(f'<path d="M0 {top}H{width}" stroke="#30363d"/>')
        lines += draw_pane(pane, top + MARGIN)
        top += len(pane) * CELL_H + 2 * MARGIN
    return "\n".join(lines) + "\n</svg>\n"


def main():
    title, *names = sys.argv[1:]
    panes = [open(name, encoding="utf-8").read().rstrip("\n").split("\n") for name in names]
    sys.stdout.write(picture(title, panes))


if __name__ == "__main__":
    main()
