# Mixly's module for the mPython board (mpython.py, "mPython-Onboard resources", 20220716): `onboard_oled`, no `oled`, no Wi-Fi.
import time, gc
from machine import Pin, SoftI2C, ADC, PWM, RTC
from _real import env as _env

time.sleep_ms(int(_env('VB_IMPORT_TIME')))

onboard_i2c = SoftI2C(scl=Pin(22), sda=Pin(23), freq=400000)
rtc_clock = RTC()

try:
    import oled128x64

    onboard_oled = oled128x64.OLED(onboard_i2c, font_address=0x700000)
except Exception as e:
    print("Warning: Failed to communicate with OLED128x64 or", e)

from neopixel import NeoPixel

onboard_rgb = NeoPixel(Pin(17), 3)


class Button:
    def __init__(self, pin):
        self._pin = Pin(pin, Pin.IN, value=1)

    def is_pressed(self):
        return not self._pin.value()

    def was_pressed(self):
        return False


button_a = Button(0)
button_b = Button(2)
gc.collect()
