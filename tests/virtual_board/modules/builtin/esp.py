def osdebug(level, *rest):
    pass


def flash_size():
    return 8 * 1024 * 1024


def flash_user_start():
    return 0x200000
