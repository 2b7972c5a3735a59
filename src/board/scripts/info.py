# What `udpcli board info` asks. Runs after helper.py, in the same dictionary; docs/protocol.md lists the keys.
gc = load_module('gc')  # on the line: g
records = []  # on the line: r


def add(key, find):  # on the line: X
    # Firmware differs in what it has: a value that cannot be found is left out.
    try:
        value = find()
        if value is not None:
            records.append('%s\t%s\0' % (key, value))
    except Exception:
        pass


def as_hex(value):  # on the line: h
    return binascii.hexlify(value).decode()


def uname(index):  # on the line: U
    return os.uname()[index]


def add_file_system():  # on the line: F
    path = os.getcwd()
    figures = os.statvfs(path)
    if not figures[2]:
        # Nothing is mounted at the root. At its first boot, firmware up to 1.4 mounts its file system at /flash.
        path = '/' + next(os.ilistdir('/'))[0]
        figures = os.statvfs(path)
    add('files_at', lambda: path)
    add('files_free', lambda: figures[1] * figures[3])
    add('files_total', lambda: figures[1] * figures[2])


def add_wifi():  # on the line: N
    network = load_module('network')
    station = network.WLAN(network.STA_IF)
    add('mac', lambda: as_hex(station.config('mac')))
    # Wi-Fi that is switched off has no more values, and stays off.
    if station.active():
        add('wifi_connected', station.isconnected)
        if station.isconnected():
            add('ssid', lambda: station.config('essid'))
            add('address', lambda: station.ifconfig()[0])
            add('netmask', lambda: station.ifconfig()[1])
            add('gateway', lambda: station.ifconfig()[2])
            add('rssi', lambda: station.status('rssi'))


# ---- The next part: whether the firmware has the module mpython.
def has_mpython():  # on the line: Y
    # Importing mpython takes a second and more, so the firmware's name decides where it can. Firmware 1.0 has the name
    # without the module. Where frozen modules are found by way of the path '', load_module() does not see them; a plain
    # import decides there, but not if it could run a file of that name on the board, which proves nothing.
    if 'mpython' in uname(4).lower() and uname(2)[:4] != '1.0.' or load_module('mpython'):
        return 1
    for folder in sys.path:
        for name in ('mpython', 'mpython.py', 'mpython.mpy'):
            try:
                os.stat((folder + '/' if folder else '') + name)
                return
            except OSError:
                pass
    __import__('mpython')
    return 1


# ---- The next part: everything.
def machine():  # on the line: M
    return load_module('umachine', 'machine')


gc.collect()


def identity():  # on the line: D
    write(as_hex(machine().unique_id()))


def report():  # on the line: i
    records[:] = []
    add('memory', gc.mem_free)
    add('memory_total', lambda: gc.mem_free() + gc.mem_alloc())
    add('implementation', lambda: sys.implementation[0])
    add('version', lambda: '.'.join(str(number) for number in sys.implementation[1][:3]))
    add('release', lambda: uname(2))
    add('build', lambda: uname(3))
    add('machine', lambda: uname(4))
    add('platform', lambda: sys.platform)
    add('frequency', lambda: machine().freq())
    add('unique_id', lambda: as_hex(machine().unique_id()))
    add('files', add_file_system)
    add('flash', lambda: load_module('esp').flash_size())
    add('wifi', add_wifi)
    add('mpython', has_mpython)
    write(''.join(records))
