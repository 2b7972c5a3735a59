# The maker's module: Wi-Fi, the display, the buttons and lights, and its own print.
import time, builtins
from _real import os as _os

time.sleep_ms(int(_os.getenv('VB_IMPORT_TIME')))

import network
import machine
from machine import I2C, PWM, Pin, ADC
from _display import OLED, TextMode

i2c = I2C(0, scl=Pin(22), sda=Pin(23), freq=400000)
oled = OLED()
display = oled


def print(first, *rest, sep=' ', end='\n', **options):
    # Needs an argument, and puts a space before a leading Chinese character.
    if isinstance(first, str) and first and ord(first[0]) > 127:
        first = ' ' + first
    builtins.print(first, *rest, sep=sep, end=end, **options)


class wifi:
    def __init__(self):
        self.sta = network.WLAN(network.STA_IF)
        self.ap = network.WLAN(network.AP_IF)

    def connectWiFi(self, ssid, passwd, timeout=10):
        if self.sta.isconnected():
            self.sta.disconnect()
        self.sta.active(True)
        seen = None
        for found in self.sta.scan():
            if found[0].decode() == ssid:
                seen = found
        if seen is None:
            raise OSError('SSID invalid / failed to scan this wifi')
        self.sta.connect(ssid, passwd)
        began = time.ticks_ms()
        print('Connection WiFi', end='')
        while self.sta.ifconfig()[0] == '0.0.0.0':
            if time.ticks_diff(time.ticks_ms(), began) > timeout * 1000:
                print('')
                raise OSError('Timeout!,check your wifi password and keep your network unblocked')
            print('.', end='')
            time.sleep_ms(500)
        print('')
        print('WiFi(%s,%sdBm) Connection Successful, Config:%s' % (ssid, str(seen[3]), str(self.sta.ifconfig())))

    def disconnectWiFi(self):
        if self.sta.isconnected():
            self.sta.disconnect()
        self.sta.active(False)
        print('disconnect WiFi...')


class Button:
    def __init__(self, pin):
        self.pin = Pin(pin)
        self.event_pressed = self.event_released = None

    def value(self):
        return 1

    def is_pressed(self):
        return False

    def was_pressed(self):
        return False

    def get_presses(self):
        return 0


button_a = Button(0)
button_b = Button(2)


class _Light:
    def __init__(self):
        self._pixels = [(0, 0, 0)] * 3

    def __setitem__(self, index, colour):
        self._pixels[index] = tuple(colour)

    def __getitem__(self, index):
        return self._pixels[index]

    def fill(self, colour):
        self._pixels = [tuple(colour)] * 3

    def write(self):
        pass


rgb = _Light()


def sleep_ms(ms):
    time.sleep_ms(ms)


def numberMap(value, low, high, to_low, to_high):
    return (value - low) * (to_high - to_low) / (high - low) + to_low
