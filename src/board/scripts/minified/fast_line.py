K=I('umachine','machine')
T=I('utime','time')
z=K.mem32
zc=1072955412
J=S.stdin.buffer
zo=S.stdout.buffer
p=I('uselect','select').poll()
p.register(J,1)
zt=K.Timer(3)
def R():zo.write('%s;%d;%d;%d~'%(O.uname()[4],K.freq(),z[zc],z[zc+12]))
def zh(B,D):
 A=b''
 while A!=B:
  C=T.ticks_diff(D,T.ticks_ms())
  if C<1 or not p.poll(C):return 0
  A=(A+J.read(1))[-len(B):]
 return 1
def E(D,E,F,G,H,I,K,L):
 M=z[zc];N=z[zc+12]
 def A(A=0):z[zc+12]=N;z[zc]=M
 zo.write('+');T.sleep_ms(5)
 try:
  z[zc]=E;z[zc+12]=F;B=T.ticks_add(T.ticks_ms(),300)
  if zh(G,B):
   zo.write(H)
   if zh(I,B):
    zt.init(mode=0,period=2000,callback=A);C=J.read(K)
    if sum(C)==L:exec(C,globals());zf(D,A)
 finally:
  try:A()
  finally:A();zt.deinit()
#
g=I('gc')
L=0
def zf(I,K):
 global L;A=bytearray(7);B=memoryview(bytearray(8500));G=0;zo.write('>')
 while 1:
  zt.deinit()
  if not p.poll(2000):return
  zt.init(mode=0,period=2000,callback=K);J.readinto(A)
  if sum(A[:6])&127|128!=A[6]:return
  C=(A[0]&127)<<7|A[1]&127;F=C+((A[2]&127)<<7|A[3]&127);D=F+(((A[4]&127)<<7|A[5]&127)<<1)
  if D>len(B):B=memoryview(bytearray(D))
  J.readinto(B[:D]);zt.deinit()
  if not C:zo.write('~');T.sleep_ms(20);return
  H=0;E=F
  while E<D:H+=(B[E]&127)<<7|B[E+1]&127;B[H]=3;E+=2
  L=B[C:F];zo.write('OK')
  try:exec(bytes(B[:C]),I);zo.write('\x04')
  except Exception as M:zo.write('\x04');S.print_exception(M)
  G+=1
  if not G&7:g.collect()
  zo.write('\x04>')
#
def Q(A):
 B=0;C=[A]
 while C and B<65536:
  A=C.pop();E=O.stat(A)
  if E[0]&16384:
   for D in O.listdir(A):C.append(A+b'/'+(D.encode()if type(D)is str else D))
  else:B+=E[6]
 S.stdout.write('%d~'%B)
