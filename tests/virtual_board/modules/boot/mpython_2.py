# L port/boards/mpython/modules/_boot.py, by its lines there (L: github.com/labplus-cn/mpython). It runs at a soft reset too:
# L port/boards/mpython/main.c:168 (soft_reset:), 208 (_boot.py), 255 (goto soft_reset).
import time  # 1
import gc  # 2
import uos  # 3
from flashbdev import bdev  # 4
from neopixel import NeoPixel  # 5
import machine  # 6
import ubinascii  # 7

if bdev.is_new():  # 14-19: the mount fails
    import inisetup

    vfs = inisetup.setup()

for count in range(3):  # 22
    print('=$%#=')  # 23
    time.sleep_ms(bdev.pause)  # 24: 100 ms

gc.collect()  # 25

mac = '$#mac:{}#$'.format(ubinascii.hexlify(machine.unique_id()).decode().upper())  # 29
print(mac)  # 30
