# The ESP32's sockets on top of the unix port's: addresses are ('ip', port), errors have lwIP's numbers.
from _real import socket as _socket, os as _os, firmware as _firmware
import io as _io, errno as _errno

AF_INET, AF_INET6 = 2, 10
SOCK_STREAM, SOCK_DGRAM, SOCK_RAW = 1, 2, 3
IPPROTO_IP, IPPROTO_TCP, IPPROTO_UDP = 0, 6, 17
SOL_SOCKET, SO_REUSEADDR = 4095, 4
IP_ADD_MEMBERSHIP = 3
if _firmware['raw_paste']:
    # Absent in old firmware (micropython#8729).
    SO_BROADCAST = 32

# Linux's numbers and newlib's, which the ESP32's firmware uses.
_NAMES = {98: 'EADDRINUSE', 99: 'EADDRNOTAVAIL', 101: 'ENETUNREACH', 110: 'ETIMEDOUT', 113: 'EHOSTUNREACH', 106: 'EISCONN',
          107: 'ENOTCONN', 115: 'EINPROGRESS', 90: 'EMSGSIZE', 103: 'ECONNABORTED'}


def _translate(number):
    name = _NAMES.get(number)
    return OSError(getattr(_errno, name), name) if name else OSError(number)


def _ip():
    return _os.getenv('VB_IP')


def getaddrinfo(host, port, af=0, type=0, proto=0, flags=0):
    kind = type or SOCK_STREAM
    if host in ('', '0.0.0.0'):
        return [(AF_INET, kind, 0, '', ('0.0.0.0', port))]
    try:
        found = _socket.getaddrinfo(host, port, AF_INET, kind)
    except OSError:
        raise OSError(-202)
    address = _socket.sockaddr(found[0][4])
    return [(AF_INET, kind, 0, '', (_socket.inet_ntop(AF_INET, address[1]), port))]


def _pack(address):
    host, port = address
    if host == '':
        host = '0.0.0.0'
    if not 0 <= port <= 65535:
        raise ValueError('port')
    try:
        _socket.inet_pton(AF_INET, host)
    except OSError:
        host = getaddrinfo(host, port)[0][4][0]
    return _socket.getaddrinfo(host, port, AF_INET, SOCK_DGRAM)[0][4]


def _unpack(packed):
    address = _socket.sockaddr(packed)
    return (_socket.inet_ntop(AF_INET, address[1]), address[2])


class socket(_io.IOBase):
    def __init__(self, af=AF_INET, type=SOCK_STREAM, proto=0, _s=None):
        self._s = _s or _socket.socket(af, type)
        self._bound = _s is not None
        self._closed = False
        self._timed = False

    def _call(self, function, *args):
        if self._closed:
            raise OSError(9)
        try:
            return function(*args)
        except OSError as error:
            # After a timeout, the unix port raises EAGAIN.
            raise _translate(110 if error.errno == 11 and self._timed else error.errno)

    def _bind_ip(self):
        # A board sends from its own address, not from the one that this PC would select.
        if not self._bound:
            self._call(self._s.bind, _pack((_ip(), 0)))
            self._bound = True

    def bind(self, address):
        if isinstance(address, (bytes, bytearray)):
            address = _unpack(address)
        host, port = address
        if host in ('', '0.0.0.0'):
            host = _ip()
        self._call(self._s.bind, _pack((host, port)))
        self._bound = True

    def listen(self, backlog=2):
        self._call(self._s.listen, backlog)

    def accept(self):
        s, address = self._call(self._s.accept)
        return socket(_s=s), _unpack(address)

    def connect(self, address):
        self._bind_ip()
        self._call(self._s.connect, _pack(address))

    def send(self, data):
        return self._call(self._s.send, data)

    def sendall(self, data):
        view = memoryview(data)
        while len(view):
            view = view[self.send(view):]

    def sendto(self, data, address):
        self._bind_ip()
        return self._call(self._s.sendto, data, _pack(address))

    def recv(self, count):
        return self._call(self._s.recv, count)

    def recvfrom(self, count):
        data, address = self._call(self._s.recvfrom, count)
        return data, (_unpack(address) if address else None)

    def settimeout(self, seconds):
        self._call(self._s.settimeout, seconds)
        self._timed = bool(seconds)

    def setblocking(self, on):
        self._call(self._s.setblocking, on)
        self._timed = False

    def setsockopt(self, level, option, value):
        if level == SOL_SOCKET:
            # lwIP's numbers and Linux's.
            level, option = 1, {SO_REUSEADDR: 2, 32: 6}.get(option, option)
        elif option == IP_ADD_MEMBERSHIP:
            option = 35
        self._call(self._s.setsockopt, level, option, value)

    def makefile(self, *args):
        return self

    def read(self, *args):
        return self._call(self._s.read, *args)

    def readinto(self, *args):
        return self._call(self._s.readinto, *args)

    def readline(self, *args):
        return self._call(self._s.readline, *args)

    def write(self, data):
        return self._call(self._s.write, data)

    def fileno(self):
        return self._s.fileno()

    def ioctl(self, request, argument):
        if request == 10:  # MP_STREAM_GET_FILENO
            return self._s.fileno()
        if request == 4:
            self.close()
            return 0
        return -22

    def close(self):
        if not self._closed:
            self._closed = True
            self._s.close()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()

    def __repr__(self):
        return '<socket>'
