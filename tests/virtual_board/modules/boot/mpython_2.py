del __file__
import time
import gc
import uos
from flashbdev import bdev
from neopixel import NeoPixel
import machine
import ubinascii

if bdev.new:
    import inisetup
    vfs = inisetup.setup()

for count in range(3):
    if bdev.marker:
        print('=$%#=')
        time.sleep_ms(100)
gc.collect()

mac = '$#mac:{}#$'.format(ubinascii.hexlify(machine.unique_id()).decode().upper())
if bdev.marker:
    print(mac)
