# udpcli board monitor: what it says, and what the board's output means.

watching = watching { $port } at { $baud } baud; Ctrl-C ends it
raises-lines = the system raised DTR and RTS when it opened { $port }; some boards restart then
lost = the serial port is gone ({ $reason }); udpcli waits until it is back
back = { $port } is back
means = { $what }
oled = the OLED shows: { $texts }
lines = { $n ->
        [one] { $n } line
       *[other] { $n } lines
    }
reconnects = { $n ->
        [one] { $n } reconnection
       *[other] { $n } reconnections
    }
log-device = { $path } is a device or a FIFO: --log needs a file
    .hint = to hand the output to another program, pipe it: udpcli board monitor --timestamps | PROGRAM

# What a line means.

power-on = the board starts: it was switched on, or its RESET button was pressed ({ $reason })
software-reset = the board starts again: its program or its firmware asked for a reset ({ $reason })
watchdog-reset = the board starts again: a watchdog reset it, because the program or the boot loader was stuck ({ $reason })
deep-sleep-reset = the board wakes up from deep sleep ({ $reason })
reset = the board starts again ({ $reason })
download-mode = the board is in download mode and waits for firmware: to start its program, press RESET without holding any other button
no-firmware = the board has no firmware: its flash is empty; write it with udpcli board flash FILE
firmware-damaged = the firmware on the board is damaged and does not start; write it again with udpcli board flash FILE
brown-out = the supply voltage fell too low: use another USB cable, plug it into the PC itself and not into a hub, and unplug motors and LED strips
panic = the firmware crashed: { $said }
panic-backtrace = the firmware crashed: { $said } Backtrace: { $addresses }; xtensa-esp32-elf-addr2line -pfiaC -e FIRMWARE.elf shows the lines of code
mac = mPython 2.x starts; the board's MAC address is { $mac }
no-arp = ENOMEM (12) from sendto means that nobody answers at the address that the board sends to: compare it with the one that udpcli listen shows, and check that both are in the same Wi-Fi
not-utf8 = UnicodeError: the bytes are not UTF-8, mostly GBK from a program on Windows: send UTF-8 (udpcli send does), or do not call decode() on them
address-in-use = EADDRINUSE: a socket on the board still has this port, left by a program that ended without close(); reset the board: udpcli board reset
wifi-not-found = the board does not find this Wi-Fi: check its name, in which upper and lower case count; the board knows 2.4 GHz only
wifi-timeout = the board did not get into the Wi-Fi in time: check the password, and whether the access point takes more devices
timed-out = ETIMEDOUT: no answer in time; from a socket, nothing came within settimeout(); from I2C, check the wiring of the sensor or display
memory-error = the board's memory is full: a smaller program or shorter lists help, and gc.collect() before large allocations
