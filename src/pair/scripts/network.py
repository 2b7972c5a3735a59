# The program that `udpcli pair` runs on the board: Wi-Fi, datagrams in both directions, the OLED. The functions live in
# the interpreter's memory, in the user's own dictionary, and the soft reset at the end removes them.
#
# A function reports in lines that begin with 0x1e, so that udpcli finds them among the board's other output.
# docs/protocol.md lists the functions and the lines. tests/minify_scripts.py makes minified/network.py.
def load_module(name):  # on the line: _pm
    # A file on the board with the name of a module hides that module, but not its name with u in front.
    try:
        return __import__('u' + name)
    except ImportError:
        return __import__(name)


import gc  # on the line: gc

sys = load_module('sys')  # on the line: sys
time = load_module('time')  # on the line: time
sockets = load_module('socket')  # on the line: _ps


def run_call(expected_crc, code):  # on the line: _pc
    # Code that the line damaged must not run, not even a part of it.
    crc32 = getattr(load_module('binascii'), 'crc32', 0)
    if crc32 and crc32(code) != expected_crc:
        raise ValueError('crc')
    exec(code, globals())


def tell(*words):  # on the line: _pw
    sys.stdout.write('\x1e' + ' '.join([str(word) for word in words]) + '\n')


def as_hex(data):  # on the line: _px
    # A Wi-Fi name may contain spaces, which separate words, and any other byte.
    return ''.join(['%02x' % byte for byte in data])


def since(start):  # on the line: _pl
    return time.ticks_diff(time.ticks_ms(), start)


def interface(is_access_point=0):  # on the line: _pn
    import network
    return network.WLAN(network.AP_IF if is_access_point else network.STA_IF)


def close_sockets():  # on the line: _pk
    # The program that was stopped may have left a socket open, which occupies its UDP port.
    for value in list(globals().values()):
        try:
            if isinstance(value, sockets.socket):
                value.close()
        except Exception:
            pass
    gc.collect()


# Joining a Wi-Fi.
def join(name, password, most_ms):  # on the line: _pj
    global was_active  # on the line: _pa
    station = interface()
    was_active = station.active()
    if not was_active:
        station.active(True)
    if station.isconnected():
        try:
            if station.config('essid') == name:
                return tell('joined', 0)
            tell('left', as_hex(station.config('essid').encode()))
        except Exception:
            pass
        station.disconnect()
    # 0: not found, 1: found, 2: unknown because the scan failed.
    seen = 0
    try:
        for found in station.scan():
            tell('net', as_hex(found[0]), found[2], found[3])
            if found[0] == name.encode():
                seen = 1
    except OSError:
        seen = 2
    # A hidden network does not appear in a scan, so try it anyway, but with a shorter timeout.
    if not seen:
        most_ms = min(most_ms, 6000)
    if password:
        station.connect(name, password)
    else:
        station.connect(name)
    # Do not keep the password longer than needed.
    password = 0
    start = time.ticks_ms()
    last_good = 0
    while not station.isconnected():
        time.sleep_ms(50)
        waited = since(start)
        status = station.status()
        # Idle, connecting, got an address. Any other status may be temporary, but not for 2 s.
        if status in (1000, 1001, 1010):
            last_good = waited
        if waited > most_ms or waited - last_good > 2000:
            station.disconnect()
            if not was_active:
                station.active(False)
            return tell('refused', status, seen)
    tell('joined', 1)


def tell_connection():  # on the line: _pi
    station = interface()
    if not (station.active() and station.isconnected()):
        return tell('offline')
    addresses = station.ifconfig()
    # Some firmwares do not support the next two settings.
    signal = '-'
    try:
        signal = station.status('rssi')
    except Exception:
        pass
    name = ''
    try:
        name = station.config('essid')
    except Exception:
        pass
    tell('online', addresses[0], addresses[1], addresses[2], signal, as_hex(name.encode()))


def tell_signal():  # on the line: _pp
    # No firmware in docs/boards.md reports the access point's address; old versions do not report a station's
    # channel.
    station = interface()
    signal = channel = '-'
    address = b''
    try:
        signal = station.status('rssi')
    except Exception:
        pass
    try:
        channel = station.config('channel')
    except Exception:
        pass
    try:
        address = bytes(station.config('bssid'))
    except Exception:
        pass
    tell('signal', int(station.isconnected()), signal, channel, as_hex(address))


def leave():  # on the line: _pu
    station = interface()
    station.disconnect()
    if not was_active:
        station.active(False)


# The board's own access point.
def open_access_point(name, password):  # on the line: _pz
    global ap_was_active, was_connecting, old_ap_name  # on the line: _pv, _pq, _pd
    station = interface()
    # A station that looks for its Wi-Fi changes the channel, also for the access point.
    was_connecting = station.active() and station.status() == 1001
    if was_connecting:
        station.disconnect()
    access_point = interface(1)
    ap_was_active = access_point.active()
    access_point.active(True)
    old_ap_name = access_point.config('essid')
    # Use an access point that is already on as it is. 3 is WPA2.
    if not ap_was_active:
        access_point.config(essid=name, password=password, authmode=3, channel=6)
    addresses = access_point.ifconfig()
    tell('own', int(ap_was_active), addresses[0], addresses[1], addresses[2], as_hex(access_point.config('essid').encode()))


