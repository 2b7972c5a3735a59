# Prints `value`, which `udpcli board eval` puts beside it: as JSON if JSON can hold it, else as Python text. Both are
# bounded, because a value may contain itself.
try:
    import usys as sys  # on the line: S
except ImportError:
    import sys  # on the line: S
# The byte stream: text mode would send CR LF for LF.
stdout = getattr(sys.stdout, 'buffer', sys.stdout)  # on the line: t
# How many more values are looked at.
left = 20000  # on the line: n
DEEPEST = 15  # on the line: m


def is_json(value, depth):  # on the line: j
    global left
    left -= 1
    if left < 0 or depth > DEEPEST:
        return False
    if value is None or isinstance(value, (bool, int, str)):
        return True
    if isinstance(value, float):
        # Not so for infinity and NaN.
        return value - value == 0
    if isinstance(value, (list, tuple)):
        for item in value:
            if not is_json(item, depth + 1):
                return False
        return True
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str) or not is_json(value[key], depth + 1):
                return False
        return True
    return False


def escaped(char):  # on the line: e
    if char in '"\\':
        return '\\' + char
    # Half of a surrogate pair has no UTF-8.
    if ' ' <= char != '\x7f' and not 0xD800 <= ord(char) <= 0xDFFF:
        return char
    return '\\u%04x' % ord(char)


def show(value, depth, json):  # on the line: p
    global left
    left -= 1
    kind = type(value)
    if not json and (left < 0 or depth > DEEPEST):
        stdout.write('...')
    elif json and isinstance(value, str):
        stdout.write('"')
        # In pieces: there may be no memory for all of it at once.
        for at in range(0, len(value), 64):
            stdout.write(''.join(escaped(char) for char in value[at:at + 64]))
        stdout.write('"')
    elif json and (value is None or isinstance(value, bool)):
        stdout.write('null' if value is None else 'true' if value else 'false')
    elif kind is dict or json and isinstance(value, dict):
        comma = '{'
        for key in value:
            stdout.write(comma)
            show(key, depth + 1, json)
            stdout.write(': ')
            show(value[key], depth + 1, json)
            comma = ', '
            if left < 0 and not json:
                break
        stdout.write('}' if value else '{}')
    elif kind in (list, tuple) or json and isinstance(value, (list, tuple)):
        round_ones = kind is tuple and not json
        stdout.write('(' if round_ones else '[')
        comma = ''
        for item in value:
            stdout.write(comma)
            show(item, depth + 1, json)
            comma = ', '
            if left < 0 and not json:
                break
        stdout.write((',)' if len(value) == 1 else ')') if round_ones else ']')
    else:
        stdout.write(repr(value))


as_json = is_json(value, 0)  # on the line: k
left = 20000 if as_json else 1000
show(value, 0, as_json)
stdout.write('\n')
