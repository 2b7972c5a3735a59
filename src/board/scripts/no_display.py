# Run on the board when the mirror agent found no `oled`: tells whether `mpython` has another display object, and which files on
# the board hide a module that mpython needs. docs/protocol.md lists the lines.
def explain(modules):  # on the line: _u
    def load_module(name):
        try:
            return __import__('u' + name)
        except ImportError:
            return __import__(name)

    sys = load_module('sys')
    os = load_module('os')
    # Each line has an LF before it too: what mpython prints while it is imported may end without one.
    write = sys.stdout.write
    try:
        import mpython
        write('\nhas %s\n' % ('onboard_oled' if hasattr(mpython, 'onboard_oled') else '-'))
    except Exception as error:
        write('\nraised %s: %s\n' % (type(error).__name__, error))
    # Up to 1.20 a file never takes the place of a built-in module, but of one that has a u in front.
    try:
        built_in = int(os.uname()[2].split('.')[1]) < 21
    except Exception:
        built_in = 0
    built_in = built_in and 'machine network esp math framebuf micropython'.split()
    for folder in sys.path:
        if folder == '.frozen':
            continue
        try:
            # Bytes in, bytes out: no module has a name that is not UTF-8.
            # `/` itself also lists what is mounted there, and fails at such a name; `//` does not.
            path = folder or os.getcwd()
            for entry in os.ilistdir(b'//' if path == '/' else path.encode()):
                try:
                    name = entry[0] if type(entry[0]) is str else entry[0].decode()
                    module = name.split('.')[0]
                    if module in modules and not (built_in and module in built_in):
                        write('\nfile %s%s\n' % (folder and folder + '/', name))
                except UnicodeError:
                    pass
        except OSError:
            pass
