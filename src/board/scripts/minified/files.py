g=I('gc')
H=I('uhashlib','hashlib')
B=I('uio','io').BytesIO
Z=0
N=I('uzlib')
if hasattr(N,'DecompIO'):Z=1
else:
 N=I('deflate')
 if hasattr(N,'DeflateIO'):Z=2
M=bytearray(4098)
V=memoryview(M)
W=V[2:]
def s(C):
 A=H.sha256()
 with open(C,'rb')as D:
  while 1:
   B=D.readinto(W)
   if not B:break
   A.update(W[:B])
 return A.digest()
#
def P():
 try:
  for A in O.ilistdir(b'/'):
   if len(A)>3 or type(A[0])is str:break
   yield A
 except UnicodeError:0
def D(B):
 if B==b'/':
  for A in P():yield A
  B=b'//'
 try:
  for A in O.ilistdir(B):
   if type(A[0])is str:A=(A[0].encode(),)+tuple(A[1:])
   yield A
 except OSError as C:
  if B!=b'//'or C.args[0]!=19:raise
def o():
 g.collect();B=g.mem_free();A=Z and 15
 while A>10:
  try:bytearray(min(B//4,40000)),bytearray(1<<A);break
  except MemoryError:A-=1
 g.collect();w('%d %d'%(B,A))
 try:C=O.getcwd()
 except Exception:C='/'
 w('\0'+C)
 for D in P():w(b'\0/'+D[0])
#
def y(B):
 try:A=O.statvfs(B)
 except Exception:A=(0,)*10
 w('%d %d'%(A[1]*A[3],A[1]*A[2]))
def l(*C):
 for B in C:
  try:A=O.stat(B)
  except OSError:w('-\0');continue
  if A[0]&16384:w('D\0')
  else:
   try:w('F %d %s\0'%(A[6],b.b2a_base64(s(B)).decode()[:-1]))
   except OSError as D:w('X %d OSError: %s\0'%(A[6],D))
def L(*A):
 for B in range(0,len(A),2):
  for D in A[B+1].split(b'/'):
   C=A[B]+D
   try:
    if O.stat(C)[0]&16384:w('D')
    else:w(b'F'+b.b2a_base64(s(C)[:9])[:-1])
   except OSError:w('-')
#
def d(A,H=0):
 G=O.stat(A)
 if not G[0]&16384:w(('F %d '%G[6]).encode()+A+b'\0');return
 C=[A]
 while C:
  A=C.pop()
  for B in D(A):
   E=A+(b''if A[-1]==47 else b'/')+B[0];F=B[1]&16384;I=0 if F else B[3]if len(B)>3 else O.stat(E)[6];w(('%s %d '%('D'if F else'F',I)).encode()+E+b'\0')
   if H and F and B[0]not in(b'.',b'..'):C.append(E)
def j(A):
 try:O.mkdir(A)
 except OSError as C:
  try:B=O.stat(A)[0]&16384
  except OSError:B=0
  if not B:raise C
def r(A,B):
 if O.stat(A)[0]&16384:
  if B:
   for C in list(D(A)):r(A+b'/'+C[0],B)
  O.rmdir(A)
 else:O.remove(A)
def h(A):
 try:w('%d'%(not O.stat(A)[0]&16384))
 except OSError:w('0')
def q(A):
 try:O.remove(A)
 except OSError:0
#
f=0
def c():
 global f
 if f:f.close()
 f=0
def u(A):global f;c();f=open(A,'wb')
def G(B):
 try:
  with open(B,'rb')as C:
   while 1:
    A=C.readinto(W)
    if not A:break
    M[0]=A>>8;M[1]=A&255;t.write(V[:A+2])
 finally:t.write(b'\0\0')
def a(E,D):
 C=A
 if f.tell()!=E:f.seek(E)
 if D:
  C=B(C)
  if Z==1:C=N.DecompIO(C,-D)
  else:C=N.DeflateIO(C,N.RAW,D)
  while 1:
   F=C.readinto(W)
   if not F:break
   f.write(W[:F])
 else:f.write(C)
#
def v(B,A,E):
 c()
 try:C=s(B)
 except OSError:
  try:C=s(A)==E
  except OSError:C=0
  w('.'if C else'!');return
 if C!=E:O.remove(B);w('!');return
 try:O.rename(B,A)
 except OSError as F:
  D=B+b'~'
  try:
   if O.stat(A)[0]&16384:raise F
   q(D);O.rename(A,D)
  except OSError:raise F
  try:O.rename(B,A)
  except OSError:O.rename(D,A);raise
  O.remove(D)
 w('.')
