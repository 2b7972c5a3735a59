# The ESP32's Wi-Fi: the networks are those of the virtual board's --wifi.
import json as _json, time as _time
from _real import os as _os
from binascii import unhexlify as _unhexlify

STA_IF, AP_IF = 0, 1
STAT_IDLE, STAT_CONNECTING, STAT_GOT_IP = 1000, 1001, 1010
STAT_NO_AP_FOUND, STAT_WRONG_PASSWORD = 201, 202
AUTH_OPEN, AUTH_WEP, AUTH_WPA_PSK, AUTH_WPA2_PSK, AUTH_WPA_WPA2_PSK = 0, 1, 2, 3, 4
_NOWHERE = ('0.0.0.0', '0.0.0.0', '0.0.0.0', '0.0.0.0')


class _Station:
    on = False
    status = STAT_IDLE
    ready = None
    ssid = ''


# The access point: its defaults are ESP-IDF's (esp_wifi: "ESP_" and the MAC, open), and config() changes what the
# firmware allows (modnetwork.c, esp_config). The chip keeps its on/off state: it survives a soft reset.
_ap = {'essid': 'ESP_' + _os.getenv('VB_MAC')[6:].upper(), 'authmode': AUTH_OPEN, 'channel': 1, 'hidden': False}
_AP_ONLY = ('essid', 'ssid', 'password', 'key', 'authmode', 'security', 'channel', 'hidden')


def _ap_active(on):
    if on is not None:
        _os.system('ap %d' % (1 + _ap['authmode'] if on else 0))
    return _os.system('ap') > 0


def _ap_config(name, values):
    names = {'ssid': 'essid', 'security': 'authmode', 'key': 'password'}
    if name is not None:
        name = names.get(name, name)
        if name not in _ap:
            raise ValueError('unknown config param')
        return _ap[name]
    if not _ap_active(None):
        raise OSError('Wifi Invalid Mode')
    new = {}
    for key in values:
        if key not in _AP_ONLY:
            raise ValueError('unknown config param')
        new[names.get(key, key)] = values[key]
    # ESP-IDF refuses a password of less than 8 characters, unless the network is open.
    if new.get('authmode', _ap['authmode']) and len(new.get('password', '')) < 8:
        raise OSError('Wifi Invalid Password')
    new.pop('password', None)
    _ap.update(new)
    _ap_active(True)


class WLAN:
    def __init__(self, interface=STA_IF):
        self._sta = interface == STA_IF

    def _air(self):
        return [n for n in _json.loads(_os.getenv('VB_WIFI')) if n['visible']]

    def active(self, on=None):
        if not self._sta:
            return _ap_active(on)
        if on is None:
            return _Station.on
        _Station.on = bool(on)
        if not on:
            self.disconnect()
        return _Station.on

    def _need(self):
        if not _Station.on:
            raise OSError('Wifi Not Started')

    def scan(self):
        self._need()
        _time.sleep_ms(100)
        rssi = -_os.system('rssi')
        return [(n['ssid'].encode(), b'\xaa\xbb\xcc\x00\x00\x01', 6, rssi, AUTH_WPA2_PSK if n['password'] else AUTH_OPEN, False)
                for n in self._air()]

    def connect(self, ssid=None, password='', *rest):
        self._need()
        _Station.ssid = ssid
        _Station.status = STAT_NO_AP_FOUND
        _Station.ready = None
        for n in self._air():
            if n['ssid'] == ssid:
                if n['password'] == (password or ''):
                    _Station.status = STAT_CONNECTING
                    _Station.ready = _time.ticks_add(_time.ticks_ms(), 300)
                else:
                    _Station.status = STAT_WRONG_PASSWORD

    def disconnect(self):
        _Station.status = STAT_IDLE
        _Station.ready = None

    def isconnected(self):
        if not self._sta:
            return False
        if _os.system('away'):
            # Out of reach: the radio connects again by itself when the access point is back.
            return False
        if _Station.ready is not None and _time.ticks_diff(_time.ticks_ms(), _Station.ready) >= 0:
            _Station.status = STAT_GOT_IP
        return _Station.status == STAT_GOT_IP

    def status(self, what=None):
        self.isconnected()
        if what == 'rssi':
            return -_os.system('rssi')
        return _Station.status

    def ifconfig(self, values=None):
        if values is not None:
            return None
        if not self._sta:
            return ('192.168.4.1', '255.255.255.0', '192.168.4.1', '0.0.0.0')
        if not self.isconnected():
            return _NOWHERE
        ip = _os.getenv('VB_IP')
        gateway = ip[:ip.rindex('.')] + '.1'
        return (ip, '255.255.255.0', gateway, gateway)

    def config(self, name=None, **values):
        if not self._sta and name != 'mac':
            return _ap_config(name, values)
        if name == 'mac':
            return _unhexlify(_os.getenv('VB_MAC'))
        if name in ('essid', 'ssid'):
            return _Station.ssid or ''
        if name in ('channel', 'txpower'):
            return 6 if name == 'channel' else 20
        if name == 'dhcp_hostname':
            return 'espressif'
        # No firmware reports it; the control command `air` simulates one that does.
        if name == 'bssid' and _os.system('bssid'):
            return b'\xaa\xbb\xcc\x00\x00' + bytes([_os.system('bssid')])
        if name is not None:
            raise ValueError('unknown config param')


def phy_mode(mode=None):
    return 7
