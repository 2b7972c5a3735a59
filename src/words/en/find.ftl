# udpcli find: how boards are found.

sweep = sending a datagram to the discard port (9) of { $count ->
    [one] 1 address
   *[other] { $count } addresses
} of { $network }, at most 250 per second, to learn the MAC addresses
no-network = this PC is on no network; only USB ports are searched
no-table = the system does not show its neighbour table, so only mDNS and USB find boards
no-usb = the system does not list its serial ports
none = no board found
    .hint = is the board switched on, and in the same Wi-Fi as this PC? search longer: udpcli find --wait 10s; check this PC: udpcli doctor
neighbour-table = neighbour table
mdns = mDNS
usb = USB ({ $chip })
port-open = port 6000 open
port-closed = port 6000 closed
port-unknown = port 6000 unknown
