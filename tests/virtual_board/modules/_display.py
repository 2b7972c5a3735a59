# The board's display: OLED over SSD1106_I2C over framebuf.FrameBuffer, 128x64, MONO_VLSB.
#
# As in the firmware, drawing goes past the instance's attributes (`super().pixel`), and glyphs are 16 pixels high and
# proportional. They are made here: Latin ones of framebuf's font, others of strokes that follow from the code point.
import framebuf as _framebuf
from _real import os as _os
from binascii import hexlify as _hexlify


class TextMode:
    normal = 1
    rev = 2
    trans = 3
    xor = 4


class Font:
    """16 rows a glyph, as integers whose bit 15 is the left column."""

    height = 16
    width = 16

    def __init__(self):
        self.glyphs = {}

    def glyph(self, c):
        code = ord(c)
        # As in the maker's font there is nothing for control characters, nor beyond the basic plane.
        if code < 32 or 127 <= code < 160 or code > 0xFFFF:
            return None
        if c not in self.glyphs:
            if len(self.glyphs) > 64:
                self.glyphs.clear()
            self.glyphs[c] = self.latin(c) if code < 127 else self.strokes(code)
        return self.glyphs[c]

    def latin(self, c):
        rows = bytearray(8)
        fb = _framebuf.FrameBuffer(rows, 8, 8, _framebuf.MONO_HLSB)
        fb.text(c, 0, 0, 1)
        ink = 0
        for row in rows:
            ink |= row
        if not ink:
            return 4, (0,) * 16
        left = 0
        while not ink << left & 128:
            left += 1
        width = 8 - left
        while not ink & 1:
            ink >>= 1
            width -= 1
        # 12 of 16 rows, between the ascender and the descender.
        tall = [rows[(y - 2) * 8 // 12] << 8 << left & 0xFFFF if 2 <= y < 14 else 0 for y in range(16)]
        return width, tuple(tall)

    def strokes(self, code):
        rows = [0] * 16
        seed = code * 40503 & 0xFFFF
        for n in range(6):
            seed = (seed * 75 + 74) % 65537
            at, start, length = 1 + seed % 13, 1 + (seed >> 4) % 6, 6 + (seed >> 8) % 8
            end = min(start + length, 15)
            if n & 1:
                for y in range(start, end):
                    rows[y] |= 0x8000 >> at
            else:
                rows[at] |= (0xFFFF >> start) & ~(0xFFFF >> end)
        return 15, tuple(rows)


class SSD1106(_framebuf.FrameBuffer):
    def __init__(self, width=128, height=64, external_vcc=False):
        self.width = width
        self.height = height
        self.external_vcc = external_vcc
        self.pages = height // 8
        self.buffer = bytearray(width * height // 8)
        super().__init__(self.buffer, width, height, _framebuf.MONO_VLSB)
        self.init_display()

    def init_display(self):
        self.fill(0)
        self.show()
        self.poweron()

    def poweron(self):
        _os.system('power 1')

    def poweroff(self):
        _os.system('power 0')

    def contrast(self, contrast):
        _os.system('contrast %d' % contrast)

    def invert(self, invert):
        _os.system('inverted %d' % (invert & 1))

    def show(self):
        _os.system('show ' + _hexlify(self.buffer).decode())


class SSD1106_I2C(SSD1106):
    def __init__(self, width=128, height=64, i2c=None, addr=60, external_vcc=False):
        self.i2c = i2c
        self.addr = addr
        super().__init__(width, height, external_vcc)


class OLED(SSD1106_I2C):
    def __init__(self):
        super().__init__(128, 64, None)
        self.f = Font()

    def DispChar(self, s, x, y, mode=TextMode.normal, auto_return=False):
        drawn = 0
        for c in s:
            glyph = self.f.glyph(c)
            if glyph is None:
                x += self.f.width if auto_return else self.width
                continue
            width, rows = glyph
            if auto_return and x > self.width - width:
                drawn += self.width - x
                x = 0
                y += 16
                if y > self.height - 16:
                    y = 0
            for row in range(16):
                for column in range(width):
                    ink = rows[row] << column & 0x8000
                    if mode == TextMode.xor:
                        if ink:
                            old = super().pixel(x + column, y + row)
                            super().pixel(x + column, y + row, 0 if old else 1)
                    elif mode == TextMode.rev:
                        super().pixel(x + column, y + row, 0 if ink else 1)
                    elif ink or mode == TextMode.normal:
                        super().pixel(x + column, y + row, 1 if ink else 0)
            x += width + 1
            drawn += width + 1
        return drawn - 1, (x - 1, y)

    def DispChar_font(self, font, s, x, y, invert=False):
        drawn = 0
        kind = _framebuf.MONO_HMSB if font.reverse() else _framebuf.MONO_HLSB
        for c in s:
            glyph, height, width = font.get_ch(c)
            glyph = bytearray(glyph)
            if invert:
                for i, v in enumerate(glyph):
                    glyph[i] = v ^ 255
            if x + width > self.width - 1:
                drawn += self.width - x
                x = 0
                y += height
            if y + height > self.height + 2:
                y = 0
            super().blit(_framebuf.FrameBuffer(glyph, width, height, kind), x, y)
            x += width + 1
            drawn += width + 1
        return drawn - 1, (x - 1, y)

    # In C in the firmware.

    def circle(self, x, y, radius, c):
        super().ellipse(x, y, radius, radius, c)

    def fill_circle(self, x, y, radius, c):
        super().ellipse(x, y, radius, radius, c, True)

    def RoundRect(self, x, y, w, h, r, c):
        super().hline(x + r, y, w - 2 * r, c)
        super().hline(x + r, y + h - 1, w - 2 * r, c)
        super().vline(x, y + r, h - 2 * r, c)
        super().vline(x + w - 1, y + r, h - 2 * r, c)
        for cx, cy, quarter in ((x + w - r - 1, y + r, 1), (x + r, y + r, 2), (x + r, y + h - r - 1, 4), (x + w - r - 1, y + h - r - 1, 8)):
            super().ellipse(cx, cy, r, r, c, False, quarter)

    def triangle(self, x0, y0, x1, y1, x2, y2, c):
        super().line(x0, y0, x1, y1, c)
        super().line(x1, y1, x2, y2, c)
        super().line(x2, y2, x0, y0, c)

    def fill_triangle(self, x0, y0, x1, y1, x2, y2, c):
        from array import array

        super().poly(0, 0, array('h', (x0, y0, x1, y1, x2, y2)), c, True)

    def Bitmap(self, x, y, bitmap, w, h, c):
        stride = (w + 7) // 8
        for row in range(h):
            for column in range(w):
                if bitmap[row * stride + column // 8] & (128 >> column % 8):
                    super().pixel(x + column, y + row, c)

    bitmap = Bitmap
