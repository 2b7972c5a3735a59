# The maker's module: Wi-Fi, the display, the buttons and lights, and a print of its own.
import builtins
from machine import I2C, PWM, Pin, ADC
from ssd1106 import SSD1106_I2C
import esp, math, time, network
import ustruct, array
from neopixel import NeoPixel
import machine
import framebuf
from _real import env as _env, glyph as _glyph

time.sleep_ms(int(_env('VB_IMPORT_TIME')))

i2c = I2C(0, scl=Pin(22), sda=Pin(23), freq=400000)


# As in the firmware, drawing ignores the instance's attributes (`super().pixel`), and glyphs are proportional and
# 16 pixels high: GNU Unifont's, or invented if that is not installed, Latin ones from framebuf's font, others as
# strokes based on the code point.


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
        # Like the maker's font, it has no control characters and nothing beyond the basic multilingual plane.
        if code < 32 or 127 <= code < 160 or code > 0xFFFF:
            return None
        if c not in self.glyphs:
            if len(self.glyphs) > 64:
                self.glyphs.clear()
            glyph = self.unifont(code)
            self.glyphs[c] = glyph or (self.latin(c) if code < 127 else self.strokes(code))
        return self.glyphs[c]

    def unifont(self, code):
        found = _glyph(code)
        if found is None:
            return None
        width, rows = found
        ink = 0
        for row in rows:
            ink |= row
        if not ink:
            return width // 2, rows
        left = 0
        if width == 16:
            # Eight fit into a row, each with a pixel beside it.
            left, width = ink & 1 and not ink & 0x8000, 15
        else:
            while not ink << left & 0x8000:
                left += 1
            width = 16 - left
            while not ink & 1:
                ink >>= 1
                width -= 1
        return width, tuple([row << left & 0xFFFF for row in rows])

    def latin(self, c):
        rows = bytearray(8)
        fb = framebuf.FrameBuffer(rows, 8, 8, framebuf.MONO_HLSB)
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
        # 12 of 16 rows, between ascender and descender.
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
        kind = framebuf.MONO_HMSB if font.reverse() else framebuf.MONO_HLSB
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
            super().blit(framebuf.FrameBuffer(glyph, width, height, kind), x, y)
            x += width + 1
            drawn += width + 1
        return drawn - 1, (x - 1, y)

    # Written in C in the firmware.

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
        super().poly(0, 0, array.array('h', (x0, y0, x1, y1, x2, y2)), c, True)

    def Bitmap(self, x, y, bitmap, w, h, c):
        stride = (w + 7) // 8
        for row in range(h):
            for column in range(w):
                if bitmap[row * stride + column // 8] & (128 >> column % 8):
                    super().pixel(x + column, y + row, c)

    bitmap = Bitmap


oled = OLED()
display = oled


def print(first, *rest, sep=' ', end='\n', **options):
    # Requires an argument, and adds a space before a leading Chinese character.
    if isinstance(first, str) and first and ord(first[0]) > 127:
        first = ' ' + first
    builtins.print(first, *rest, sep=sep, end=end, **options)


class wifi:
    def __init__(self):
        self.sta = network.WLAN(network.STA_IF)
        self.ap = network.WLAN(network.AP_IF)

    def connectWiFi(self, ssid, passwd, timeout=10):
        if self.sta.isconnected():
            self.sta.disconnect()
        self.sta.active(True)
        seen = None
        for found in self.sta.scan():
            if found[0].decode() == ssid:
                seen = found
        if seen is None:
            raise OSError('SSID invalid / failed to scan this wifi')
        self.sta.connect(ssid, passwd)
        began = time.ticks_ms()
        print('Connection WiFi', end='')
        while self.sta.ifconfig()[0] == '0.0.0.0':
            if time.ticks_diff(time.ticks_ms(), began) > timeout * 1000:
                print('')
                raise OSError('Timeout!,check your wifi password and keep your network unblocked')
            print('.', end='')
            time.sleep_ms(500)
        print('')
        print('WiFi(%s,%sdBm) Connection Successful, Config:%s' % (ssid, str(seen[3]), str(self.sta.ifconfig())))

    def disconnectWiFi(self):
        if self.sta.isconnected():
            self.sta.disconnect()
        self.sta.active(False)
        print('disconnect WiFi...')


class Button:
    def __init__(self, pin):
        self.pin = Pin(pin)
        self.event_pressed = self.event_released = None

    def value(self):
        return 1

    def is_pressed(self):
        return False

    def was_pressed(self):
        return False

    def get_presses(self):
        return 0


button_a = Button(0)
button_b = Button(2)


class _Light:
    def __init__(self):
        self._pixels = [(0, 0, 0)] * 3

    def __setitem__(self, index, colour):
        self._pixels[index] = tuple(colour)

    def __getitem__(self, index):
        return self._pixels[index]

    def fill(self, colour):
        self._pixels = [tuple(colour)] * 3

    def write(self):
        pass


rgb = _Light()


def sleep_ms(ms):
    time.sleep_ms(ms)


def numberMap(value, low, high, to_low, to_high):
    return (value - low) * (to_high - to_low) / (high - low) + to_low
