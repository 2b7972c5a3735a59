# Run on the board before a program: which displays the files that it imports draw with. Prints the words that they contain,
# between two `~`. It imports nothing of the user's: an import would run the file.
def find_words(modules, words):  # on the line: _u
    try:
        import usys as sys
    except ImportError:
        import sys
    found = ''
    seen = []
    while modules and len(seen) < 40:
        module = modules.pop()
        if module in seen:
            continue
        seen.append(module)
        for folder in '', '/lib/':
            for end in '.py', '.mpy', '/__init__.py':
                try:
                    file = open(folder + module.replace('.', '/') + end, 'rb')
                except OSError:
                    continue
                for line in file:
                    for word in words:
                        if word.encode() in line and word not in found.split():
                            found += ' ' + word
                    # `import a, b.c as d` and `from a import b`: a word too many is a file that is not there.
                    if line.split()[:1] in ([b'import'], [b'from']):
                        for name in line.split(b'#')[0].replace(b',', b' ').split()[1:]:
                            try:
                                if name not in (b'import', b'as', b'*'):
                                    modules.append(name.decode())
                            except UnicodeError:
                                pass
                file.close()
    sys.stdout.write('~%s~' % found)
