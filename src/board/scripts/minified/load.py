def _udpcli(C,A,F,E=0,B=[]):
 try:import ubinascii as D
 except ImportError:import binascii as D
 if D.crc32(A,D.crc32(b'%d,%d'%(C,E)))!=F:raise ValueError('crc')
 del B[C:];B.append(A)
 if E:del globals()['_udpcli'];A=A[:0].join(B);del B[:]
 print('~%d'%C);return A
