# The board's file system: what `udpcli board put`, `get`, `ls` and `rm` call. Runs after helper.py, in the
# same dictionary; docs/protocol.md lists the calls and their answers. Paths are bytes, because a name need not be UTF-8.
gc = load_module('gc')  # on the line: g
hashlib = load_module('uhashlib', 'hashlib')  # on the line: H
BytesIO = load_module('uio', 'io').BytesIO  # on the line: B
# Which module inflates: 1 uzlib (up to 1.21), 2 deflate (from 1.21), 0 none.
inflate_kind = 0  # on the line: Z
inflate_module = load_module('uzlib')  # on the line: N
if hasattr(inflate_module, 'DecompIO'):
    inflate_kind = 1
else:
    inflate_module = load_module('deflate')
    if hasattr(inflate_module, 'DeflateIO'):
        inflate_kind = 2
# One buffer for everything, allocated while the heap is still in one piece: two bytes of length, 4,096 of content. That
# is a sector of the flash: written as a whole, it is erased once.
buffer = bytearray(4098)  # on the line: M
buffer_view = memoryview(buffer)  # on the line: V
block = buffer_view[2:]  # on the line: W


def hash_of(path):  # on the line: s
    sha256 = hashlib.sha256()
    with open(path, 'rb') as stream:
        while 1:
            count = stream.readinto(block)
            if not count:
                break
            sha256.update(block[:count])
    return sha256.digest()


# ---- The next part: folders, and the first call of a session.
def mounts():  # on the line: P
    # The root lists mounted file systems first, as short tuples; those of files have a fourth item, the size. Firmware
    # that lists the root as text raises a UnicodeError at a name that is not UTF-8, and mounts nothing in the root.
    try:
        for entry in os.ilistdir(b'/'):
            if len(entry) > 3 or type(entry[0]) is str:
                break
            yield entry
    except UnicodeError:
        pass


def entries(path):  # on the line: D
    # `/` lists mounted file systems and, on some firmware, fails at a name that is not UTF-8. `//` lists the files of the
    # root alone, as bytes; it raises ENODEV (19) where nothing is mounted at the root.
    if path == b'/':
        for entry in mounts():
            yield entry
        path = b'//'
    try:
        for entry in os.ilistdir(path):
            if type(entry[0]) is str:
                entry = (entry[0].encode(),) + tuple(entry[1:])
            yield entry
    except OSError as error:
        if path != b'//' or error.args[0] != 19:
            raise


