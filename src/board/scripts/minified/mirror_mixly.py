def _u(a):
 def V(A,B=__import__):
  try:return B('u'+A)
  except ImportError:return B(A)
 try:from mpython import onboard_oled as K;F=K._buffer;g=V('binascii').crc32;h=V('time').time;1/(len(F)==1024)
 except Exception:return
 if hasattr(K,'_udp'):return K._udp(a)
 i=V('sys').stdout.write;J=bytearray(1024);H=bytearray(1270);b=memoryview(H);H[:3]=b'\x1b_U';C=[];L=[];N=P=W=E=Q=R=G=X=A=0;S=1;T={'shows':1,'frame':1,'scroll':1,'texts':2,'image':0};I='';M=0
 def B(B):nonlocal A;H[A]=B+32 if B<95 else B+65;A+=1
 def Y(A):
  A&=65535
  if A<160:return B(A)
  B(160+(A>>12));B(A>>6&63);B(A&63)
 def Z():
  nonlocal A,Q;C=A;A=3;B(Q);B(C-6>>6);B(C-6&63);A=C;D=g(b[3:A])
  for E in(0,6,12,18):B(D>>E&63)
  H[A]=27;H[A+1]=92;i(b[:A+2]);Q=(Q+1)%90;A=6
 def c():B(167);B(S);B(R>>4);B(R&15)
 def j():
  nonlocal A;B(168)
  for G in C:
   F=L and L.pop(0)
   if F==G:B(172);continue
   J,K,M,D=G;I=F and F[3]==D;B(173 if I else 171);Y(J);Y(K);B(M&7)
   if I:continue
   D=(b''+D)[:max(0,400-A//2)];Y(len(D))
   for E in D:
    if E<32 or E&127>126:H[A]=255;A+=1;E^=64
    H[A]=E;A+=1
 def d(D,E):
  nonlocal A;C=A
  while D<E:
   B=F[D];J[D]=B;D+=1
   if B>189:H[C]=255;C+=1;B-=190
   H[C]=B+32 if B<95 else B+65;C+=1
  A=C
 def k(A):
  G=A;K=A+128;B(159+(A>>7))
  while A<K:
   D=F[A]
   if D==J[A]:A+=1;continue
   while G<A:E=min(A-G,64);B(63+E);G+=E
   C=A+1;L=min(A+34,K)
   while C<L and F[C]==D:C+=1
   E=C-A
   if E>3:
    B(124+E);d(A,A+1)
    while A<C:J[A]=D;A+=1
   else:
    C=A;L=min(A+64,K);H=I=0;D=-1
    while C<L and H<3 and I<3:I=F[C]==D and I+1;D=F[C];H=D==J[C]and H+1;C+=1
    C-=4 if I>2 else H;B(C-A-1);d(A,C);A=C
   G=A
 def e():
  nonlocal A,G,E,X
  if G:G=2;return
  G=2
  try:
   while G>1:
    G=1;F=int(h())>>2;H=E or F!=X
    if not H and N==P and C==L:return
    E=1;A=6
    if H:
     X=F;B(169);c();L.clear()
     for D in range(1024):J[D]=0
    if C!=L:j();L[:]=C
    for D in range(len(N)):
     if N[D]!=P[D]:
      if A>999:Z()
      k(D*128)
    B(170);Z();E=0
  finally:G=0
 def U(E,A,B,D):
  C[:]=[C for C in C if C[:2]!=(A,B)][-23:]
  if D:C.append((A,B,D,E))
 def l(buffer,x=0,y=0,*D,**E):
  nonlocal M
  if I:
   A=I[M%len(I)]
   if M and C and C[-1][1]==y and C[-1][0]<x:B=C.pop();x=B[0];A=B[3]+A
   M+=1;U(A,x,y,1)
 def m(B,D,F,E,A):
  if E<8:return
  C[:]=[A for A in C if not(B<=A[0]<B+F and D<=A[1]+4<D+E)]
 def n(B,D):C[:]=[(A[0]+B,A[1]+D)+A[2:]for A in C]
 def O(D,F=0,C=-1):
  nonlocal A,S,R,G,E;S=S&~F|D
  if C>=0:R=C&255
  if G:G=2;E=1;return
  A=6;c();B(170);Z()
 def f(A=0):
  nonlocal E,W,N,P
  if A and A!=W:W=A;E=2;N,P=[[memoryview(B)[A:A+128]for A in range(0,A,128)]for B in(F,J)]
  O(0)
  if E<2:
   B=bytes(F)
   if not E:F[:]=J;E=1
   e();F[:]=B
 def D(A,E):
  D=getattr(K,A,0)
  def B(*B,**C):
   nonlocal I,M
   if A in T:
    I=M=0
    if T[A]:I=str(B[0]if B else C['data'])
    if T[A]>1:I=I.replace('\n','')
   F=D(*B,**C)
   if A in T:I=0
   try:E(*B,**C)
   except Exception:0
   return F
  if D:setattr(K,A,B)
 D('fill',lambda c:C.clear());D('fill_rect',m);D('bitmap',l);D('image',str);D('shows',str);D('texts',str);D('frame',str);D('scroll',n);D('DispChar',lambda s,x,y,mode=1,*A,**B:U(s,x,y,mode));D('DispChar_font',lambda font,s,x,y,invert=0:U(s,x,y,1+invert));D('text',lambda s,x,y,c=1:U(s,x,y,c and 5));D('show',e);D('poweroff',lambda:O(0,1));D('poweron',lambda:O(1));D('invert',lambda invert:O(invert%2*2,2));D('contrast',lambda contrast:O(4,0,contrast));K._udp=f;f(a)
