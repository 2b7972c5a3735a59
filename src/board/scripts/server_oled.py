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

ROWS = 15, 31
