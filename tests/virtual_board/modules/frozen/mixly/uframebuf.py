# Mixly's extension of framebuf: texts in a font in flash, centred and scaled. Functions and defaults are those of
# Mixly's source (uframebuf.py, "framebuf-extend", 20230412). The glyphs are GNU Unifont's, or
# made up where that is not installed.
import time
from _real import glyph as _glyph
from framebuf import *


class Font_Uincode:
    height = 16

    def __init__(self, font_address):
        self.start_address = font_address

    def chardata(self, c):
        code = ord(c)
        if code < 32:
            return None, (0, self.height)
        width = 8 if code < 256 else 16
        rows = bytearray(self.height * 2)
        found = _glyph(code)
        if found:
            for y, line in enumerate(found[1]):
                rows[2 * y], rows[2 * y + 1] = line >> 8, line & 255
        elif code != 32:
            n = code * 40503 & 0xffff
            for y in range(2, 14):
                n = (n * 75 + 74) % 65537
                line = (n & (0x7e00 if width == 8 else 0x7ffe)) | 0x4000
                rows[2 * y], rows[2 * y + 1] = line >> 8, line & 255
        return rows, (width, self.height)


class FrameBuffer_Base(FrameBuffer):
    def __init__(self, buf, width, height, *args, **kw):
        super().__init__(buf, width, height, *args, **kw)
        self.width = width
        self.height = height
        self._buffer = buf
        self.auto_show = True

    def show(self):
        print("External inheritance is required to override this method")

    def set_buffer(self, buffer):
        for i in range(min(len(buffer), len(self._buffer))):
            self._buffer[i] |= buffer[i]

    def get_buffer(self):
        return self._buffer


class FrameBuffer_Uincode(FrameBuffer_Base):
    def font(self, font_address):
        self._font = Font_Uincode(font_address)

    def image(self, path, x=None, y=None, size=None, invert=0, color=0xffff):
        # A binary PBM: P4, a line with width and height, the rows.
        with open(path, 'rb') as file:
            data = file.read()
        if data[:2] != b'P4':
            raise TypeError("Unsupported image format {}".format(data[:2]))
        _, shape, rows = data.split(b'\n', 2)
        width, height = [int(word) for word in shape.split()]
        rows = bytearray(rows)
        if invert:
            for i in range(len(rows)):
                rows[i] ^= 255
        size = max(round(min(self.height // height, self.width // width) if size is None else size), 1)
        x = (self.width - width * size) // 2 if x is None else x
        y = (self.height - height * size) // 2 if y is None else y
        if self.auto_show:
            self.fill_rect(x, y, width * size, height * size, 0)
        self.bitmap((rows, (width, height)), x, y, size, color)
        if self.auto_show:
            self.show()

    def bitmap(self, buffer, x=0, y=0, size=1, color=0xffff):
        rows, (width, height) = buffer
        if rows is None or x < -width * size or x >= self.width or y < -height * size or y >= self.height:
            return
        # Glyphs have two bytes per row, pictures as many as they need.
        stride = len(rows) // height
        for j in range(height):
            for i in range(width):
                if rows[j * stride + i // 8] & (0x80 >> (i & 7)):
                    self.fill_rect(x + i * size, y + j * size, size, size, color)

    def _take_buffer(self, strs, space, size=1):
        glyphs = [self._font.chardata(c) for c in strs]
        return sum([glyph[1][0] * size + space for glyph in glyphs]), glyphs

    def shows(self, data, space=0, center=True, x=0, y=None, size=None, color=0xffff, bg_color=0x0):
        if data is None:
            return
        if type(data) in (list, bytes, tuple, bytearray):
            if self.auto_show:
                self.fill(bg_color)
            self.set_buffer(data)
        else:
            is_placed = y is not None
            if size is None:
                size = min(self.width // max(self._take_buffer(str(data), space)[0], 1), self.height // self._font.height)
            size = max(round(size), 1)
            length, glyphs = self._take_buffer(str(data), space, size)
            x = (self.width - length + space) // 2 if center else x
            y = (self.height - self._font.height * size) // 2 if y is None else y
            if self.auto_show:
                if is_placed:
                    self.fill_rect(x - 1, y - 1, length + 2, self._font.height * size + 2, bg_color)
                else:
                    self.fill(bg_color)
            for glyph in glyphs:
                self.bitmap(glyph, x, y, size, color)
                x += glyph[1][0] * size + space
        if self.auto_show:
            self.show()

    def texts(self, data, space_x=0, space_y=1, x=0, y=0, size=1, color=0xffff, bg_color=0x0):
        size = max(round(size), 1)
        if self.auto_show:
            self.fill(bg_color)
        for line in data.split('\n'):
            for c in line:
                glyph = self._font.chardata(c)
                if x > self.width - glyph[1][0] * size:
                    x = 0
                    y += glyph[1][1] * size + space_y
                if y > self.height:
                    if self.auto_show:
                        self.show()
                    return
                self.bitmap(glyph, x, y, size, color)
                x += glyph[1][0] * size + space_x
            x = 0
            y += self._font.height * size + space_y
        if self.auto_show:
            self.show()

    def frame(self, data, delay=500, size=None, color=0xffff, bg_color=0x0):
        if data is None:
            return
        size = max(round(self.height // (self._font.height * 3) if size is None else size), 1)
        for glyph in self._take_buffer(str(data), 0)[1]:
            if self.auto_show:
                self.fill(bg_color)
            self.bitmap(glyph, (self.width - glyph[1][0] * size) // 2, (self.height - glyph[1][1] * size) // 2, size, color)
            self.show()
            time.sleep_ms(delay)

    def scroll(self, data, space=0, speed=20, y=None, size=None, step=None, color=0xffff, bg_color=0x0):
        if data is None:
            return
        size = max(round(self.height // (self._font.height * 3) if size is None else size), 1)
        step = max(self.width // 30, 1) if step is None else step
        length, glyphs = self._take_buffer(str(data), space, size)
        y = (self.height - self._font.height * size) // 2 if y is None else y
        for i in range(0, length - space + self.width, step):
            x = self.width - i
            if self.auto_show:
                self.fill_rect(x - 2, y - 2, self.width - x + 4, self._font.height * size + 4, bg_color)
            for glyph in glyphs:
                self.bitmap(glyph, x, y, size, color)
                x += glyph[1][0] * size + space
            self.show()
            time.sleep_ms(speed)
