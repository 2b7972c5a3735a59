"""Where `import` finds things: as on the firmware, not as on the unix port.

Three kinds of modules, as on the ESP32:

- built in: the interpreter's own, and those of `modules/builtin`, which are C in the firmware and Python here. They are in
  memory before the board boots and appear in no `sys.modules` and on no path. A firmware names each one `uos`, `os` or both,
  and lets a file of the pupil's take the place of some of these names.
- frozen: those of `modules/frozen`. Their file names in a traceback are the firmware's: `mpython.py`. Up to 1.17 they win over a
  file of that name in the working directory (py/builtinimport.c, mp_import_stat_any), later such a file wins.
- files, on the board's own file system.
"""

import ctypes
import os

from library import PASS

MODULES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "modules")
FILE = 2  # MP_IMPORT_STAT_FILE


class Imports:
    def __init__(self, library, firmware, frozen_first):
        self.firmware = firmware
        self.names = firmware.names
        self.frozen_first = frozen_first
        self.frozen = {}  # file name to bytes
        for folder in firmware.frozen:
            folder = os.path.join(MODULES, "frozen", folder)
            for name in sorted(os.listdir(folder)):
                if name[:-3] in firmware.modules and name not in self.frozen:
                    self.add(name, os.path.join(folder, name))
        self.add("_boot.py", os.path.join(MODULES, "boot", firmware.boot + ".py"))
        self.built_in = {}  # name to address, once loaded
        self.waiting = {name[:-3] for name in os.listdir(os.path.join(MODULES, "builtin"))}
        self.pending = None  # a frozen file that will be read next
        self.open_files = []
        pointer, size, boolean = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_bool
        self.name_of = library.function("qstr_str", ctypes.c_char_p, size)
        self.qstr_of = library.function("qstr_from_str", size, ctypes.c_char_p)
        self.own = library.function("mp_module_get_builtin", pointer, size, boolean)
        self.own_stat = library.function("mp_vfs_import_stat", ctypes.c_int, ctypes.c_char_p)
        self.read_byte = library.address("mp_reader_mem_readbyte")
        close = ctypes.CFUNCTYPE(None, pointer)(lambda _: None)
        library.kept.append(close)
        self.close = ctypes.cast(close, pointer).value
        library.gate("mp_module_get_builtin", self.get_builtin)
        library.gate("mp_vfs_import_stat", self.import_stat)
        library.gate("mp_reader_new_file", self.new_file)

    def add(self, name, path):
        with open(path, "rb") as file:
            self.frozen[name] = file.read()

    def loaded(self, name, address):
        """A module of `modules/builtin` is in memory."""
        self.built_in[name] = address
        self.waiting.discard(name)

    def get_builtin(self, call):
        """mp_module_get_builtin(name, extensible): first asked for modules that nothing replaces, then for the rest."""
        name = self.name_of(call[0]).decode()
        if not self.firmware_runs:
            if name in self.built_in:
                return self.built_in[name]
            return 0 if self.loads and name in self.waiting else PASS
        if name == "_real":
            return self.built_in[name]
        if name not in self.names:
            return 0
        plain, replaceable = self.names[name]
        if replaceable and not call[1] & 0xFF:
            return 0
        if plain in self.built_in:
            return self.built_in[plain]
        # The name is a constant of the interpreter, so looking it up allocates nothing and raises nothing.
        number = self.qstr_of(plain.encode())
        return self.own(number, False) or self.own(number, True) or 0

    loads = False  # the modules of `modules/builtin` are being loaded
    firmware_runs = False

    def import_stat(self, call):
        """mp_vfs_import_stat(path): frozen modules lie in the place that the empty entry of sys.path stands for."""
        path = ctypes.string_at(call[0]).decode()
        if not self.firmware_runs or path not in self.frozen or path == "_boot.py":
            return PASS
        if not self.frozen_first:
            for other in (path, path[:-2] + "mpy"):
                if self.own_stat(other.encode()) == FILE:
                    return PASS
        self.pending = path
        return FILE

    def new_file(self, call):
        """mp_reader_new_file(reader, name): what import_stat has found in the firmware is read from there."""
        pending, self.pending = self.pending, None
        if pending is None or self.name_of(call[1]).decode() != pending:
            return PASS
        text = ctypes.create_string_buffer(self.frozen[pending])
        start = ctypes.addressof(text)
        # py/reader.c, mp_reader_mem_t: free_len, beg, cur, end.
        memory = (ctypes.c_uint64 * 4)(0, start, start, start + len(text) - 1)
        self.open_files.append((text, memory))
        reader = (ctypes.c_uint64 * 3).from_address(call[0])
        reader[0], reader[1], reader[2] = ctypes.addressof(memory), self.read_byte, self.close
        return 0
