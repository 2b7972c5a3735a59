def boot():
    from flashbdev import bdev
    if bdev.marker:
        import time, machine, ubinascii
        for count in range(3):
            print('=$%#=')
            time.sleep_ms(100)
        print('$#mac:{}#$'.format(ubinascii.hexlify(machine.unique_id()).decode().upper()))


boot()
del boot, __file__
import sys
for name in list(sys.modules):
    if name[0] != '_':
        del sys.modules[name]
del name, sys
