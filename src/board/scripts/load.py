# Takes a program in pieces and returns it whole (`udpcli board run`, and the scripts of src/pair/scripts/). It defines
# one name in the user's own dictionary, and deletes it with the last piece.
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
    # A repeated piece replaces its first version and all later pieces.
    del pieces[index:]
    pieces.append(piece)
    if is_last:
        del globals()['_udpcli']
        piece = piece[:0].join(pieces)
        del pieces[:]
        if PACKED:
            # The last call gives the window in bits. The firmware's own uzlib (up to 1.20) and deflate (from 1.21) come
            # before files of these names. Firmware that has neither raises an ImportError, and udpcli sends the program as
            # it is.
            from uio import BytesIO
            piece = BytesIO(piece)
            try:
                from uzlib import DecompIO
                piece = DecompIO(piece, -is_last)
            except ImportError:
                from deflate import DeflateIO, RAW
                piece = DeflateIO(piece, RAW, is_last)
            piece = piece.read()
    print('~%d' % index)
    return piece
