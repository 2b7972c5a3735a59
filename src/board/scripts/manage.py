# What `udpcli board cp`, `mv` and `ls -l` call besides files.py. Runs after it, in the same dictionary;
# docs/protocol.md lists the calls and their answers.
def copy(path, temporary):  # on the line: C
    # Safe to retry: it begins again. finish() checks the copy and gives it its name.
    with open(path, 'rb') as source:
        with open(temporary, 'wb') as target:
            while 1:
                count = source.readinto(block)
                if not count:
                    break
                target.write(block[:count])


def move(path, target, aside):  # on the line: m
    # Safe to retry: udpcli has seen `path` before, so if it is missing, an earlier attempt has moved it.
    try:
        os.stat(path)
    except OSError:
        os.stat(target)
        return
    try:
        os.rename(path, target)
        return
    except OSError:
        if not aside:
            raise
    # FAT does not rename onto a file. The old file gets another name first, and its own name back if the rename
    # fails.
    remove_quietly(aside)
    os.rename(target, aside)
    try:
        os.rename(path, target)
    except OSError:
        os.rename(aside, target)
        raise
    os.remove(aside)


def dates(*paths):  # on the line: n
    # The board's own calendar: the epoch of its clock differs between firmware versions.
    time = load_module('utime', 'time')
    for path in paths:
        try:
            write('%d-%02d-%02dT%02d:%02d:%02d\0' % tuple(time.localtime(os.stat(path)[8])[:6]))
        except Exception:
            write('-\0')
