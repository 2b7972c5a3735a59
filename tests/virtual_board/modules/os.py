# The ESP32's os over the unix port's: no environment, no processes; sizes in listings; the board's statvfs.
from _real import os as _os

chdir = _os.chdir
getcwd = _os.getcwd
listdir = _os.listdir
mkdir = _os.mkdir
umount = _os.umount
urandom = _os.urandom
sep = '/'
for _name in ('VfsFat', 'VfsLfs2'):
    if hasattr(_os, _name):
        globals()[_name] = getattr(_os, _name)

_OLD = bool(_os.getenv('VB_OLD'))
_READ_ONLY = bool(_os.getenv('VB_READ_ONLY'))


_mounts = []


def mount(device, path, **options):
    _os.mount(device, path, **options)
    _mounts.append(path + '/')


def _is_mounted(path):
    return any((path + '/').startswith(m) for m in _mounts)


def remove(path):
    if _READ_ONLY:
        raise OSError(30)
    _os.remove(path)


def rmdir(path):
    if _READ_ONLY:
        raise OSError(30)
    _os.rmdir(path)


unlink = remove


def rename(old, new):
    # VfsPosix puts both paths behind its root in one buffer, where the second overwrites the first: relative ones
    # stay apart.
    here = getcwd()
    paths = [p if p.startswith('/') else here.rstrip('/') + '/' + p for p in (old, new)]
    if _is_mounted(paths[0]):
        return _os.rename(*paths)
    chdir('/')
    try:
        _os.rename(paths[0][1:], paths[1][1:])
    finally:
        chdir(here)


def stat(path):
    s = _os.stat(path)
    # (mode, 0, 0, 0, 0, 0, size, times): the board's file systems keep no more.
    mode = s[0] & 0xF000
    return (mode, 0, 0, 0, 0, 0, 0 if mode == 0x4000 else s[6], s[7], s[8], s[9])


def ilistdir(path=''):
    folder = path or getcwd()
    folder = folder if folder.endswith('/') else folder + '/'
    for entry in _os.ilistdir(path or '.'):
        name, kind = entry[0], entry[1]
        size = 0
        if kind != 0x4000:
            try:
                size = _os.stat(folder + name)[6]
            except OSError:
                pass
        yield (name, kind, 0, size)


def statvfs(path='/'):
    if _is_mounted(path):
        return _os.statvfs(path)
    blocks = (int(_os.getenv('VB_FS_SIZE')) or 2097152) // 4096
    used = _os.system('fs_used') // 4096
    free = max(0, blocks - used)
    return (4096, 4096, blocks, free, free, 0, 0, 0, 0, 255)




def uname():
    from collections import namedtuple
    u = namedtuple('uname', ('sysname', 'nodename', 'release', 'version', 'machine'))
    if _OLD:
        return u('esp32', 'esp32', '1.12.0', 'v1.12 on 2021-06-01', 'mpython with ESP32')
    return u('esp32', 'esp32', '1.28.0', 'v1.28.0 on 2026-04-01', 'Generic ESP32 module with ESP32')
