import time
try:
    import usocket as socket
except ImportError:
    import socket
import network

sta = network.WLAN(network.STA_IF)
if SSID is not None:
    sta.active(True)
    sta.connect(SSID, PASSWORD)
    PASSWORD = None
    start = time.ticks_ms()
    while not sta.isconnected():
        if time.ticks_diff(time.ticks_ms(), start) > 15000:
            raise OSError('no connection to Wi-Fi %s within 15 s: check name and password; the board knows 2.4 GHz only' % SSID)
        time.sleep_ms(50)
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
