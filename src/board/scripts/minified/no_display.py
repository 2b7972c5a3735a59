def _u(L):
 def F(A):
  try:return __import__('u'+A)
  except ImportError:return __import__(A)
 G=F('sys');C=F('os');D=G.stdout.write
 try:import mpython as M;D('\nhas %s\n'%('onboard_oled'if hasattr(M,'onboard_oled')else'-'))
 except Exception as H:D('\nraised %s: %s\n'%(type(H).__name__,H))
 try:A=int(C.uname()[2].split('.')[1])<21
 except Exception:A=0
 A=A and'machine network esp math framebuf micropython'.split()
 for B in G.path:
  if B=='.frozen':continue
  try:
   I=B or C.getcwd()
   for E in C.ilistdir(b'//'if I=='/'else I.encode()):
    try:
     J=E[0]if type(E[0])is str else E[0].decode();K=J.split('.')[0]
     if K in L and not(A and K in A):D('\nfile %s%s\n'%(B and B+'/',J))
    except UnicodeError:0
  except OSError:0
