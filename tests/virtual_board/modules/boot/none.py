import sys


def boot():
    from flashbdev import bdev
    import time, machine, ubinascii

    if bdev.marker:
        for count in range(3):
            print('=$%#=')
            time.sleep_ms(bdev.pause)
        print('$#mac:{}#$'.format(ubinascii.hexlify(machine.unique_id()).decode().upper()))


boot()
del boot
sys.modules.clear()
del sys
