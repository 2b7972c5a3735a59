# S port/boards/mpython_v3/modules/_boot.py (S: github.com/labplus-cn/labplus_mpython_esp32s3), in its order. It runs at a soft
# reset too: S port/builtins/main.c, soft_reset.
import time
import gc
import uos
import ubinascii
import machine
import os
from flashbdev import bdev
from neopixel import NeoPixel
from machine import Pin

Pin(21, Pin.OUT, value=0)

print('boot...')

if bdev.is_new():  # there: the mount fails
    import inisetup

    vfs = inisetup.setup()

for count in range(3):
    print('=$%#=')
    time.sleep_ms(bdev.pause // 2 or 1)  # 50 ms

try:
    print('mpython_v3')
except:
    print('Unknown machine')

mac = '$#mac:{}#$'.format(ubinascii.hexlify(machine.unique_id()).decode().upper())
print(mac)

_rgb = NeoPixel(Pin(8, Pin.OUT), 4, 3, 1, 0.1)
_rgb.write()
del _rgb

gc.collect()
