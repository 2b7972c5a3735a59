# The mirror agent for the board 3.0: reports the texts that a program draws with `lv_oled`, in the frames that docs/protocol.md
# specifies. LVGL draws on a colour display, and its pixels cannot be read back: there is no picture, only texts.
#
# It wraps methods of the class, because a program may make its own object: `from lv_oled import OLED; oled = OLED()`.
# Everything lies in one function, so that the user's dictionary stays clean.
def start(picture_length):  # on the line: _u
    def load_module(name, load=__import__):
        try:
            return load('u' + name)
        except ImportError:
            return load(name)

    try:
        display = __import__('lv_oled').OLED
        crc32 = load_module('binascii').crc32
    except Exception:
        return
    # Sent before, without a soft reset since: the methods are wrapped already.
    if hasattr(display, '_udp'):
        return display._udp()
    write = load_module('sys').stdout.write
    # The texts drawn since the last fill(), and those of the last show(): (x, y, mode, text as bytes).
    texts = []
    shown = []
    sequence = 0

    def number(value):
        value &= 65535
        if value < 160:
            return [value]
        return [160 + (value >> 12), value >> 6 & 63, value & 63]

    def send(sections):
        nonlocal sequence
        # A symbol is one byte that is no control character; 255 escapes one inside a text and is in there already.
        def put(symbols):
            return bytes([symbol + 32 if symbol < 95 else symbol + 65 for symbol in symbols])

        body = b''
        for section in sections:
            body += section if type(section) is bytes else put(section)
        length = len(body)
        frame = put([sequence, length >> 6, length & 63]) + body
        crc = crc32(frame)
        write(b'\x1b_U' + frame + put([crc >> shift & 63 for shift in (0, 6, 12, 18)]) + b'\x1b\\')
        sequence = (sequence + 1) % 90

    # On, and a colour display; the contrast is not known.
    panel = [167, 9, 0, 0]

    def report():
        # The texts alone are few bytes: all of them go over each time, after a key, so that a lost frame harms nothing.
        sections = [[169], panel, [168]]
        room = 1000
        for x, y, mode, text in shown:
            text = text[:max(0, room // 2)]
            escaped = b''
            for byte in text:
                escaped += bytes([255, byte ^ 64]) if byte < 32 or byte & 127 > 126 else bytes([byte])
            room -= len(escaped) + 12
            sections.append([171] + number(x) + number(y) + [mode] + number(len(text)))
            sections.append(escaped)
        sections.append([170])
        send(sections)

    def note(text, x=10, y=10, type=1, wrap=0):  # keeps its parameters' names
        texts[:] = [old for old in texts if old[:2] != (x, y)][-19:]
        texts.append((x, y, 2 if type == 2 else 1, str(text).encode()))

    def show():
        shown[:] = texts
        report()

    def report_last(length=0):
        # Called at the start, with the length, and when the program has ended.
        if length or not shown:
            send([panel, [170]])
        if shown:
            report()

    def wrap(name, after):
        # The method's own result and exceptions stay. An exception in this mirror must not reach the program.
        method = getattr(display, name)

        def wrapped(self, *args, **options):
            result = method(self, *args, **options)
            try:
                after(*args, **options)
            except Exception:
                pass
            return result

        setattr(display, name, wrapped)

    wrap('fill', lambda type=0: texts.clear())  # keeps its parameters' names
    wrap('DispChar', note)
    wrap('show', show)
    display._udp = report_last
    report_last(picture_length)
