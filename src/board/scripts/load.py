def _udpcli(i,d,c,e=0,l=[]):
 try:import ubinascii as b
 except ImportError:import binascii as b
 k=getattr(b,'crc32',0)
 if k and k(d,k(b'%d'%i))!=c:raise ValueError('crc')
 del l[i:]
 l.append(d)
 if e:
  del globals()['_udpcli']
  d=d[:0].join(l)
  del l[:]
 print('~%d'%i)
 return d
