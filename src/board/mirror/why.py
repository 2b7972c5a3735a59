# Run on the board when the agent found no `oled`: says what there is in its place, one word or more a line.
def _u():
    def load(n):
        try:
            return __import__('u' + n)
        except ImportError:
            return __import__(n)
    s = load('sys')
    o = load('os')
    w = s.stdout.write
    try:
        import mpython as m
        w('\nhas %s\n' % ('onboard_oled' if hasattr(m, 'onboard_oled') else '-'))
    except Exception as e:
        w('\nraised %s: %s\n' % (type(e).__name__, e))
    # Up to 1.20 a file never takes the place of a built-in module, but of one that has a u in front.
    try:
        fixed = int(o.uname()[2].split('.')[1]) < 21
    except Exception:
        fixed = 0
    fixed = fixed and 'machine network esp math framebuf micropython'.split()
    for p in s.path:
        if p == '.frozen':
            continue
        try:
            # Bytes in, bytes out: a name that is not UTF-8 is none of a module.
            # `/` itself also lists what is mounted there, and fails at such a name; `//` does not.
            d = p or o.getcwd()
            for n in o.ilistdir(b'//' if d == '/' else d.encode()):
                try:
                    n = n[0] if type(n[0]) is str else n[0].decode()
                    m = n.split('.')[0]
                    if m in NAMES and not (fixed and m in fixed):
                        w('\nfile %s%s\n' % (p and p + '/', n))
                except UnicodeError:
                    pass
        except OSError:
            pass
_u()
del _u