def close_access_point():  # on the line: _py
    if not ap_was_active:
        access_point = interface(1)
        # The radio keeps its last settings, so overwrite the password before removing it.
        for password in '0' * 63, '':
            try:
                access_point.config(essid=old_ap_name, password=password, authmode=0)
            except Exception:
                pass
        access_point.active(False)
    if was_connecting:
        try:
            interface().connect()
        except Exception:
            pass
    tell('ap', 'kept' if ap_was_active else int(interface(1).active()))


def send_main():  # on the line: _pf
    # Send main.py only if its `except:` may hide why its UDP loop ended.
    try:
        stream = open('main.py', 'rb')
        source = stream.read(8192)
        stream.close()
    except OSError:
        return
    if b'except' in source and (b'recvfrom' in source or b'sendto' in source):
        for start in range(0, len(source), 256):
            tell('main', as_hex(source[start:start + 256]))


# Datagrams to the board.
def bind(address, port):  # on the line: _pb
    udp = sockets.socket(sockets.AF_INET, sockets.SOCK_DGRAM)
    try:
        udp.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        udp.bind(sockets.getaddrinfo(address, port)[0][-1])
        udp.settimeout(0.05)
    except OSError as error:
        udp.close()
        tell('busy', error.args[0])
        return None
    return udp


def receive(udp, size):  # on the line: _pg
    # A timeout is EAGAIN, ETIMEDOUT (two values), or the text of old firmware.
    try:
        return udp.recvfrom(size)
    except OSError as error:
        if error.args[0] in (11, 110, 116, 'timed out'):
            return None
        raise


def listen(address, port, size, goodbye, idle_ms, handle):  # on the line: _ph
    udp = bind(address, port)
    if udp is None:
        return
    try:
        # The datagram and its copies must fit in the memory, which may be fragmented.
        while 1:
            try:
                bytearray(size + size // 2)
                break
            except MemoryError:
                size //= 2
        tell('ready', size)
        last = time.ticks_ms()
        # On a chip's own USB port the computer may hold back a full packet until more follows: an empty line does.
        has_told = 1
        while 1:
            received = receive(udp, size)
            if received is None:
                if has_told:
                    sys.stdout.write('\n')
                has_told = 0
                if since(last) > idle_ms:
                    break
                continue
            last = time.ticks_ms()
            has_told = 1
            if received[0] == goodbye or handle(udp, received[0], received[1]):
                break
    finally:
        udp.close()
    tell('end')


def report(udp, data, sender):  # on the line: _pr
    tell('in', sender[0], len(data), as_hex(data[:8]), sum(data))


def echo(udp, data, sender):  # on the line: _pe
    try:
        udp.sendto(data, sender)
    except OSError as error:
        tell('err', 0, 0, error.args[0])


# Datagrams from the board.
def send(address, port, sizes, count, gap_ms, token):  # on the line: _pt
    udp = sockets.socket(sockets.AF_INET, sockets.SOCK_DGRAM)
    try:
        target = sockets.getaddrinfo(address, port)[0][-1]
        # One buffer for all sizes, because a new one each time would fragment the heap.
        most = max(8, max(sizes))
        while 1:
            try:
                data = bytearray(most)
                break
            except MemoryError:
                most //= 2
        for index in range(most):
            data[index] = 117
        data[3:8] = token
        view = memoryview(data)
        tell('ready', most)
        for place in range(len(sizes)):
            size = sizes[place]
            for number in range(count):
                data[0] = number & 255
                data[1] = place
                data[2] = number >> 8
                if size > most:
                    tell('err', place, number, 'memory')
                else:
                    try:
                        udp.sendto(view[:size], target)
                    except OSError as error:
                        tell('err', place, number, error.args[0])
                time.sleep_ms(gap_ms)
    finally:
        udp.close()
    tell('end')


# The OLED, drawn like the tutorial's server does.
def drawing(here, expected):  # on the line: _po
    import mpython
    # The maker's firmware has `oled`, Mixly's has `onboard_oled`. The board 3.0 has a colour display; a separate module
    # draws on it in lines of 32 pixels.
    display = getattr(mpython, 'oled', 0) or getattr(mpython, 'onboard_oled', 0)
    rows = 15, 31
    if not display:
        display = __import__('lv_oled').oled
        rows = 32, 64

    def show(*lines):
        display.fill(0)
        if hasattr(display, 'DispChar'):
            for text, row in lines:
                display.DispChar(text, 0, row)
        else:
            # By default, shows() updates the OLED after every text.
            display.auto_show = False
            try:
                for text, row in lines:
                    display.shows(text, center=False, x=0, y=row, size=1)
            finally:
                display.auto_show = True
        display.show()

    show((here, 0))

    def handle(udp, data, sender):
        if data != expected:
            return
        try:
            text = data.decode()
        except UnicodeError:
            tell('undecodable', sender[0])
            return 1
        show((text, rows[0]), ('from%s' % sender[0], rows[1]))
        tell('shown', sender[0])
        return 1

    return handle
