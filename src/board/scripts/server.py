try:
    import socket
except ImportError:
    import usocket as socket

oled = None
try:
    from mpython import oled
except ImportError:
    pass

def draw(*lines):
    if oled is None:
        return
    oled.fill(0)
    for text, y in lines:
        oled.DispChar(text, 0, y)
    oled.show()

ip = sta.ifconfig()[0]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(socket.getaddrinfo(ip, PORT)[0][-1])
here = '%s:%d' % (ip, PORT)
print('waiting on', here)
draw((here, 0))
try:
    while True:
        data, peer = s.recvfrom(1024)
        print('received:', data, 'from', peer)
        try:
            text = data.decode()
        except UnicodeError:
            text = repr(data)
        draw((text, 15), ('from%s' % peer[0], 31))
finally:
    s.close()
