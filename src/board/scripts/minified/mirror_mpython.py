def _u(X):
 def R(A,B=__import__):
  try:return B('u'+A)
  except ImportError:return B(A)
 try:from mpython import oled as J;F=J.buffer;d=R('binascii').crc32;e=R('time').time;1/(len(F)==1024)
 except Exception:return
 if hasattr(J,'_udp'):return J._udp(X)
 f=R('sys').stdout.write;I=bytearray(1024);H=bytearray(1270);Y=memoryview(H);H[:3]=b'\x1b_U';C=[];K=[];L=N=S=D=O=P=G=T=A=0;Q=1
 def B(B):nonlocal A;H[A]=B+32 if B<95 else B+65;A+=1
 def U(A):
  A&=65535
  if A<160:return B(A)
  B(160+(A>>12));B(A>>6&63);B(A&63)
 def V():
  nonlocal A,O;C=A;A=3;B(O);B(C-6>>6);B(C-6&63);A=C;D=d(Y[3:A])
  for E in(0,6,12,18):B(D>>E&63)
  H[A]=27;H[A+1]=92;f(Y[:A+2]);O=(O+1)%90;A=6
 def Z():B(167);B(Q);B(P>>4);B(P&15)
 def g():
  nonlocal A;B(168)
  for G in C:
   F=K and K.pop(0)
   if F==G:B(172);continue
   J,L,M,D=G;I=F and F[3]==D;B(173 if I else 171);U(J);U(L);B(M&7)
   if I:continue
   D=(b''+D)[:max(0,400-A//2)];U(len(D))
   for E in D:
    if E<32 or E&127>126:H[A]=255;A+=1;E^=64
    H[A]=E;A+=1
 def a(D,E):
  nonlocal A;C=A
  while D<E:
   B=F[D];I[D]=B;D+=1
   if B>189:H[C]=255;C+=1;B-=190
   H[C]=B+32 if B<95 else B+65;C+=1
  A=C
 def h(A):
  G=A;K=A+128;B(159+(A>>7))
  while A<K:
   D=F[A]
   if D==I[A]:A+=1;continue
   while G<A:E=min(A-G,64);B(63+E);G+=E
   C=A+1;L=min(A+34,K)
   while C<L and F[C]==D:C+=1
   E=C-A
   if E>3:
    B(124+E);a(A,A+1)
    while A<C:I[A]=D;A+=1
   else:
    C=A;L=min(A+64,K);H=J=0;D=-1
    while C<L and H<3 and J<3:J=F[C]==D and J+1;D=F[C];H=D==I[C]and H+1;C+=1
    C-=4 if J>2 else H;B(C-A-1);a(A,C);A=C
   G=A
 def b():
  nonlocal A,G,D,T
  if G:G=2;return
  G=2
  try:
   while G>1:
    G=1;F=int(e())>>2;H=D or F!=T
    if not H and L==N and C==K:return
    D=1;A=6
    if H:
     T=F;B(169);Z();K.clear()
     for E in range(1024):I[E]=0
    if C!=K:g();K[:]=C
    for E in range(len(L)):
     if L[E]!=N[E]:
      if A>999:V()
      h(E*128)
    B(170);V();D=0
  finally:G=0
 def W(E,A,B,D):
  C[:]=[C for C in C if C[:2]!=(A,B)][-23:]
  if D:C.append((A,B,D,E))
 def i(B,D,E,F,A):C[:]=[A for A in C if not(B<=A[0]<B+E and D<=A[1]+4<D+F)]
 def j(B,D):C[:]=[(A[0]+B,A[1]+D)+A[2:]for A in C]
 def M(E,F=0,C=-1):
  nonlocal A,Q,P,G,D;Q=Q&~F|E
  if C>=0:P=C&255
  if G:G=2;D=1;return
  A=6;Z();B(170);V()
 def c(A=0):
  nonlocal D,S,L,N
  if A and A!=S:S=A;D=2;L,N=[[memoryview(B)[A:A+128]for A in range(0,A,128)]for B in(F,I)]
  M(0)
  if D<2:
   B=bytes(F)
   if not D:F[:]=I;D=1
   b();F[:]=B
 def E(A,D):
  B=getattr(J,A,0)
  def C(*A,**C):
   E=B(*A,**C)
   try:D(*A,**C)
   except Exception:0
   return E
  if B:setattr(J,A,C)
 E('fill',lambda c:C.clear());E('fill_rect',i);E('scroll',j);E('DispChar',lambda s,x,y,mode=1,*A,**B:W(s,x,y,mode));E('DispChar_font',lambda font,s,x,y,invert=0:W(s,x,y,1+invert));E('text',lambda s,x,y,c=1:W(s,x,y,c and 5));E('show',b);E('poweroff',lambda:M(0,1));E('poweron',lambda:M(1));E('invert',lambda invert:M(invert%2*2,2));E('contrast',lambda contrast:M(4,0,contrast));J._udp=c;c(X)
