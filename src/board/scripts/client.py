socket = load('socket')

print('board', sta.ifconfig()[0], 'sends to', HOST, PORT)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
peer = socket.getaddrinfo(HOST, PORT)[0][-1]
try:
    while True:
        s.sendto(b'hello message from mPython\r\n', peer)
        print('sent')
        time.sleep_ms(INTERVAL_MS)
finally:
    s.close()
