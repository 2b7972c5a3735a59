# Checks whether a program has run since the interpreter started, reports the free memory, and removes the file of a
# long program that was left on the board; the argument is that file's name.
def look(left_file):  # on the line: _udpcli
    try:
        import uos as os
    except ImportError:
        import os
    try:
        # Firmware before 1.13 has no usys, so a `usys` there could only be a file on the board.
        if int(os.uname()[2].split('.')[1]) < 13:
            raise ValueError
        import usys as sys
    except (ImportError, ValueError, IndexError, AttributeError):
        import sys
    import gc
    names = globals()
    modules = list(sys.modules.values())
    # The buttons of mpython keep the functions that a program gave them.
    is_used = 'mpython' in sys.modules
    # mPython 2.x leaves a text `$#mac:..#$` and one number, its counter.
    numbers = mac_texts = 0
    for name in names:
        value = names[name]
        # Modules and the file system come from the boot.
        if name[:2] == '__' or name in ('_', '_udpcli') or type(value) is type(sys) or hasattr(value, 'statvfs'):
            continue
        # So do classes and block devices that lie in a loaded module too.
        if (type(value) is type or hasattr(value, 'readblocks')) and [
            module for module in modules if getattr(module, name, 0) is value
        ]:
            continue
        if type(value) is str and value[:6] == '$#mac:':
            mac_texts = 1
        elif type(value) is int:
            numbers += 1
        else:
            is_used = 1
    if os.getcwd() not in ('/', '/flash'):
        is_used = 1
    # A module that comes from a file on the board.
    for module in modules:
        try:
            os.stat(module.__file__)
            is_used = 1
        except (AttributeError, OSError):
            pass
    for folder in '', '/', '/flash/':
        try:
            os.remove(folder + left_file)
        except OSError:
            pass
    gc.collect()
    sys.stdout.write('~%d %d~' % (is_used or numbers > mac_texts, gc.mem_free()))
