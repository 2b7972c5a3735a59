# The board's display: OLED over SSD1106_I2C over framebuf.FrameBuffer, 128x64, MONO_VLSB.
import framebuf as _framebuf
from _real import os as _os
from binascii import hexlify as _hexlify


class TextMode:
    normal = 1
    rev = 2
    trans = 3
    xor = 4


class SSD1106(_framebuf.FrameBuffer):
    def __init__(self, width=128, height=64, external_vcc=False):
        self.width = width
        self.height = height
        self.buffer = bytearray(width * height // 8)
        super().__init__(self.buffer, width, height, _framebuf.MONO_VLSB)
        self.poweron()
        self.fill(0)
        self.show()

    def poweron(self):
        _os.system('power 1')

    def poweroff(self):
        _os.system('power 0')

    def contrast(self, contrast):
        _os.system('contrast %d' % contrast)

    def invert(self, invert):
        _os.system('inverted %d' % (1 if invert else 0))

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

    def DispChar(self, s, x, y, mode=TextMode.normal, auto_return=False):
        # Stand-in glyphs: framebuf's 8x8 font, doubled rows for what it lacks.
        left = x
        for c in s:
            width = 8 if ord(c) < 128 else 16
            if x + width > self.width:
                if not auto_return:
                    break
                x, y = 0, y + 16
            if mode == TextMode.normal:
                self.fill_rect(x, y, width, 16, 0)
            if mode == TextMode.rev:
                self.fill_rect(x, y, width, 16, 1)
            colour = 0 if mode == TextMode.rev else 1
            if ord(c) < 128:
                self.text(c, x, y + 4, colour)
            else:
                self.rect(x + 1, y + 1, 14, 14, colour)
                self.hline(x + 3, y + 1 + ord(c) % 13, 10, colour)
            x += width
        return (x - left, (x, y))

    def fill_circle(self, x, y, radius, c):
        for dy in range(-radius, radius + 1):
            dx = int((radius * radius - dy * dy) ** 0.5)
            self.hline(x - dx, y + dy, 2 * dx + 1, c)

    def circle(self, x, y, radius, c):
        self.ellipse(x, y, radius, radius, c)

    def RoundRect(self, x, y, w, h, r, c):
        self.rect(x, y, w, h, c)

    def triangle(self, x0, y0, x1, y1, x2, y2, c):
        self.line(x0, y0, x1, y1, c)
        self.line(x1, y1, x2, y2, c)
        self.line(x2, y2, x0, y0, c)

    def Bitmap(self, x, y, bitmap, w, h, c):
        stride = (w + 7) // 8
        for row in range(h):
            for column in range(w):
                if bitmap[row * stride + column // 8] & (128 >> column % 8):
                    self.pixel(x + column, y + row, c)

    bitmap = Bitmap
