# The flash behind the file system. Here it is a folder of this machine, mounted before.
from _real import os as _os


class FlashBdev:
    new = bool(_os.getenv('VB_FIRST'))
    marker = bool(_os.getenv('VB_MARKER'))


bdev = FlashBdev()
