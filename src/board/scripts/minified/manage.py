def C(B,C):
 with open(B,'rb')as D:
  with open(C,'wb')as E:
   while 1:
    A=D.readinto(W)
    if not A:break
    E.write(W[:A])
def m(C,A,B):
 try:O.stat(C)
 except OSError:O.stat(A);return
 try:O.rename(C,A);return
 except OSError:
  if not B:raise
 q(B);O.rename(A,B)
 try:O.rename(C,A)
 except OSError:O.rename(B,A);raise
 O.remove(B)
def n(*A):
 B=I('utime','time')
 for C in A:
  try:w('%d-%02d-%02dT%02d:%02d:%02d\0'%tuple(B.localtime(O.stat(C)[8])[:6]))
  except Exception:w('-\0')
