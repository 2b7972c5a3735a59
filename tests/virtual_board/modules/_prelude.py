# Runs before boot.py: the unix port's file system and modules become the board's.
import sys, gc, os, vfs, socket, errno

class Real:
    pass

real = Real()
real.os = os
real.socket = socket
import machine, deflate
real.machine = machine
real.deflate = deflate
real.errno = errno
if os.getenv('VB_OLD'):
    os.system('hide mp_module_deflate')
# `import uos` is the board's as well: by that name MicroPython takes its own built-in module, past every file.
for module in ('os', 'socket', 'machine'):
    os.system('hide mp_module_' + module)
sys.modules['_real'] = real
vfs.umount('/')
root = '/flash' if os.getenv('VB_FLASH') else ''
real.vfs = os.VfsPosix(os.getenv('VB_FS'))
vfs.mount(real.vfs, root or '/')
os.chdir(root or '/')
sys.path[:] = ['', root + '/.rom', '.frozen', '/lib']
del sys.argv[:]
gc.collect()
