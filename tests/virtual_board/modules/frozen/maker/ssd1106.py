# The display's driver: SSD1106_I2C over framebuf.FrameBuffer, 128x64, MONO_VLSB.
import framebuf as _framebuf
from _real import os as _os
from ubinascii import hexlify as _hexlify


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
