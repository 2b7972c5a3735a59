try:import usys as S
except ImportError:import sys as S
t=getattr(S.stdout,'buffer',S.stdout)
n=20000
m=15
def j(A,B):
 global n;n-=1
 if n<0 or B>m:return False
 if A is None or isinstance(A,(bool,int,str)):return True
 if isinstance(A,float):return A-A==0
 if isinstance(A,(list,tuple)):
  for D in A:
   if not j(D,B+1):return False
  return True
 if isinstance(A,dict):
  for C in A:
   if not isinstance(C,str)or not j(A[C],B+1):return False
  return True
 return False
def e(A):
 if A in'"\\':return'\\'+A
 if' '<=A!='\x7f'and not 55296<=ord(A)<=57343:return A
 return'\\u%04x'%ord(A)
def p(A,D,B):
 global n;n-=1;E=type(A)
 if not B and(n<0 or D>m):t.write('...')
 elif B and isinstance(A,str):
  t.write('"')
  for F in range(0,len(A),64):t.write(''.join(e(A)for A in A[F:F+64]))
  t.write('"')
 elif B and(A is None or isinstance(A,bool)):t.write('null'if A is None else'true'if A else'false')
 elif E is dict or B and isinstance(A,dict):
  C='{'
  for G in A:
   t.write(C);p(G,D+1,B);t.write(': ');p(A[G],D+1,B);C=', '
   if n<0 and not B:break
  t.write('}'if A else'{}')
 elif E in(list,tuple)or B and isinstance(A,(list,tuple)):
  H=E is tuple and not B;t.write('('if H else'[');C=''
  for I in A:
   t.write(C);p(I,D+1,B);C=', '
   if n<0 and not B:break
  t.write((',)'if len(A)==1 else')')if H else']')
 else:t.write(repr(A))
k=j(value,0)
n=20000 if k else 1000
p(value,0,k)
t.write('\n')
