del __file__
import gc
import uos, vfs
from flashbdev import bdev
if bdev.new:
    import inisetup
    vfs = inisetup.setup()
gc.collect()
