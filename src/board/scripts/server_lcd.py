# The board 3.0 has a colour display, and lv_oled draws on it in lines of 32 pixels.
display = None
try:
    from lv_oled import oled as display
except Exception as error:
    print('no display:', repr(error))

def draw(*lines):
    if display is None:
        return
    display.fill(0)
    for text, y in lines:
        display.DispChar(text, 0, y)
    display.show()

ROWS = 32, 64
