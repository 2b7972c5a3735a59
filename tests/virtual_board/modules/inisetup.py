# Makes the file system at the first boot.
from _real import vfs as _vfs


def setup():
    print('Performing initial setup')
    with open('boot.py', 'w') as f:
        f.write('# This file is executed on every boot (including wake-boot from deepsleep)\n')
    return _vfs
