def _udpcli(C,A,E,D=0,B=[]):
 del B[C:];B.append(A)
 if D:del globals()['_udpcli'];A=A[:0].join(B);del B[:]
 print('~%d'%C);return A
