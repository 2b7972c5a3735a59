# Mixly's display: a driver with a font in flash.
from ssd1106 import SSD1106_I2C


class OLED(SSD1106_I2C):
    def __init__(self, i2c, address=0x3c, font_address=0x3A0000, types=0):
        super().__init__(128, 64, i2c, address)
        self.font(font_address)
