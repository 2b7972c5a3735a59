def _u(A,I):
 try:import usys as sys
 except ImportError:import sys
 B='';C=[]
 while A and len(C)<40:
  D=A.pop()
  if D in C:continue
  C.append(D)
  for J in('','/lib/'):
   for K in('.py','.mpy','/__init__.py'):
    try:G=open(J+D.replace('.','/')+K,'rb')
    except OSError:continue
    for E in G:
     for F in I:
      if F.encode()in E and F not in B.split():B+=' '+F
     if E.split()[:1]in([b'import'],[b'from']):
      for H in E.split(b'#')[0].replace(b',',b' ').split()[1:]:
       try:
        if H not in(b'import',b'as',b'*'):A.append(H.decode())
       except UnicodeError:0
    G.close()
 sys.stdout.write('~%s~'%B)
