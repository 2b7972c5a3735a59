# Mixly's driver: the framebuffer is `_buffer` (get_buffer()), not `buffer`.
import uframebuf
from _real import os as _os
from ubinascii import hexlify as _hexlify


class SSD1106(uframebuf.FrameBuffer_Uincode):
    def __init__(self, width, height, external_vcc, l_offset=0, h_offset=0):
        self._external = external_vcc
        self._l_offset = l_offset
        self._h_offset = h_offset
        self._buffer = bytearray((width + 7) // 8 * height)
        super().__init__(self._buffer, width, height, uframebuf.MONO_VLSB)
        self.poweron()
        self.fill(0)
        self.show()

    def poweroff(self):
        _os.system('power 0')

    def poweron(self):
        _os.system('power 1')

    def contrast(self, contrast):
        _os.system('contrast %d' % contrast)

    def invert(self, invert):
        _os.system('inverted %d' % (invert & 1))

    def show(self):
        _os.system('show ' + _hexlify(self._buffer).decode())


class SSD1106_I2C(SSD1106):
    def __init__(self, width, height, i2c, addr=0x3c, external_vcc=False, l_offset=0, h_offset=0):
        self.i2c = i2c
        self.addr = addr
        super().__init__(width, height, external_vcc, l_offset, h_offset)
