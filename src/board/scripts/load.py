# Takes a program in pieces and gives it back whole (`udpcli board run`, and the scripts of src/pair/scripts/). It defines
# one name in the user's own dictionary, and takes it away with the last piece.
def load_piece(index, piece, expected_crc, is_last=0, pieces=[]):  # on the line: _udpcli
    # `pieces` is one list for all calls: a default is made once.
    if CHECKED:
        # This script goes over without a checksum of its own, so a damaged name must raise an exception and not lead
        # past the check. load_unchecked.py is for firmware that was built without crc32.
        try:
            import ubinascii as binascii
        except ImportError:
            import binascii
        # The checksum covers the other arguments too: a 0 that the line made a 1 would end the program early.
        if binascii.crc32(piece, binascii.crc32(b'%d,%d' % (index, is_last))) != expected_crc:
            raise ValueError('crc')
    # A piece that comes again replaces the one before, and what came after that.
    del pieces[index:]
    pieces.append(piece)
    if is_last:
        del globals()['_udpcli']
        piece = piece[:0].join(pieces)
        del pieces[:]
    print('~%d' % index)
    return piece
