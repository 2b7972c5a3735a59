# The names that generic 1.17 and Mixly's 1.19.1 leave in globals(), as recorded.
import gc
import uos
from flashbdev import bdev

if bdev.is_new():
    import inisetup

    vfs = inisetup.setup()

gc.collect()
