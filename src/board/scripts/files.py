import sys
try:
 import binascii as b
except ImportError:
 import ubinascii as b
k=getattr(b,'crc32',None)
t=getattr(sys.stdout,'buffer',sys.stdout)
e=0
def w(s):
 global e
 if k:e=k(s,e)
 t.write(s)
def x(c,s):
 global e
 if k and k(s)!=c:raise ValueError('crc')
 e=0
 exec(s,globals())
 t.write('~%08x'%e if k else'~--------')
#
import gc
try:
 import os as O,hashlib as H,io as I
except ImportError:
 import uos as O,uhashlib as H,uio as I
Z=0
try:
 from uzlib import DecompIO as N
 Z=1
except ImportError:
 try:
  import deflate as N
  Z=2
 except ImportError:
  pass
M=bytearray(1024)
V=memoryview(M)
def s(p):
 h=H.sha256()
 with open(p,'rb')as f:
  while 1:
   n=f.readinto(M)
   if not n:break
   h.update(V[:n])
 return h.digest()
#
def l(*a):
 for p in a:
  try:n=O.stat(p)
  except OSError:
   w('-\0')
   continue
  if n[0]&0x4000:w('D\0')
  else:w('F %d %s\0'%(n[6],b.b2a_base64(s(p)).decode()[:-1]))
def y(p):
 try:n=O.statvfs(p)
 except:n=(0,)*10
 gc.collect()
 m=gc.mem_free()
 z=Z and 15
 while z>10:
  try:
   bytearray(min(m//4,40000)),bytearray(1<<z)
   break
  except MemoryError:z-=1
 gc.collect()
 w('%d %d %d %d'%(n[1]*n[3],n[1]*n[2],m,z))
def d(p,a=0):
 if not O.stat(p)[0]&0x4000:
  w('F %d %s\0'%(O.stat(p)[6],p))
  return
 for n in O.ilistdir(p):
  q=p+('' if p[-1]=='/' else '/')+n[0]
  i=n[1]&0x4000
  w('%s %d %s\0'%('D' if i else 'F',0 if i else n[3] if len(n)>3 else O.stat(q)[6],q))
  if a and i:d(q,a)
#
def j(p):
 try:O.mkdir(p)
 except OSError:
  if not O.stat(p)[0]&0x4000:raise
def r(p,a):
 if O.stat(p)[0]&0x4000:
  if a:
   for n in list(O.ilistdir(p)):r(p+'/'+n[0],a)
  O.rmdir(p)
 else:O.remove(p)
def q(p):
 try:O.remove(p)
 except OSError:pass
f=0
def u(p):
 global f
 if f:f.close()
 f=open(p,'wb')
def g(p):
 with open(p,'rb')as h:
  while 1:
   n=h.readinto(M)
   if not n:break
   t.write(V[:n])
#
def a(p,c,n,d):
 if k and k(d,k('%d,%d'%(p,n)))!=c:
  t.write('!')
  return
 if f.tell()!=p:f.seek(p)
 if n:
  d=I.BytesIO(d)
  d=N(d,-n)if Z==1 else N.DeflateIO(d,N.RAW,n)
  while 1:
   n=d.readinto(M)
   if not n:break
   f.write(V[:n])
 else:f.write(d)
 t.write('.')
def v(t,p,h):
 f.close()
 try:i=s(t)
 except OSError:
  w('.'if s(p)==h else'!')
  return
 if i!=h:
  O.remove(t)
  w('!')
  return
 try:O.rename(t,p)
 except OSError as i:
  o=t+'~'
  try:
   if O.stat(p)[0]&0x4000:raise i
   q(o)
   O.rename(p,o)
  except OSError:raise i
  try:O.rename(t,p)
  except OSError:
   O.rename(o,p)
   raise
  O.remove(o)
 w('.')
