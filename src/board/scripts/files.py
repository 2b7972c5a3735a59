g=I('gc')
H=I('uhashlib','hashlib')
B=I('uio','io').BytesIO
Z=0
N=I('uzlib')
if hasattr(N,'DecompIO'):Z=1
else:
 N=I('deflate')
 if hasattr(N,'DeflateIO'):Z=2
M=bytearray(1026)
V=memoryview(M)
W=V[2:]
def s(p):
 h=H.sha256()
 with open(p,'rb')as f:
  while 1:
   n=f.readinto(W)
   if not n:break
   h.update(W[:n])
 return h.digest()
#
def P():
 try:
  for n in O.ilistdir(b'/'):
   if len(n)>3 or type(n[0])is str:break
   yield n
 except UnicodeError:pass
def D(p):
 if p==b'/':
  for n in P():yield n
  p=b'//'
 try:
  for n in O.ilistdir(p):
   if type(n[0])is str:n=(n[0].encode(),)+tuple(n[1:])
   yield n
 except OSError as i:
  if p!=b'//'or i.args[0]!=19:raise
def o():
 g.collect()
 m=g.mem_free()
 z=Z and 15
 while z>10:
  try:
   bytearray(min(m//4,40000)),bytearray(1<<z)
   break
  except MemoryError:z-=1
 g.collect()
 w('%d %d'%(m,z))
 try:c=O.getcwd()
 except Exception:c='/'
 w('\0'+c)
 for n in P():w(b'\0/'+n[0])
#
def y(p):
 try:n=O.statvfs(p)
 except Exception:n=(0,)*10
 w('%d %d'%(n[1]*n[3],n[1]*n[2]))
def l(*a):
 for p in a:
  try:n=O.stat(p)
  except OSError:
   w('-\0')
   continue
  if n[0]&0x4000:w('D\0')
  else:
   try:w('F %d %s\0'%(n[6],b.b2a_base64(s(p)).decode()[:-1]))
   except OSError as i:w('X %d OSError: %s\0'%(n[6],i))
#
def d(p,a=0):
 n=O.stat(p)
 if not n[0]&0x4000:
  w(('F %d '%n[6]).encode()+p+b'\0')
  return
 f=[p]
 while f:
  p=f.pop()
  for n in D(p):
   q=p+(b''if p[-1]==47 else b'/')+n[0]
   i=n[1]&0x4000
   w(('%s %d '%('D' if i else 'F',0 if i else n[3] if len(n)>3 else O.stat(q)[6])).encode()+q+b'\0')
   if a and i and n[0]not in(b'.',b'..'):f.append(q)
def j(p):
 try:O.mkdir(p)
 except OSError:
  if not O.stat(p)[0]&0x4000:raise
def r(p,a):
 if O.stat(p)[0]&0x4000:
  if a:
   for n in list(D(p)):r(p+b'/'+n[0],a)
  O.rmdir(p)
 else:O.remove(p)
def h(p):
 try:w('%d'%(not O.stat(p)[0]&0x4000))
 except OSError:w('0')
def q(p):
 try:O.remove(p)
 except OSError:pass
#
f=0
def c():
 global f
 if f:f.close()
 f=0
def u(p):
 global f
 c()
 f=open(p,'wb')
def G(p):
 try:
  with open(p,'rb')as h:
   while 1:
    n=h.readinto(W)
    if not n:break
    M[0]=n>>8
    M[1]=n&255
    t.write(V[:n+2])
 finally:t.write(b'\0\0')
def a(p,n):
 d=A
 if f.tell()!=p:f.seek(p)
 if n:
  d=B(d)
  d=N.DecompIO(d,-n)if Z==1 else N.DeflateIO(d,N.RAW,n)
  while 1:
   n=d.readinto(W)
   if not n:break
   f.write(W[:n])
 else:f.write(d)
#
def v(t,p,h):
 c()
 try:i=s(t)
 except OSError:
  try:i=s(p)==h
  except OSError:i=0
  w('.'if i else'!')
  return
 if i!=h:
  O.remove(t)
  w('!')
  return
 try:O.rename(t,p)
 except OSError as i:
  o=t+b'~'
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
