try:import mpython as _m;getattr(_m,'oled',getattr(_m,'onboard_oled',0))._udp()
except Exception:0
