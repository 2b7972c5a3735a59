def _udpcli(D,A,F,B=0,C=[]):
 try:import ubinascii as E
 except ImportError:import binascii as E
 if E.crc32(A,E.crc32(b'%d,%d'%(D,B)))!=F:raise ValueError('crc')
 del C[D:];C.append(A)
 if B:
  del globals()['_udpcli'];A=A[:0].join(C);del C[:];from uio import BytesIO as G;A=G(A)
  try:from uzlib import DecompIO as H;A=H(A,-B)
  except ImportError:from deflate import DeflateIO as I,RAW;A=I(A,RAW,B)
  A=A.read()
 print('~%d'%D);return A
