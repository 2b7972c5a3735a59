def load(name):
    # A file on the board that is called like a module hides it, but not under the name that begins with u.
    try:
        return __import__('u' + name)
    except ImportError:
        return __import__(name)

time = load('time')
import network

sta = network.WLAN(network.STA_IF)
if SSID is not None:
    sta.active(True)
    if sta.isconnected():
        sta.disconnect()
    sta.connect(SSID, PASSWORD)
    PASSWORD = None
    start = time.ticks_ms()
    while not sta.isconnected():
        waited = time.ticks_diff(time.ticks_ms(), start)
        status = sta.status()
        reason = 'not in reach, or 5 GHz only' if status == 201 else 'wrong password' if status in (15, 202, 204) else None
        if waited > (5000 if reason else 15000):
            raise OSError('no connection to Wi-Fi %s: %s' % (SSID, reason or 'check name and password; the board knows 2.4 GHz only'))
        time.sleep_ms(50)
