try:
 import uos as O
except ImportError:
 import os as O
try:
 if int(O.uname()[2].split('.')[1])<13:raise ValueError
 import usys as S
except(ImportError,ValueError,IndexError,AttributeError):
 import sys as S
def I(*a):
 p=S.path
 q=p[:]
 m=None
 p[:]=['.frozen']+[n for n in q if'/.'in'/'+n]
 try:
  for n in a:
   try:m=m or __import__(n)
   except ImportError:pass
 finally:p[:]=q
 return m
#
b=I('ubinascii','binascii')
k=getattr(b,'crc32',None)
t=getattr(S.stdout,'buffer',S.stdout)
e=A=0
def w(s):
 global e
 if k:e=k(s,e)
 t.write(s)
def x(c,s,d=b''):
 global e,A
 if k and k(d,k(s))!=c:
  t.write('!')
  return
 A=d
 e=0
 m='~'
 try:exec(s,globals())
 except Exception as i:
  i=('%s: %s'%(type(i).__name__,i)).encode()
  w(i)
  m='^%04x'%len(i)
 A=0
 t.write(m+('%08x'%e if k else'--------'))
