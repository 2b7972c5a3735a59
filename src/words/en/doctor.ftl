# udpcli doctor: what it found, as a sentence each. The line around it has the severity and the code.

ok = ok: { $what } [{ $code }]
warning = warning: { $what } [{ $code }]
problem = problem: { $what } [{ $code }]
command = {"  "}type: { $command }
failed = something on this PC blocks datagrams or the board: { $codes }

address = type this address into the board's program: { $address }, port { $port } ({ $interface })
addresses = type this address into the board's program: { $address }, port { $port } ({ $interface }); from other networks: { $others }
self-assigned = the router gave this PC no address: { $address } ({ $interface }) only reaches devices that also got none
no-address = this PC is not on a network: connect it to the board's Wi-Fi first
port-free = UDP port { $port } is free
port-in-use = another program has UDP port { $port }
port-held = another program has UDP port { $port }: { $holders }; end it, or listen on another port
port-refused = the system does not allow this user to listen on UDP port { $port }
windows-firewall = Windows Defender Firewall
macos-firewall = macOS firewall
rule-default = { $network }: DefaultInboundAction
rule-blocks-all = { $network }: block all incoming connections
firewall-off = no firewall is on
firewall-allows = the firewall ({ $by }) lets datagrams to UDP port { $port } in
firewall-partly = the firewall ({ $by }) lets only some datagrams to UDP port { $port } in; if nothing arrives, allow the port
firewall-partly-prescribed = the firewall ({ $by }) lets only some datagrams to UDP port { $port } in, and rules made on this PC do not count: if nothing arrives, ask the administrator of this network for an inbound rule that allows UDP to local port { $port } for udpcli
firewall-asks = the firewall ({ $by }) asks when udpcli listens for the first time: allow it, or the port
firewall-blocks = the firewall ({ $by }) drops datagrams to UDP port { $port } (rule: { $rule })
firewall-blocks-prescribed = the firewall ({ $by }) drops datagrams to UDP port { $port } (rule: { $rule }), and only the administrator of this network can change that; ask for an inbound rule that allows UDP to local port { $port } for udpcli
firewall-unread = the firewall ({ $by }) is on, but only an administrator may read its rules; if nothing arrives, allow UDP port { $port }
firewall-unknown = udpcli could not read all rules of the firewall, so datagrams may be dropped; an administrator can read the rules
board = a board on { $port } ({ $chip })
serial-ready = serial port { $port } is ready
no-serial = no serial port: if the board is plugged in, use a cable that carries data, and check that the driver is installed
no-board = no serial port looks like a board's ({ $others }): if the board is plugged in, use a cable that carries data, and check that the driver is installed
serial-in-use = another program has serial port { $port } open: { $holder }
brltty = a board is plugged in, but brltty, the driver for Braille displays, takes its port away; remove brltty, then plug the board in again
brltty-holds = brltty, the driver for Braille displays, has serial port { $port } open; remove brltty, then plug the board in again
serial-group = this user is not allowed to open { $port }: it belongs to the group { $group }; join the group, then log in again
serial-login = this user is not allowed to open { $port } yet: log out and in again to use the rights of the group { $group }
serial-denied = this user is not allowed to open { $port }
serial-missing = the settings name the serial port { $port }, which does not exist
no-driver = a board with a { $chip } chip is plugged in, but its driver made no serial port
no-driver-windows = no board has a serial port, and Windows has no driver for the { $chip } chip of a board that is or was plugged in: install the driver, then plug the board in again
driver-old = the driver of { $port } ({ $chip }) is from { $year }, before Windows 10: if the board does not answer, install the current one from its maker
serial-unknown = the system does not list its serial ports

blocked = the firewall ({ $by }) drops what other devices send to this program; to allow it, type as administrator: { $command }
blocked-prescribed = the firewall ({ $by }) drops what other devices send to this program, and only the administrator of this network can change that; ask for an inbound rule that allows UDP to local port { $port } for udpcli
