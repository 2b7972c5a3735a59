# The mirror agent: sent to the board before the user's program, it reports what that program shows on the OLED, in frames
# between the program's prints. docs/protocol.md specifies the frames.
#
# It wraps the methods of the one display object, which is `oled` of the module mpython in the maker's firmware and
# `onboard_oled` in Mixly's. tests/minify_scripts.py makes a file for each: `if MIXLY:` is decided there.
#
# It runs inside the program, at every show(), on a processor that does some ten thousand of these lines a second: inner
# loops use local variables and few calls. Everything lies in one function, so that the user's dictionary stays clean.
def start(picture_length):  # on the line: _u
    # picture_length: 1024 reports texts and picture, -1 the texts alone.
    def load_module(name, load=__import__):
        # A file on the board hides the firmware's module of its name, but not the one with a u in front. Before 1.17
        # there is no usys, and nothing hides sys.
        try:
            return load('u' + name)
        except ImportError:
            return load(name)

    try:
        if MIXLY:
            from mpython import onboard_oled as display
            pixels = display._buffer
        else:
            from mpython import oled as display
            pixels = display.buffer
        crc32 = load_module('binascii').crc32
        clock = load_module('time').time
        # A display of another size raises as well.
        1 / (len(pixels) == 1024)
    except Exception:
        return
    # Sent before, without a soft reset since: the methods are wrapped already.
    if hasattr(display, '_udp'):
        return display._udp(picture_length)
    write = load_module('sys').stdout.write
    # The picture as the PC has it.
    sent = bytearray(1024)
    # One buffer for all frames. A frame ends before the page that would begin beyond 999: a page takes up to 259 bytes,
    # the end 6.
    frame = bytearray(1270)
    frame_view = memoryview(frame)
    frame[:3] = b'\x1b_U'
    # The texts on the screen, and those that the PC has: (x, y, mode, text).
    texts = []
    sent_texts = []
    # pages, sent_pages: slices of both pictures, or none if only texts are reported.
    # needs_key: the next picture must be a whole one; 2 before the first.
    # state: 0 idle, 1 reporting, 2 reporting and another report was asked for meanwhile.
    pages = sent_pages = reported_length = needs_key = sequence = contrast = state = key_time = end = 0
    panel = 1
    if MIXLY:
        # Methods that draw text, and how: 0 a picture, 1 a row of characters, 2 rows with line breaks.
        kinds = {'shows': 1, 'frame': 1, 'scroll': 1, 'texts': 2, 'image': 0}
        # The text that one of them is drawing, and how many of its characters are drawn.
        drawing = ''
        drawn = 0

    def put(symbol):
        # No byte of a frame is a control character, in 7 bits or in 8.
        nonlocal end
        frame[end] = symbol + 32 if symbol < 95 else symbol + 65
        end += 1

    def put_number(number):
        number &= 65535
        if number < 160:
            return put(number)
        put(160 + (number >> 12))
        put(number >> 6 & 63)
        put(number & 63)

    def send_frame():
        nonlocal end, sequence
        length = end
        end = 3
        put(sequence)
        put(length - 6 >> 6)
        put(length - 6 & 63)
        end = length
        crc = crc32(frame_view[3:end])
        for shift in (0, 6, 12, 18):
            put(crc >> shift & 63)
        frame[end] = 27
        frame[end + 1] = 92
        # One write: a print of an interrupt cannot come in between.
        write(frame_view[:end + 2])
        sequence = (sequence + 1) % 90
        end = 6

    def put_panel():
        put(167)
        put(panel)
        put(contrast >> 4)
        put(contrast & 15)

    def put_texts():
        nonlocal end
        put(168)
        for text in texts:
            old = sent_texts and sent_texts.pop(0)
            if old == text:
                put(172)
                continue
            x, y, mode, content = text
            is_moved = old and old[3] == content
            put(173 if is_moved else 171)
            put_number(x)
            put_number(y)
            put(mode & 7)
            if is_moved:
                continue
            # Cut to what fits: all 24 texts stay below 1100. A text may be bytes.
            content = (b'' + content)[:max(0, 400 - end // 2)]
            put_number(len(content))
            for byte in content:
                # A control character, or 255, becomes 255 and a printable one.
                if byte < 32 or byte & 127 > 126:
                    frame[end] = 255
                    end += 1
                    byte ^= 64
                frame[end] = byte
                end += 1

    def put_pixels(index, stop):
        # put() inlined: this is the inner loop.
        nonlocal end
        position = end
        while index < stop:
            byte = pixels[index]
            sent[index] = byte
            index += 1
            if byte > 189:
                frame[position] = 255
                position += 1
                byte -= 190
            frame[position] = byte + 32 if byte < 95 else byte + 65
            position += 1
        end = position

    def put_page(index):
        # Unchanged bytes are skipped, equal ones are counted, the rest goes over as it is.
        done = index
        stop = index + 128
        put(159 + (index >> 7))
        while index < stop:
            byte = pixels[index]
            if byte == sent[index]:
                index += 1
                continue
            while done < index:
                count = min(index - done, 64)
                put(63 + count)
                done += count
            ahead = index + 1
            limit = min(index + 34, stop)
            while ahead < limit and pixels[ahead] == byte:
                ahead += 1
            count = ahead - index
            if count > 3:
                # A run of equal bytes.
                put(124 + count)
                put_pixels(index, index + 1)
                while index < ahead:
                    sent[index] = byte
                    index += 1
            else:
                # Bytes as they are, until three did not change or four are equal.
                ahead = index
                limit = min(index + 64, stop)
                unchanged = equal = 0
                byte = -1
                while ahead < limit and unchanged < 3 and equal < 3:
                    equal = pixels[ahead] == byte and equal + 1
                    byte = pixels[ahead]
                    unchanged = byte == sent[ahead] and unchanged + 1
                    ahead += 1
                ahead -= 4 if equal > 2 else unchanged
                put(ahead - index - 1)
                put_pixels(index, ahead)
                index = ahead
            done = index

    def report():
        nonlocal end, state, needs_key, key_time
        if state:
            # Called by an interrupt while the program was in here: report again at the end.
            state = 2
            return
        state = 2
        try:
            while state > 1:
                state = 1
                # A whole picture every 4 seconds repairs what the line lost.
                time = int(clock()) >> 2
                is_key = needs_key or time != key_time
                if not is_key and pages == sent_pages and texts == sent_texts:
                    return
                # Whatever cuts this short, the next picture is a whole one.
                needs_key = 1
                end = 6
                if is_key:
                    key_time = time
                    put(169)
                    put_panel()
                    sent_texts.clear()
                    for index in range(1024):
                        sent[index] = 0
                if texts != sent_texts:
                    put_texts()
                    sent_texts[:] = texts
                for index in range(len(pages)):
                    if pages[index] != sent_pages[index]:
                        if end > 999:
                            send_frame()
                        put_page(index * 128)
                put(170)
                send_frame()
                needs_key = 0
        finally:
            state = 0

    def note(text, x, y, mode):
        # A text replaces the one at its place. Mode 0 draws nothing.
        texts[:] = [old for old in texts if old[:2] != (x, y)][-23:]
        if mode:
            texts.append((x, y, mode, text))

    if MIXLY:
        def note_character(buffer, x=0, y=0, *rest, **options):  # keeps its parameters' names
            # shows(), texts(), scroll() and frame() draw each character by a bitmap(), at a place that they may have
            # chosen themselves; texts() breaks lines. A character in another row, or left of the text, begins another
            # text.
            nonlocal drawn
            if drawing:
                text = drawing[drawn % len(drawing)]
                if drawn and texts and texts[-1][1] == y and texts[-1][0] < x:
                    last = texts.pop()
                    x = last[0]
                    text = last[3] + text
                drawn += 1
                note(text, x, y, 1)

    def forget_covered(x, y, w, h, c):
        if MIXLY:
            # A pixel of a bitmap() covers no text.
            if h < 8:
                return
        texts[:] = [text for text in texts if not (x <= text[0] < x + w and y <= text[1] + 4 < y + h)]

    def move(dx, dy):
        texts[:] = [(text[0] + dx, text[1] + dy) + text[2:] for text in texts]

    def report_panel(set_bits, clear_bits=0, new_contrast=-1):
        nonlocal end, panel, contrast, state, needs_key
        panel = panel & ~clear_bits | set_bits
        if new_contrast >= 0:
            contrast = new_contrast & 255
        if state:
            # An interrupt in the middle of a frame: the whole picture that follows has the panel too.
            state = 2
            needs_key = 1
            return
        end = 6
        put_panel()
        put(170)
        send_frame()

    def report_last(length=0):
        # Called at the start, with the length, and when the program has ended.
        nonlocal needs_key, reported_length, pages, sent_pages
        if length and length != reported_length:
            reported_length = length
            needs_key = 2
            pages, sent_pages = [
                [memoryview(picture)[index:index + 128] for index in range(0, length, 128)] for picture in (pixels, sent)
            ]
        report_panel(0)
        if needs_key < 2:
            # The picture that was shown last: the program may have drawn since.
            kept = bytes(pixels)
            if not needs_key:
                pixels[:] = sent
                needs_key = 1
            report()
            pixels[:] = kept

    def wrap(name, after):
        # The method's own result and exceptions stay. An exception in this mirror must not reach the program.
        method = getattr(display, name, 0)

        def wrapped(*args, **options):
            if MIXLY:
                nonlocal drawing, drawn
                if name in kinds:
                    drawing = drawn = 0
                    if kinds[name]:
                        drawing = str(args[0] if args else options['data'])
                    if kinds[name] > 1:
                        drawing = drawing.replace('\n', '')
            result = method(*args, **options)
            if MIXLY:
                if name in kinds:
                    drawing = 0
            try:
                after(*args, **options)
            except Exception:
                pass
            return result

        if method:
            setattr(display, name, wrapped)

    # The parameters have the firmware's names: a program may pass them by keyword.
    wrap('fill', lambda c: texts.clear())
    wrap('fill_rect', forget_covered)
    if MIXLY:
        # str: nothing is done after these, it takes whatever comes.
        wrap('bitmap', note_character)
        wrap('image', str)
        wrap('shows', str)
        wrap('texts', str)
        wrap('frame', str)
    wrap('scroll', move)
    wrap('DispChar', lambda s, x, y, mode=1, *rest, **options: note(s, x, y, mode))
    wrap('DispChar_font', lambda font, s, x, y, invert=0: note(s, x, y, 1 + invert))
    wrap('text', lambda s, x, y, c=1: note(s, x, y, c and 5))
    wrap('show', report)
    wrap('poweroff', lambda: report_panel(0, 1))
    wrap('poweron', lambda: report_panel(1))
    wrap('invert', lambda invert: report_panel(invert % 2 * 2, 2))
    wrap('contrast', lambda contrast: report_panel(4, 0, contrast))
    display._udp = report_last
    report_last(picture_length)
