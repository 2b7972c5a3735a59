# uzlib: firmware before 1.21 inflates with it, and lacks deflate.
from _real import deflate as _deflate
import io as _io


class DecompIO(_io.IOBase):
    # wbits: -8..-15 raw, 8..15 zlib, 24..31 gzip (MicroPython 1.12, moduzlib.c).
    def __init__(self, stream, wbits=0):
        if wbits < 0:
            form, bits = _deflate.RAW, -wbits
        elif wbits >= 16:
            form, bits = _deflate.GZIP, (wbits - 16) or 15
        else:
            form, bits = _deflate.ZLIB, wbits or 15
        self._io = _deflate.DeflateIO(stream, form, bits)

    def read(self, *args):
        return self._io.read(*args)

    def readinto(self, *args):
        return self._io.readinto(*args)

    def readline(self, *args):
        return self._io.readline(*args)


def decompress(data, wbits=0):
    return DecompIO(_io.BytesIO(data), wbits).read()
