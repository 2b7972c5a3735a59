"""The unix port of MicroPython as a shared library, and ways to turn its calls to functions here. x86-64 only.

- `hook`: the library's calls of a function come here instead, by its slot in the jump table (ELF section .rela.plt).
- `gate`: they come here first. What is here may change the arguments, and either gives the result or lets the call go on to
  the library's own function. That one is jumped to, not called: an exception in it (a longjmp) must not pass through Python.
- `replace`: a function of the library is another of the library from now on.
"""

import ctypes
import importlib.util
import mmap
import struct

PASS = 0x2D7A_91C4_0E63_B85F  # "continue the call": neither a pointer nor a number that any function here returns
NONE = 0 << 3 | 6  # MP_ROM_NONE: an immediate object

_PUSH = bytes.fromhex("57 56 52 51 41 50 41 51")  # rdi rsi rdx rcx r8 r9
_POP = bytes.fromhex("41 59 41 58 59 5a 5e 5f")


def _immediate(opcode, value):
    return bytes.fromhex(opcode) + struct.pack("<Q", value)


class Registers:
    """The six arguments of a call that stands at a gate."""

    def __init__(self, address):
        self.words = (ctypes.c_uint64 * 6).from_address(address)

    def __getitem__(self, number):
        return self.words[5 - number]

    def __setitem__(self, number, value):
        self.words[5 - number] = value


class Library:
    """The shared library with its symbols and its jump table."""

    def __init__(self):
        path = importlib.util.find_spec("micropython_run").origin
        self.dll = ctypes.CDLL(path)
        with open(path, "rb") as file:
            self._parse(file.read())
        self.base = ctypes.cast(self.dll.main_, ctypes.c_void_p).value - self.symbols["main_"]
        self.kept = []  # callbacks must live longer than the calls
        self.code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        self.code_at = ctypes.addressof(ctypes.c_char.from_buffer(self.code))

    def _parse(self, data):
        shoff, shentsize, shnum, shstrndx = struct.unpack_from("<40xQ10xHHH", data)
        sections = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shentsize) for i in range(shnum)]
        names = sections[shstrndx][4]

        def text(at):
            return data[at : data.index(b"\0", at)].decode()

        by_name = {text(names + section[0]): section for section in sections}
        self.symbols = {}
        dynamic = []
        for table in (".symtab", ".dynsym"):
            section = by_name.get(table)
            if section is None:
                continue
            strings = sections[section[6]][4]
            dynamic = []
            for at in range(section[4], section[4] + section[5], 24):
                name, _info, _other, _shndx, value, _size = struct.unpack_from("<IBBHQQ", data, at)
                symbol = text(strings + name)
                dynamic.append(symbol)
                if value:
                    self.symbols[symbol] = value
        plt = by_name[".rela.plt"]
        self.slots = {}
        for at in range(plt[4], plt[4] + plt[5], 24):
            offset, info, _addend = struct.unpack_from("<QQq", data, at)
            self.slots[dynamic[info >> 32]] = offset

    def address(self, symbol):
        return self.base + self.symbols[symbol]

    def word(self, address, value=None):
        cell = ctypes.c_uint64.from_address(address)
        if value is not None:
            cell.value = value
        return cell.value

    def writable(self, symbol):
        """Makes the pages of a constant writable."""
        self._protect(self.address(symbol), 3)

    @staticmethod
    def _protect(address, access):
        if ctypes.CDLL(None).mprotect(ctypes.c_void_p(address & ~4095), 8192, access) != 0:
            raise OSError("mprotect")

    def hook(self, name, function, result, *args):
        """Turns the library's calls of `name` to `function`."""
        callback = ctypes.CFUNCTYPE(result, *args, use_errno=True)(function)
        self.kept.append(callback)
        self.word(self.base + self.slots[name], ctypes.cast(callback, ctypes.c_void_p).value)

    def function(self, name, result, *args):
        """A function of the library, past any hook."""
        return ctypes.CFUNCTYPE(result, *args)(self.address(name))

    def _emit(self, code):
        at = self.code_at + self.code.tell()
        self.code.write(code)
        return at

    def gate(self, name, function):
        """Calls of `name` come to `function(registers)` first, which returns the result or PASS."""

        def guard(address):
            result = function(Registers(address))
            return result & 0xFFFF_FFFF_FFFF_FFFF

        callback = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_uint64)(guard)
        self.kept.append(callback)
        code = (
            _PUSH
            + bytes.fromhex("48 83 ec 08 48 8d 7c 24 08")  # sub rsp, 8; lea rdi, [rsp + 8]: the registers
            + _immediate("48 b8", ctypes.cast(callback, ctypes.c_void_p).value)
            + bytes.fromhex("ff d0 48 83 c4 08")  # call rax; add rsp, 8
            + _POP
            + _immediate("49 ba", PASS)
            + bytes.fromhex("4c 39 d0 75 0c")  # cmp rax, r10; jne to the ret
            + _immediate("48 b8", self.address(name))
            + bytes.fromhex("ff e0 c3")  # jmp rax; ret
        )
        self.word(self.base + self.slots[name], self._emit(code))

    def drop(self, name, first):
        """Calls of `name` with this first argument do nothing. Costs a program that calls it often nothing."""
        code = (
            _immediate("48 b8", first)
            + bytes.fromhex("48 39 c7 75 01 c3")  # cmp rdi, rax; jne past the ret; ret
            + _immediate("48 b8", self.address(name))
            + bytes.fromhex("ff e0")
        )
        self.word(self.base + self.slots[name], self._emit(code))

    def replace(self, name, other):
        """`name` becomes a jump to `other`, for calls that go through no slot too."""
        address = self.address(name)
        self._protect(address, 7)
        ctypes.memmove(address, _immediate("48 b8", self.address(other)) + bytes.fromhex("ff e0"), 12)

    def returns_none(self, symbol):
        """The built-in function in this object works as before and returns None."""
        address = self.address(symbol)
        self.writable(symbol)
        code = (
            bytes.fromhex("48 83 ec 08")  # sub rsp, 8
            + _immediate("48 b8", self.word(address + 8))
            + bytes.fromhex("ff d0 48 83 c4 08")  # call rax; add rsp, 8
            + _immediate("48 b8", NONE)
            + bytes.fromhex("c3")
        )
        self.word(address + 8, self._emit(code))

    def qstr(self, text):
        return self.function("qstr_from_str", ctypes.c_size_t, ctypes.c_char_p)(text.encode())

    def sys_entry(self, name, value=None):
        """Changes the value of a name in `sys`, or takes the name out."""
        self.writable("mp_module_sys_globals_table")
        table, key = self.address("mp_module_sys_globals_table"), self.qstr(name) << 3 | 2
        for at in range(table, table + 16 * 64, 16):
            if self.word(at) == key:
                if value is None:
                    self.word(at, 2)  # MP_QSTRnull, which no program can write
                else:
                    self.word(at + 8, value)
                return
        raise RuntimeError(f"sys has no {name}")

    def set_string(self, symbol, text):
        """Changes a constant str: {type, hash, length, data}; hash 0 is worked out when needed."""
        self.writable(symbol)
        data = ctypes.create_string_buffer(text.encode())
        self.kept.append(data)
        address = self.address(symbol)
        # Hash and length are one word or two 32-bit halves: detect it from the existing data.
        old = struct.unpack("<QQQQ", ctypes.string_at(address, 32))
        if old[2] > 0xFFFF:
            raise RuntimeError(f"{symbol} has a form this program does not know")
        self.word(address + 8, 0)
        self.word(address + 16, len(text.encode()))
        self.word(address + 24, ctypes.addressof(data))
