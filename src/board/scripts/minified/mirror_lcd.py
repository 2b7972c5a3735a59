def _u(L):
 def G(A,B=__import__):
  try:return B('u'+A)
  except ImportError:return B(A)
 try:A=__import__('lv_oled').OLED;M=G('binascii').crc32
 except Exception:return
 if hasattr(A,'_udp'):return A._udp()
 N=G('sys').stdout.write;B=[];C=[];D=0
 def E(A):
  A&=65535
  if A<160:return[A]
  return[160+(A>>12),A>>6&63,A&63]
 def H(G):
  nonlocal D
  def A(A):return bytes([A+32 if A<95 else A+65 for A in A])
  B=b''
  for C in G:B+=C if type(C)is bytes else A(C)
  E=len(B);F=A([D,E>>6,E&63])+B;H=M(F);N(b'\x1b_U'+F+A([H>>A&63 for A in(0,6,12,18)])+b'\x1b\\');D=(D+1)%90
 I=[167,9,0,0]
 def J():
  A=[[169],I,[168]];G=1000
  for(J,K,L,B)in C:
   B=B[:max(0,G//2)];F=b''
   for D in B:F+=bytes([255,D^64])if D<32 or D&127>126 else bytes([D])
   G-=len(F)+12;A.append([171]+E(J)+E(K)+[L]+E(len(B)));A.append(F)
  A.append([170]);H(A)
 def O(text,x=10,y=10,type=1,wrap=0):B[:]=[A for A in B if A[:2]!=(x,y)][-19:];B.append((x,y,2 if type==2 else 1,str(text).encode()))
 def P():C[:]=B;J()
 def K(A=0):
  if A or not C:H([I,[170]])
  if C:J()
 def F(B,C):
  D=getattr(A,B)
  def E(E,*A,**B):
   F=D(E,*A,**B)
   try:C(*A,**B)
   except Exception:0
   return F
  setattr(A,B,E)
 F('fill',lambda type=0:B.clear());F('DispChar',O);F('show',P);A._udp=K;K(L)
