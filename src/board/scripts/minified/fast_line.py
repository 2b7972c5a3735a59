K=I('umachine','machine')
g=I('gc')
J=S.stdin.buffer
zo=S.stdout.buffer
zd=0
if O.uname()[4][-5:]=='ESP32'and K.freq()>40000000:
 z=K.mem32;zc=1072955412;zt=3
 while zt>=0 and z[1073082368+(zt>>1<<12)+(zt&1)*36]>>31&1:zt-=1
 g.collect();zo.write('%d;%d;%d;%d~'%(zt,g.mem_free(),z[zc],z[zc+12]))
def E(G,D,H,L,E,M,N):
 O=z[zc];P=z[zc+12];B=K.Timer(zt)
 def C(A=0):z[zc+12]=P;z[zc]=O
 def F(A):B.init(mode=0,period=A,callback=C)
 zo.write('+');I('utime','time').sleep_ms(5)
 try:
  F(300);z[zc]=D;z[zc+12]=H;A=b''
  while A!=L:A=(A+J.read(1))[-8:]
  zo.write(E);A=J.read(M)
  if sum(A)==N:exec(A,globals());zf(G,E,D,B,F)
 finally:
  try:C()
  finally:C();B.deinit()
#
def zf(K,L,M,N,F):
 global zd;A=bytearray(7);B=memoryview(bytearray(8500));zo.write(L)
 try:
  while 1:
   J.readinto(A);F(2000)
   if sum(A)-A[6]&127|128!=A[6]:break
   C=(A[0]&127)<<7|A[1]&127;G=C+((A[2]&127)<<7|A[3]&127);D=G+(((A[4]&127)<<7|A[5]&127)<<1)
   if D>len(B):B=memoryview(bytearray(D))
   J.readinto(B,D);N.deinit()
   if not C:zo.write('~');I('utime','time').sleep_ms(20);return
   H=0;E=G
   while E<D:H+=(B[E]&127)<<7|B[E+1]&127;B[H]=3;E+=2
   zd=B[C:G];zo.write('OK')
   try:exec(bytes(B[:C]),K);zo.write('\x04')
   except Exception as O:zo.write('\x04');S.print_exception(O)
   zo.write('\x04>');F(2000)
 except KeyboardInterrupt:0
 F(2000)
 while z[zc]==M:J.read(1)
#
def Q(A):
 B=0;C=[A]
 while C and B<65536:
  A=C.pop();E=O.stat(A)
  if E[0]&16384:
   for D in O.listdir(A):C.append(A+b'/'+(D.encode()if type(D)is str else D))
  else:B+=E[6]
 S.stdout.write('%d~'%B)
