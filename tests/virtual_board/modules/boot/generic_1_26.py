# The names that generic 1.26 leaves in globals(), as recorded.
import gc
import uos
import vfs
from flashbdev import bdev

if bdev.is_new():
    import inisetup

    inisetup.setup()

gc.collect()
