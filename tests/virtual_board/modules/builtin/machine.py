# The ESP32's machine: resets, identity, and pins that keep their values.
from _real import machine as _machine, os as _os, firmware as _firmware
from binascii import unhexlify as _unhexlify
import time as _time
_id = id

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
_frequency = 160000000


def reset():
    _os.system('reset')


if _firmware['can_soft_reset']:

    def soft_reset():
        # ports/esp32/modmachine.c: the exception, and a flag that tells the REPL to end after it.
        _os.system('soft_reset')
        raise SystemExit


def bootloader():
    _os.system('bootloader')


def reset_cause():
    return PWRON_RESET


def unique_id():
    return _unhexlify(_os.getenv('VB_MAC'))


def freq(hz=None):
    global _frequency
    if hz is None:
        return _frequency
    _frequency = hz


def idle():
    pass


def disable_irq():
    return 0


def enable_irq(state):
    pass


def lightsleep(ms=0):
    _time.sleep_ms(ms)


_timers = {}  # number to function of the hardware timers that count


class _Memory:
    """32-bit registers: those of UART0's clock, which timers count, and nothing elsewhere."""

    CLKDIV, CONF0 = 0x3ff40014, 0x3ff40020
    TIMERS = (0x3ff5f000, 0x3ff5f024, 0x3ff60000, 0x3ff60024)  # TIMGn_TxCONFIG_REG, whose bit 31 is EN

    def _registers(self):
        return {self.CLKDIV: int(_os.getenv('VB_CLKDIV')), self.CONF0: int(_os.getenv('VB_CONF0'))}

    def __init__(self):
        self.registers = self._registers()

    def __getitem__(self, address):
        if address in self.TIMERS:
            # mp_obj_new_int() of 32 bits: a number with a sign.
            return -0x80000000 if self.TIMERS.index(address) in _timers else 0
        return self.registers.get(address, 0)

    def __setitem__(self, address, value):
        if address not in self.registers:
            return
        registers = dict(self.registers)
        registers[address] = value & 0xffffffff
        if not _os.system('uart %d %d' % (registers[self.CLKDIV], registers[self.CONF0])):
            self.registers = registers


mem32 = _Memory()


class Pin:
    IN, OUT, OPEN_DRAIN = 1, 3, 7
    PULL_UP, PULL_DOWN, PULL_HOLD = 2, 1, 4
    IRQ_RISING, IRQ_FALLING = 1, 2

    def __init__(self, id, mode=-1, pull=-1, value=None):
        self.id = id
        self._value = value or 0

    def init(self, mode=-1, pull=-1, value=None):
        if value is not None:
            self._value = value

    def value(self, x=None):
        if x is None:
            return self._value
        self._value = x

    __call__ = value

    def on(self):
        self._value = 1

    def off(self):
        self._value = 0

    def irq(self, handler=None, trigger=3):
        pass


class Signal(Pin):
    pass


class I2C:
    def __init__(self, id=-1, scl=None, sda=None, freq=400000):
        pass

    def scan(self):
        return [38, 60]

    def writeto(self, address, data, stop=True):
        if address not in (38, 60):
            raise OSError(19)
        return len(data)

    def readfrom(self, address, count, stop=True):
        if address not in (38, 60):
            raise OSError(19)
        return bytes(count)

    def readfrom_mem(self, address, register, count):
        return self.readfrom(address, count)

    def writeto_mem(self, address, register, data):
        self.writeto(address, data)


SoftI2C = I2C


class ADC:
    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = 0, 1, 2, 3
    WIDTH_12BIT = 3

    def __init__(self, pin):
        pass

    def atten(self, value):
        pass

    def width(self, value):
        pass

    def read(self):
        return 0


class PWM:
    def __init__(self, pin, freq=5000, duty=512):
        self._freq, self._duty = freq, duty

    def freq(self, value=None):
        if value is None:
            return self._freq
        self._freq = value

    def duty(self, value=None):
        if value is None:
            return self._duty
        self._duty = value

    def deinit(self):
        pass


class Timer:
    """One of the four hardware timers. It calls its function while the board waits for input, and not while a program computes."""

    ONE_SHOT, PERIODIC = 0, 1

    def __init__(self, id):
        # ports/esp32/machine_timer.c: a group and an index of one bit each.
        self._number = id & 3
        self._again = None

    def init(self, mode=1, period=-1, callback=None, freq=0):
        def fire(_):
            if mode == Timer.PERIODIC:
                _os.system('timer %d %d %d' % (self._number, period, _id(fire)))
            if callback:
                callback(self)

        # Keeps it from the garbage collector. A timer counts on after its alarm.
        _timers[self._number] = self._again = fire
        _os.system('timer %d %d %d' % (self._number, period, _id(fire)))

    def deinit(self):
        if self._again:
            self._again = None
            _timers.pop(self._number, None)
            _os.system('timer %d 0 0' % self._number)


class WDT:
    def __init__(self, id=0, timeout=5000):
        pass

    def feed(self):
        pass


class UART:
    def __init__(self, id, baudrate=115200, **options):
        pass

    def init(self, *args, **options):
        pass


_clock_ahead = 0


class RTC:
    def datetime(self, value=None):
        # ports/esp32/machine_rtc.c: the weekday of the date is ignored.
        global _clock_ahead
        if value is None:
            t = _time.localtime(_time.time() + _clock_ahead)
            return (t[0], t[1], t[2], t[6], t[3], t[4], t[5], 0)
        year, month, day, _, hour, minute, second, _ = value
        _clock_ahead = _time.mktime((year, month, day, hour, minute, second, 0, 0)) - _time.time()