def begin():  # on the line: o
    # How long pieces may be: the largest window that can be allocated beside one. Also where relative paths begin.
    gc.collect()
    free = gc.mem_free()
    window = inflate_kind and 15
    while window > 10:
        try:
            bytearray(min(free // 4, 40000)), bytearray(1 << window)
            break
        except MemoryError:
            window -= 1
    gc.collect()
    write('%d %d' % (free, window))
    try:
        folder = os.getcwd()
    except Exception:
        folder = '/'
    write('\0' + folder)
    for entry in mounts():
        write(b'\0/' + entry[0])


# ---- The next part: free space, and comparing files by their hash.
def space(path):  # on the line: y
    # 0 0 if the file system does not report it.
    try:
        figures = os.statvfs(path)
    except Exception:
        figures = (0,) * 10
    write('%d %d' % (figures[1] * figures[3], figures[1] * figures[2]))


def look_at(*paths):  # on the line: l
    for path in paths:
        try:
            status = os.stat(path)
        except OSError:
            write('-\0')
            continue
        if status[0] & 0x4000:
            write('D\0')
        else:
            # A damaged file must not hide the others from the list.
            try:
                write('F %d %s\0' % (status[6], binascii.b2a_base64(hash_of(path)).decode()[:-1]))
            except OSError as error:
                write('X %d OSError: %s\0' % (status[6], error))


def compare(*pairs):  # on the line: L
    # A folder with a slash at its end, the names in it joined by slashes, the next folder .. One character for each name
    # that is no file, 13 for a file: a mark and the first 9 bytes of its hash in base64. A file that cannot be read counts
    # as no file.
    for index in range(0, len(pairs), 2):
        for name in pairs[index + 1].split(b'/'):
            path = pairs[index] + name
            try:
                if os.stat(path)[0] & 0x4000:
                    write('D')
                else:
                    write(b'F' + binascii.b2a_base64(hash_of(path)[:9])[:-1])
            except OSError:
                write('-')


# ---- The next part: listing, making and removing.
def list_folder(path, deep=0):  # on the line: d
    # A list of pending folders instead of recursion: a board's stack is small.
    status = os.stat(path)
    if not status[0] & 0x4000:
        write(('F %d ' % status[6]).encode() + path + b'\0')
        return
    folders = [path]
    while folders:
        path = folders.pop()
        for entry in entries(path):
            whole = path + (b'' if path[-1] == 47 else b'/') + entry[0]
            is_folder = entry[1] & 0x4000
            size = 0 if is_folder else entry[3] if len(entry) > 3 else os.stat(whole)[6]
            write(('%s %d ' % ('D' if is_folder else 'F', size)).encode() + whole + b'\0')
            # Some firmware lists a folder in itself.
            if deep and is_folder and entry[0] not in (b'.', b'..'):
                folders.append(whole)


def make_folder(path):  # on the line: j
    # An existing folder is success: the line may have lost the answer to the first attempt.
    try:
        os.mkdir(path)
    except OSError as error:
        try:
            is_folder = os.stat(path)[0] & 0x4000
        except OSError:
            # Raise the reason why the folder could not be made, not that it is missing.
            is_folder = 0
        if not is_folder:
            raise error


def remove(path, deep):  # on the line: r
    if os.stat(path)[0] & 0x4000:
        if deep:
            for entry in list(entries(path)):
                remove(path + b'/' + entry[0], deep)
        os.rmdir(path)
    else:
        os.remove(path)


def is_file(path):  # on the line: h
    try:
        write('%d' % (not os.stat(path)[0] & 0x4000))
    except OSError:
        write('0')


def remove_quietly(path):  # on the line: q
    try:
        os.remove(path)
    except OSError:
        pass


# ---- The next part: content, in both directions.
open_file = 0  # on the line: f


def close():  # on the line: c
    global open_file
    if open_file:
        open_file.close()
    open_file = 0


def open_to_write(path):  # on the line: u
    global open_file
    close()
    open_file = open(path, 'wb')


def send_file(path):  # on the line: G
    # Not through write(): the SHA-256 from look_at() covers the content, and CRC-32 would be a second pass over it.
    try:
        with open(path, 'rb') as stream:
            while 1:
                count = stream.readinto(block)
                if not count:
                    break
                buffer[0] = count >> 8
                buffer[1] = count & 255
                stdout.write(buffer_view[:count + 2])
    finally:
        stdout.write(b'\0\0')


def write_piece(offset, window):  # on the line: a
    # Safe to retry: a piece says where it belongs.
    piece = call_data
    if open_file.tell() != offset:
        open_file.seek(offset)
    if window:
        piece = BytesIO(piece)
        if inflate_kind == 1:
            piece = inflate_module.DecompIO(piece, -window)
        else:
            piece = inflate_module.DeflateIO(piece, inflate_module.RAW, window)
        while 1:
            count = piece.readinto(block)
            if not count:
                break
            open_file.write(block[:count])
    else:
        open_file.write(piece)


# ---- The next part: the end of a file.
def finish(temporary, path, expected_hash):  # on the line: v
    # Reads back what the flash holds before the old file goes. Safe to retry: without the temporary file it answers
    # whether the file itself is the expected one.
    close()
    try:
        found = hash_of(temporary)
    except OSError:
        try:
            found = hash_of(path) == expected_hash
        except OSError:
            found = 0
        write('.' if found else '!')
        return
    if found != expected_hash:
        os.remove(temporary)
        write('!')
        return
    try:
        os.rename(temporary, path)
    except OSError as error:
        # FAT does not rename onto a file. The old file gets another name first, and its own name back if the rename
        # fails.
        aside = temporary + b'~'
        try:
            if os.stat(path)[0] & 0x4000:
                raise error
            remove_quietly(aside)
            os.rename(path, aside)
        except OSError:
            raise error
        try:
            os.rename(temporary, path)
        except OSError:
            os.rename(aside, path)
            raise
        os.remove(aside)
    write('.')
