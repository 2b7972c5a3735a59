# The mirror agent: sent to the board before the user's program, it reports what that program shows on the OLED.
# MicroPython 1.9 and later. Hooks the one display object, `oled` of the module mpython; does nothing without it.
# src/board/mirror/frame.rs describes the frames; src/board/mirror/agent.rs takes comments and indentation off, and makes
# the agent for Mixly's firmware: there it is `onboard_oled` with `_buffer`, and only there are the lines from
# `# Mixly:` to `# All:` sent.
def _u():
    def u(n, i=__import__):
        # A file of the pupil's hides the firmware's module of its name, but not the one with a u in front. Before 1.17
        # there is no usys, and nothing hides sys.
        try:
            return i('u' + n)
        except ImportError:
            return i(n)
    try:
        from mpython import oled as o
        pixels = o.buffer
        crc32 = u('binascii').crc32
        t = u('time').time
        # Another display raises as well.
        1 / (len(pixels) == 1024)
    except Exception:
        return
    # Sent before, without a soft reset since: the hooks are there.
    if hasattr(o, '_udp'):
        return o._udp(1024)
    write = u('sys').stdout.write
    # The picture as it was last sent.
    last = bytearray(1024)
    # A frame ends before the page that would begin beyond 999: a page takes up to 259 bytes, the end 6.
    out = bytearray(1270)
    view = memoryview(out)
    out[:3] = b'\x1b_U'
    texts = []
    told = []
    # now, sent: what is reported of both, page by page: 1024 bytes, or none.
    # key: whether the next picture is a whole one; 2 before the first.
    now = sent = had = key = seq = light = busy = when = p = 0
    panel = 1
    # Mixly:
    # What draws text, and how; what it draws just now, and how many characters of that are drawn.
    says = {'shows': 1, 'frame': 1, 'scroll': 1, 'texts': 2, 'image': 0}
    chars = ''
    at = 0
    # All:

    def sym(v):
        nonlocal p
        out[p] = v + 32 if v < 95 else v + 65
        p += 1

    def num(v):
        v &= 65535
        if v < 160:
            return sym(v)
        sym(160 + (v >> 12))
        sym(v >> 6 & 63)
        sym(v & 63)

    def end():
        nonlocal p, seq
        n = p
        p = 3
        sym(seq)
        sym(n - 6 >> 6)
        sym(n - 6 & 63)
        p = n
        c = crc32(view[3:p])
        for n in (0, 6, 12, 18):
            sym(c >> n & 63)
        out[p] = 27
        out[p + 1] = 92
        write(view[:p + 2])
        seq = (seq + 1) % 90
        p = 6

    def state():
        sym(167)
        sym(panel)
        sym(light >> 4)
        sym(light & 15)

    def words():
        nonlocal p
        sym(168)
        for t in texts:
            b = told and told.pop(0)
            if b == t:
                sym(172)
                continue
            x, y, kind, s = t
            b = b and b[3] == s
            sym(173 if b else 171)
            num(x)
            num(y)
            sym(kind & 7)
            if b:
                continue
            # What does not fit is cut: all 24 texts stay below 1100.
            # text() takes bytes as well.
            s = (b'' + s)[:max(0, 400 - p // 2)]
            num(len(s))
            for v in s:
                # A control character, or 255, as 255 and a printable one.
                if v < 32 or v & 127 > 126:
                    out[p] = 255
                    p += 1
                    v ^= 64
                out[p] = v
                p += 1

    def put(a, b):
        nonlocal p
        q = p
        while a < b:
            v = pixels[a]
            last[a] = v
            a += 1
            if v > 189:
                out[q] = 255
                q += 1
                v -= 190
            out[q] = v + 32 if v < 95 else v + 65
            q += 1
        p = q

    def page(i):
        done = i
        e = i + 128
        sym(159 + (i >> 7))
        while i < e:
            v = pixels[i]
            if v == last[i]:
                i += 1
                continue
            while done < i:
                n = min(i - done, 64)
                sym(63 + n)
                done += n
            j = i + 1
            n = min(i + 34, e)
            while j < n and pixels[j] == v:
                j += 1
            n = j - i
            if n > 3:
                # So many equal bytes.
                sym(124 + n)
                put(i, i + 1)
                while i < j:
                    last[i] = v
                    i += 1
            else:
                # Bytes, until three did not change or four are equal.
                j = i
                n = min(i + 64, e)
                u = r = 0
                v = -1
                while j < n and u < 3 and r < 3:
                    r = pixels[j] == v and r + 1
                    v = pixels[j]
                    u = v == last[j] and u + 1
                    j += 1
                j -= 4 if r > 2 else u
                sym(j - i - 1)
                put(i, j)
                i = j
            done = i

    def report():
        nonlocal p, busy, key, when
        if busy:
            # Called while the program was in here: an interrupt. Once more, then.
            busy = 2
            return
        busy = 2
        try:
            while busy > 1:
                busy = 1
                # A whole picture every 4 seconds repairs what was lost.
                n = int(t()) >> 2
                whole = key or n != when
                if not whole and now == sent and texts == told:
                    return
                # Whatever cuts this short, the next picture is a whole one.
                key = 1
                p = 6
                if whole:
                    when = n
                    sym(169)
                    state()
                    told.clear()
                    for i in range(1024):
                        last[i] = 0
                if texts != told:
                    words()
                    told[:] = texts
                for i in range(len(now)):
                    if now[i] != sent[i]:
                        if p > 999:
                            end()
                        page(i * 128)
                sym(170)
                end()
                key = 0
        finally:
            busy = 0

    def note(s, x, y, kind):
        texts[:] = [t for t in texts if t[:2] != (x, y)][-23:]
        if kind:
            texts.append((x, y, kind, s))

    # Mixly:
    def glyph(b, x=0, y=0, *a, **k):
        # shows(), texts(), scroll() and frame() draw each character by a bitmap(), at a place that they may have chosen
        # themselves; texts() breaks lines. A character in another row, or left of the text, begins another text.
        nonlocal at
        if chars:
            s = chars[at % len(chars)]
            if at and texts and texts[-1][1] == y and texts[-1][0] < x:
                t = texts.pop()
                x = t[0]
                s = t[3] + s
            at += 1
            note(s, x, y, 1)

    # All:
    def covered(x, y, w, h, c):
        # Mixly:
        # A pixel of a bitmap() covers no text.
        if h < 8:
            return
        # All:
        texts[:] = [t for t in texts if not (x <= t[0] < x + w and y <= t[1] + 4 < y + h)]

    def moved(dx, dy):
        texts[:] = [(t[0] + dx, t[1] + dy) + t[2:] for t in texts]

    def power(bits, off=0, c=-1):
        nonlocal p, panel, light, busy, key
        panel = panel & ~off | bits
        if c >= 0:
            light = c & 255
        if busy:
            busy = 2
            key = 1
            return
        p = 6
        state()
        sym(170)
        end()

    def final(part=0):
        nonlocal key, had, now, sent
        if part and part != had:
            had = part
            key = 2
            now, sent = [[memoryview(b)[i:i + 128] for i in range(0, part, 128)] for b in (pixels, last)]
        power(0)
        if key < 2:
            # What was shown last; the program may have drawn since.
            keep = bytes(pixels)
            if not key:
                pixels[:] = last
                key = 1
            report()
            pixels[:] = keep

    def hook(name, after):
        call = getattr(o, name, 0)

        def f(*a, **k):
            # Mixly:
            nonlocal chars, at
            if name in says:
                chars = at = 0
                if says[name]:
                    chars = str(a[0] if a else k['data'])
                if says[name] > 1:
                    chars = chars.replace('\n', '')
            # All:
            r = call(*a, **k)
            # Mixly:
            if name in says:
                chars = 0
            # All:
            try:
                after(*a, **k)
            except Exception:
                pass
            return r
        if call:
            setattr(o, name, f)

    hook('fill', lambda c: texts.clear())
    hook('fill_rect', covered)
    # Mixly:
    hook('bitmap', glyph)
    hook('image', str)
    hook('shows', str)
    hook('texts', str)
    hook('frame', str)
    # All:
    hook('scroll', moved)
    hook('DispChar', lambda s, x, y, mode=1, *a, **k: note(s, x, y, mode))
    hook('DispChar_font', lambda f, s, x, y, invert=0: note(s, x, y, 1 + invert))
    hook('text', lambda s, x, y, c=1: note(s, x, y, c and 5))
    hook('show', report)
    hook('poweroff', lambda: power(0, 1))
    hook('poweron', lambda: power(1))
    hook('invert', lambda v: power(v % 2 * 2, 2))
    hook('contrast', lambda c: power(4, 0, c))
    o._udp = final
    final(1024)
_u()
del _u
