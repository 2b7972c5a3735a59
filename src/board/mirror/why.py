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
    for p in s.path:
        if p == '.frozen':
            continue
        try:
            for n in o.listdir(p) if p else o.listdir():
                if n.split('.')[0] in NAMES:
                    w('\nfile %s%s\n' % (p and p + '/', n))
        except OSError:
            pass
_u()
del _u
