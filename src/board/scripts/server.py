socket = load('socket')

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
        draw((text, ROWS[0]), ('from%s' % peer[0], ROWS[1]))
finally:
    s.close()
