try:import uos as O
except ImportError:import os as O
try:
 if int(O.uname()[2].split('.')[1])<13:raise ValueError
 import usys as S
except(ImportError,ValueError,IndexError,AttributeError):import sys as S
def I(*D):
 A=S.path;C=A[:];B=None;A[:]=['.frozen']+[A for A in C if'/.'in'/'+A]
 try:
  for E in D:
   try:B=B or __import__(E)
   except ImportError:0
 finally:A[:]=C
 return B
#
b=I('ubinascii','binascii')
k=getattr(b,'crc32',None)
t=getattr(S.stdout,'buffer',S.stdout)
e=A=0
def w(A):
 global e
 if k:e=k(A,e)
 t.write(A)
def x(F,C,D=b''):
 global e,A
 if k and k(D,k(C))!=F:t.write('!');return
 A=D;e=0;E='~'
 try:exec(C,globals())
 except Exception as B:B=('%s: %s'%(type(B).__name__,B)).encode();w(B);E='^%04x'%len(B)
 A=0;t.write(E+('%08x'%e if k else'--------'))
