# The boards with an ESP32-S3 and other chips: what they are called, and what their own USB port does.
port-renamed = the board's port is { $new } now (it was { $old } before the reset)
