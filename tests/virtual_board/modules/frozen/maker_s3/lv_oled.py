# Replaces the OLED on the board 3.0: its methods draw with LVGL on the colour display, 320x172
# (github.com/labplus-cn/labplus_mpython_esp32s3, lv_oled.py; frozen or a file, see ../../../README.md). It has no framebuffer that a program could read as a picture of
# 128x64: `draw_buf` is 220,160 bytes of ARGB in external memory, left out here. Texts are 24 pixels high in lines of 32.
import time
from _real import os as _os


class OLED:
    def __init__(self):
        self.width = 320
        self.height = 172
        self.c_label_lh = 32
        self.bg_color = 0x000000
        self.drawn = []

    def fill(self, type=0):
        self.drawn = []

    def show(self):
        time.sleep_ms(20)
        _os.system('lcd ' + repr(self.drawn))

    def DispChar(self, text, x=10, y=10, type=1, wrap=False):
        # Other types raise a TypeError, because they have no characters to measure.
        for ch in text:
            pass
        self.drawn.append((x, y, type, text))

    def Bitmap(self, x=10, y=10, width=None, height=None, path=''):
        if not path:
            raise Exception('The image address cannot be empty.')
        elif not path.lower().endswith('.png'):
            raise Exception('Can only support PNG format images.')
        with open(path, 'rb') as f:
            f.read()


oled = OLED()
