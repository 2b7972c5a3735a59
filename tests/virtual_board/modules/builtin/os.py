# The ESP32's os on top of the unix port's: no environment, no processes; sizes in listings; the board's statvfs.
from collections import namedtuple as _namedtuple
from _real import os as _os, root as _root, firmware as _firmware

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

_READ_ONLY = bool(_os.getenv('VB_READ_ONLY'))


_mounts = []


def mount(device, path, **options):
    _os.mount(device, path, **options)
    _mounts.append(path + '/')


def _bytes(path):
    return path.encode() if isinstance(path, str) else path


def _is_mounted(path):
    return any((_bytes(path) + b'/').startswith(m.encode()) for m in _mounts)


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
    # VfsPosix joins both paths with its root in one buffer, where the second path overwrites the first: relative
    # paths stay separate.
    here = getcwd()
    paths = [_bytes(p) for p in (old, new)]
    paths = [p if p.startswith(b'/') else here.rstrip('/').encode() + b'/' + p for p in paths]
    if _is_mounted(paths[0]):
        return _os.rename(*paths)
    root = (_root.rstrip('/') + '/').encode()
    if not (paths[0].startswith(root) and paths[1].startswith(root)):
        # ENODEV: no file system is mounted there.
        raise OSError(19)
    chdir(root)
    try:
        _os.rename(paths[0][len(root):], paths[1][len(root):])
    finally:
        chdir(here)


def stat(path):
    s = _os.stat(path)
    # (mode, 0, 0, 0, 0, 0, size, times): the board's file systems store no more.
    mode = s[0] & 0xF000
    return (mode, 0, 0, 0, 0, 0, 0 if mode == 0x4000 else s[6], s[7], s[8], s[9])


def ilistdir(path=''):
    # A folder named by bytes is listed in bytes, except the entries that the root file system adds to the mount
    # points in `/`: extmod/vfs.c, mp_vfs_ilistdir_it_iternext.
    folder = _bytes(path or getcwd())
    folder = folder if folder.endswith(b'/') else folder + b'/'
    for entry in _os.ilistdir(path or '.'):
        name, kind = entry[0], entry[1]
        if folder == b'/' and (_root != '/' or _is_mounted(b'/' + _bytes(name))):
            yield (name, kind, 0)
            continue
        size = 0
        if kind != 0x4000:
            try:
                size = _os.stat(folder + _bytes(name))[6]
            except OSError:
                pass
        yield (name, kind, 0, size)


def statvfs(path='/'):
    path = _bytes(path)
    if _is_mounted(path):
        return _os.statvfs(path)
    if not ((path if path[:1] == b'/' else getcwd().encode() + b'/' + path) + b'/').startswith(_root.encode()):
        # extmod/vfs.c, mp_vfs_statvfs: the root folder without a mounted file system.
        if path == b'/':
            return (0, 0, 0, 0, 0, 0, 0, 0, 0, 255)
        raise OSError(19)
    blocks = (int(_os.getenv('VB_FS_SIZE')) or 2097152) // 4096
    used = _os.system('fs_used') // 4096
    free = max(0, blocks - used)
    return (4096, 4096, blocks, free, free, 0, 0, 0, 0, 255)


def uname():
    release = '.'.join([str(n) for n in _firmware['release'][:3]])
    # The firmware shows a tuple with attributes without a type name.
    names = ('sysname', 'nodename', 'release', 'version', 'machine')
    return _namedtuple('', names)('esp32', 'esp32', release, _firmware['version'], _firmware['machine'])
