del __file__
import gc
import uos
from flashbdev import bdev
if bdev.new:
    import inisetup
    vfs = inisetup.setup()
gc.collect()
