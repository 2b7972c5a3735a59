# Runs before the firmware's _boot.py, and turns the unix port's file system and modules into those of the board.
import sys

# A pupil's file must not replace one of these.
sys.path[:] = ['/nowhere']
import gc, os, vfs, socket, errno, machine, deflate
from collections import namedtuple
from json import loads


class Real:
    pass


real = Real()
real.os, real.socket, real.machine, real.deflate, real.errno = os, socket, machine, deflate, errno
real.env = os.getenv
real.firmware = firmware = loads(os.getenv('VB_FIRMWARE'))
real.first = bool(os.getenv('VB_FIRST'))
real.root = '/flash' if real.first and firmware['flash'] else '/'
disk = os.VfsPosix(os.getenv('VB_FS'))


def mount():
    vfs.mount(disk, real.root)
    os.chdir(real.root)
    return disk


real.mount = mount


def unifont():
    # The display's glyphs are those of GNU Unifont, where Debian's package unifont is installed: a line CODE:HEX a glyph,
    # by code, 16 rows of 8 or 16 pixels.
    try:
        file = os.VfsPosix().open('/usr/share/unifont/unifont.hex', 'rb')
    except OSError:
        return lambda code: None
    size = file.seek(0, 2)

    def glyph(code):
        # Its width, and rows whose bit 15 is the left column.
        low, high = 0, size
        while low < high:
            at = (low + high) // 2
            file.seek(at)
            # The first whole line from here on; a line has at most 72 bytes.
            block = file.read(160)
            start = block.find(b'\n') + 1 if at else 0
            end = block.find(b'\n', start)
            if end < 0 or at and not start:
                high = at
                continue
            line = block[start:end]
            colon = line.find(b':')
            here = int(line[:colon], 16)
            if here < code:
                low = at + end
            elif here > code:
                high = at
            else:
                digits = (len(line) - colon - 1) // 16
                rows = (int(line[i:i + digits], 16) for i in range(colon + 1, len(line), digits))
                return 4 * digits, tuple([row << 16 - 4 * digits for row in rows])

    return glyph


real.glyph = unifont()
sys.modules['_real'] = real

# Modules that are written in C in the firmware.
kept = [real]
sys.path[:] = [os.getenv('VB_MODULES') + '/builtin']
os.system('modules')
for name in ('errno', 'os', 'esp', 'machine', 'network', 'socket', 'zlib'):
    module = __import__(name)
    del sys.modules[name], module.__file__
    kept.append(module)
    real.os.system('module %s %d' % (name, id(module)))
del sys.modules['_real']
os.system('module _real %d' % id(real))

extra = firmware['implementation']
names = ['name', 'version'] + [name for name, _ in extra]
values = ['micropython', tuple(firmware['release'])] + [value for _, value in extra]
# The firmware shows a tuple with attributes without a type name.
implementation = namedtuple('', names)(*values)
kept.append(implementation)
os.system('implementation %d' % id(implementation))
# The garbage collector must keep all of this: the argument of sys.atexit is one of its roots.
sys.atexit(kept)

vfs.umount('/')
if not real.first:
    mount()


def open_bytes():
    # VfsPosix converts a path to str to open it (extmod/vfs_posix.c, vfs_posix_get_path_obj), so it cannot open a name
    # that is not UTF-8. The ESP32's file systems use the bytes unchanged (extmod/vfs_fat_file.c, vfs_lfsx_file.c).
    import builtins
    plain, whole, top, cwd = builtins.open, os.VfsPosix(), os.getenv('VB_FS').encode(), os.getcwd
    root = real.root.rstrip('/').encode()

    def open(path, *rest, **options):
        try:
            return plain(path, *rest, **options)
        except UnicodeError:
            if path[:1] != b'/':
                path = cwd().encode() + b'/' + path
            if path[:len(root) + 1] != root + b'/':
                raise
            return whole.open(top + path[len(root):], rest[0] if rest else 'r')

    builtins.open = open


open_bytes()
sys.path[:] = firmware['sys_path']
del sys.argv[:]
gc.collect()
os.system('firmware')
