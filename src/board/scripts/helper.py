# The helper: runs calls on the board and answers each with a checksum. docs/protocol.md specifies both.
#
# It is the first script of a session. The scripts after it (files.py, info.py) lie in the same dictionary, `_udpcli`,
# and use its functions. tests/minify_scripts.py makes minified/helper.py, which is what goes over the line.
try:
    import uos as os  # on the line: O
except ImportError:
    import os  # on the line: O
try:
    # Firmware before 1.13 has no usys, so a `usys` there could only be a file on the board.
    if int(os.uname()[2].split('.')[1]) < 13:
        raise ValueError
    import usys as sys  # on the line: S
except (ImportError, ValueError, IndexError, AttributeError):
    import sys  # on the line: S


def load_module(*names):  # on the line: I
    # A file on the board may have the name of a module (/io.py) and would be imported in its place. While this function
    # imports, sys.path holds no folder of the board's file system. The first name that exists wins; None if there is none.
    path = sys.path
    saved = path[:]
    module = None
    path[:] = ['.frozen'] + [folder for folder in saved if '/.' in '/' + folder]
    try:
        for name in names:
            try:
                module = module or __import__(name)
            except ImportError:
                pass
    finally:
        path[:] = saved
    return module


# ---- The next part: everything needed to answer a call.
binascii = load_module('ubinascii', 'binascii')  # on the line: b
# Missing from firmware that was built without it. The answers then carry no checksum.
crc32 = getattr(binascii, 'crc32', None)  # on the line: k
# The byte stream: text mode would send CR LF for each LF.
stdout = getattr(sys.stdout, 'buffer', sys.stdout)  # on the line: t
answer_crc = call_data = 0  # on the line: e, A


def write(text):  # on the line: w
    # All output of a call goes through here, so that the checksum covers it.
    global answer_crc
    if crc32:
        answer_crc = crc32(text, answer_crc)
    stdout.write(text)


def run_call(expected_crc, code, data=b''):  # on the line: x
    # `data` travels beside the code, as call_data, because compiling a large literal takes memory.
    global answer_crc, call_data
    if crc32 and crc32(data, crc32(code)) != expected_crc:
        stdout.write('!')
        return
    call_data = data
    answer_crc = 0
    end = '~'
    try:
        exec(code, globals())
    except Exception as error:
        # Caught here, so that the text of the exception is covered by the checksum as well.
        error = ('%s: %s' % (type(error).__name__, error)).encode()
        write(error)
        end = '^%04x' % len(error)
    call_data = 0
    stdout.write(end + ('%08x' % answer_crc if crc32 else '--------'))
