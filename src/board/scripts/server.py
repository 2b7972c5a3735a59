socket = load('socket')

display = None
try:
    import mpython
    # The maker's firmware has the first, Mixly's the second.
    display = getattr(mpython, 'oled', None) or mpython.onboard_oled
except Exception as error:
    print('no OLED:', repr(error))

def draw(*lines):
    if display is None:
        return
    display.fill(0)
    if hasattr(display, 'DispChar'):
        for text, y in lines:
            display.DispChar(text, 0, y)
    else:
        # shows() would also show every text by itself.
        display.auto_show = False
        try:
            for text, y in lines:
                display.shows(text, center=False, x=0, y=y, size=1)
        finally:
            display.auto_show = True
    display.show()

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
