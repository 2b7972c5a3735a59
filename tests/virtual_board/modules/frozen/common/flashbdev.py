# The flash of the file system: a folder of this PC. A write ends in `ioctl`, whose line 23 is the line in
# the recorded traceback.
import utime as _time
from _real import env as _env, first as _first


class FlashBdev:
    pause = 1 if _env('VB_QUICK') else 100


    def is_new(self):
        return _first

    def readblocks(self, n, buf, offset=0):
        raise OSError(5)

    def writeblocks(self, n, buf, offset=0):
        raise OSError(5)

    def ioctl(self, op, arg):
        # The time that a real flash takes.

        _time.sleep_ms(arg)


bdev = FlashBdev()
