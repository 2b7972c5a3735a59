# Run on the board when the user's program has ended: the mirror agent sends the last picture again.
try:
    import mpython as mpython_module  # on the line: _m
    getattr(mpython_module, 'oled', getattr(mpython_module, 'onboard_oled', 0))._udp()
except Exception:
    pass
