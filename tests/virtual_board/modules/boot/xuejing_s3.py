# S port/boards/labplus_for_xuejing/modules/_boot.py (S: github.com/labplus-cn/labplus_mpython_esp32s3), in its order.
import time
import gc
import uos
from flashbdev import bdev
from neopixel import NeoPixel
import machine
import ubinascii

_rgb = NeoPixel(machine.Pin(33, machine.Pin.OUT), 4, 3, 1, 0.1)
_rgb.write()
del _rgb

for count in range(3):
    print('=$%#=')
    time.sleep_ms(bdev.pause // 2 or 1)  # 50 ms

mac = '$#mac:{}#$'.format(ubinascii.hexlify(machine.unique_id()).decode().upper())
print(mac)

if bdev.is_new():  # there: the mount fails
    import inisetup

    vfs = inisetup.setup()

gc.collect()
