# The boards with an ESP32-S3 and other chips: what they are called, and what their own USB port does.
mpython = mPython board
mpython-3 = mPython board 3.0 (掌控板 3.0)
info-3 = { $board }: { $machine }
firmware-seen-3 = { $board }, MicroPython { $version }, { $machine }
list-answers = { $board }: MicroPython answers
mirror-lcd = the board has a colour display in place of the OLED, and the program itself does not import lv_oled (from lv_oled import OLED)
lcd-texts-only = this board has a colour display (320x172): udpcli shows the texts that the program draws with lv_oled; its colours, pictures and shapes cannot be read back
no-picture = the colour display of the board gives no picture back
    .hint = leave out --image: udpcli board oled shows the texts that the program draws with lv_oled
run-no-picture = no picture in { $path }: the colour display of this board gives none back
oled-on-lcd = on the colour display, drawn with lv_oled: { $address }, then { $text } | { $sender }
hidden-no-oled = this board has no OLED but a colour display: its module mpython has no oled, and the bare except: of the program hides the NameError
port-5005 = the documentation of the mPython board 3.0 (掌控板 3.0) uses port 5005 in one place: both programs must use the same port, { $port } here
no-datagram-6000 = check the address in the sender's program, this PC's firewall, and that both are on one network; udpcli send { $own } hello shows whether this side works; a program from the documentation of the mPython board 3.0 (掌控板 3.0) may send to port 5005: udpcli listen --port 5005
port-renamed = the board's port is { $new } now (it was { $old } before the reset)
nothing-arrived-6000 = nothing arrived: check the address in the sender's program, this PC's firewall, and that both are on one network; udpcli send { $own } hello shows whether this side works; a program from the documentation of the mPython board 3.0 (掌控板 3.0) may send to port 5005: udpcli listen --port 5005
