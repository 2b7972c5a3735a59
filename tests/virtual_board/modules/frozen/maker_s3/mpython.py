# The maker's module for the board 3.0: Wi-Fi, the colour display, the buttons and lights, and a print of its own. There is no
# `oled` in it (github.com/labplus-cn/labplus_mpython_esp32s3, port/boards/mpython_v3/modules/mpython.py).
import builtins
from machine import I2C, PWM, Pin, ADC
import esp, math, time, network
import struct
from neopixel import NeoPixel
import machine
import framebuf
from _real import env as _env, os as _os

time.sleep_ms(int(_env('VB_IMPORT_TIME')))

i2c = I2C(0, scl=Pin(43), sda=Pin(44), freq=400000)


def print(first, *rest, sep=' ', end='\n', **options):
    # Requires an argument, and adds a space before a leading Chinese character.
    if isinstance(first, str) and first and ord(first[0]) > 127:
        first = ' ' + first
    builtins.print(first, *rest, sep=sep, end=end, **options)


class TFT_displayer(framebuf.FrameBuffer):
    # 320x172, RGB565. The buffer here is of one line: the board has its 110,080 bytes in external memory.
    def __init__(self):
        self.lcd_width = 320
        self.lcd_height = 172
        self.buffer = bytearray(640)
        super().__init__(self.buffer, 320, 1, framebuf.RGB565)

    def DispChar(self, str, x, y, color=0xFFFF, auto_wrap=False):
        pass

    def clear(self, color=None):
        super().fill(color or 0)

    def show(self):
        _os.system('lcd')


display = TFT_displayer()


class wifi:
    def __init__(self):
        self.sta = network.WLAN(network.STA_IF)
        self.ap = network.WLAN(network.AP_IF)

    def connectWiFi(self, ssid, passwd, timeout=10000):
        if self.sta.isconnected():
            self.sta.disconnect()
        self.sta.active(True)
        seen = None
        for found in self.sta.scan():
            if found[0].decode() == ssid:
                self.sta.connect(ssid, passwd)
                seen = found
                break
        if seen is None:
            raise OSError('SSID invalid / failed to scan this wifi')
        # Seconds, not milliseconds: with a wrong password this waits for hours.
        start = time.time()
        print('Connection WiFi', end='')
        while self.sta.ifconfig()[0] == '0.0.0.0':
            if time.ticks_diff(time.time(), start) > timeout:
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
