# The names that mPython 1.0 to 1.4 leaves in globals(), as recorded. The traceback of a boot that was
# interrupted while it set up the file system names line 10.
import gc
import uos
from flashbdev import bdev

if bdev.is_new():
    import inisetup

    vfs = inisetup.setup()

gc.collect()
