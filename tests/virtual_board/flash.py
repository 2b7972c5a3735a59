"""What writing costs on the chip: a sector of flash is erased and written as a whole, and meanwhile no interrupt runs.

The sectors are counted as FatFs with one window for all (FF_FS_TINY, MicroPython's configuration) writes them: whole sectors
of a file go to the flash directly; a part of one, the table and the folder go through the window, which is written when another
sector is needed in it.
"""

import os
import time

SECTOR = 4096
ERASE = 0.045  # seconds for a sector (W25Q64 and relatives, typical)
PAGE = 0.0004  # seconds for 256 bytes
TABLE, FOLDER = "table", "folder"


class Flash:
    def __init__(self, shared):
        self.shared = shared
        self.window = None
        self.is_dirty = False
        self.written = set()

    def charge(self):
        """The time of one sector."""
        until = max(time.monotonic(), self.shared.flash_until) + ERASE + SECTOR // 256 * PAGE
        self.shared.flash_until = until
        self.shared.sectors += 1
        while (left := until - time.monotonic()) > 0:
            time.sleep(left)

    def flush(self):
        if self.is_dirty:
            self.charge()
        self.is_dirty = False

    def move(self, to):
        if self.window != to:
            self.flush()
            self.window = to

    def change_in(self, sector):
        self.move(sector)
        self.is_dirty = True

    def open(self, exists):
        if exists:
            self.change_in(TABLE)
        self.change_in(FOLDER)

    def write(self, fd, length):
        try:
            at = os.lseek(fd, 0, os.SEEK_CUR)
            size = os.fstat(fd).st_size
        except OSError:
            return
        self.written.add(fd)
        end = at + length
        while at < end:
            sector = at // SECTOR
            until = min(end, (sector + 1) * SECTOR)
            if sector * SECTOR >= size:
                self.change_in(TABLE)
            if until - at == SECTOR:
                self.charge()
            else:
                self.change_in((fd, sector))
            at = until
            size = max(size, at)

    def close(self, fd):
        if fd in self.written:
            self.written.discard(fd)
            self.change_in(FOLDER)
            self.flush()

    def change(self):
        """A name is changed, made or removed: written at once."""
        self.change_in(FOLDER)
        self.flush()
