#!/usr/bin/env python3
"""Draws captured terminal panes side by side as an SVG picture.

    tmux capture-pane -e -p -t LEFT > left; tmux capture-pane -e -p -t RIGHT > right
    docs/render-terminal.py TITLE left right > docs/picture.svg

Knows what udpcli prints: bold, dim, the eight colours and bright white, characters two cells wide, and braille, which
is drawn dot by dot: fonts differ.
"""
import re
import sys
import unicodedata
from xml.sax.saxutils import escape

CELL_W, CELL_H, FONT_SIZE, MARGIN, TITLE_H = 8.43, 19, 14, 14, 34
FONTS = "ui-monospace,'DejaVu Sans Mono',Consolas,Menlo,'Noto Sans Mono CJK SC','WenQuanYi Micro Hei Mono','Microsoft YaHei',monospace"
COLORS = ["#484f58", "#ff7b72", "#7ee787", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#e6edf3"]


def cells(text):
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def runs(line):
    """The stretches of one look, without the spaces around words: (column, text, attributes)."""
    look, column = {}, 0
    for sgr, text in re.findall(r"\x1b\[([\d;]*)m|([^\x1b]+)", line):
        if text:
            # Wide and narrow characters apart: their fonts differ.
            for part in re.findall(r"[ ]+|[^ \u1100-\uffff]+(?: [^ \u1100-\uffff]+)*|[\u1100-\uffff]+", text):
                if part.strip():
                    yield column, part, " ".join(f'{key}="{value}"' for key, value in look.items())
                column += cells(part)
            continue
        for code in map(int, (sgr or "0").split(";")):
            if code == 0:
                look = {}
            elif code == 1:
                look["font-weight"] = "bold"
            elif code == 2:
                look["opacity"] = "0.62"
            elif code == 39:
                look.pop("fill", None)
            elif 30 <= code <= 37:
                look["fill"] = COLORS[code - 30]
            elif code == 97:
                look["fill"] = "#ffffff"


def dots(x, y, text):
    """Braille as squares: dots 1 to 3 and 7 on the left, 4 to 6 and 8 on the right."""
    path, w, h = "", CELL_W / 2, CELL_H / 4
    for index, char in enumerate(text):
        for bit, (column, row) in enumerate(((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))):
            if ord(char) - 0x2800 >> bit & 1:
                path += f"M{x + index * CELL_W + column * w:.1f} {y + row * h:.1f}h{w - 0.5:.1f}v{h - 0.5:.1f}h-{w - 0.5:.1f}z"
    return path


def main():
    title, *names = sys.argv[1:]
    panes = [open(name, encoding="utf-8").read().rstrip("\n").split("\n") for name in names]
    columns = max(cells(re.sub(r"\x1b\[[\d;]*m", "", line)) for pane in panes for line in pane)
    pane_w = columns * CELL_W + 2 * MARGIN
    width, height = pane_w * len(panes), TITLE_H + max(map(len, panes)) * CELL_H + 2 * MARGIN
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
          f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="{FONTS}" font-size="{FONT_SIZE}" fill="#e6edf3">')
    print(f"<title>{escape(title)}</title>")
    print('<rect width="100%" height="100%" rx="9" fill="#0d1117"/>')
    print(f'<path d="M0 {TITLE_H}V9a9 9 0 0 1 9-9H{width - 9:.0f}a9 9 0 0 1 9 9V{TITLE_H}z" fill="#21262d"/>')
    for index, color in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        print(f'<circle cx="{20 + 20 * index}" cy="{TITLE_H / 2}" r="6" fill="{color}"/>')
    print(f'<text x="{width / 2:.0f}" y="{TITLE_H / 2 + 5}" text-anchor="middle" opacity="0.8">{escape(title)}</text>')
    for index, pane in enumerate(panes):
        left = index * pane_w + MARGIN
        if index:
            print(f'<path d="M{index * pane_w:.0f} {TITLE_H}V{height:.0f}" stroke="#30363d"/>')
        for row, line in enumerate(pane):
            for column, text, look in runs(line):
                x, y = left + column * CELL_W, TITLE_H + MARGIN + (row + 0.75) * CELL_H
                if all(0x2800 <= ord(char) < 0x2900 for char in text):
                    path = dots(x, y - 0.75 * CELL_H, text)
                    if path:
                        print(f'<path d="{path}" {look}/>')
                    continue
                # textLength keeps the columns in line whatever font the reader has.
                print(f'<text x="{x:.1f}" y="{y:.1f}" textLength="{cells(text) * CELL_W:.1f}" '
                      f'lengthAdjust="spacingAndGlyphs" {look}>{escape(text)}</text>')
    print("</svg>")


main()
