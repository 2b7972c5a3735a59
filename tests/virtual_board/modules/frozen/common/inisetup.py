# The first boot of a newly flashed board: creates the file system and writes boot.py. An interrupt during
# the write to flash shows line 35, as recorded.
from _real import mount as _mount, env as _env
from flashbdev import bdev as _bdev


def _text():
    return '# This file is executed on every boot (including wake-boot from deepsleep)\n'


















def setup():

    print('Performing initial setup')



    vfs = _mount()
    with open('boot.py', 'w') as f:
        f.write(_text()); f.flush(); _bdev.ioctl(3, int(_env('VB_SETUP_TIME')))
    return vfs
