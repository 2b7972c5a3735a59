# The numbers of newlib, which the ESP32's firmware uses, where they differ from Linux.
from _real import errno as _errno

for _name in dir(_errno):
    if _name[0] == 'E':
        globals()[_name] = getattr(_errno, _name)
EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, ETIMEDOUT, EHOSTUNREACH = 112, 125, 106, 116, 118
EISCONN, ENOTCONN, EINPROGRESS, EMSGSIZE, EHOSTDOWN, ECONNABORTED, ENETUNREACH = 127, 128, 119, 122, 117, 113, 114
