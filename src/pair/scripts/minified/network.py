def _pm(A):
 try:return __import__('u'+A)
 except ImportError:return __import__(A)
import gc
sys=_pm('sys')
time=_pm('time')
_ps=_pm('socket')
def _pc(C,A):
 B=getattr(_pm('binascii'),'crc32',0)
 if B and B(A)!=C:raise ValueError('crc')
 exec(A,globals())
def _pw(*A):sys.stdout.write('\x1e'+' '.join([str(A)for A in A])+'\n')
def _px(A):return''.join(['%02x'%A for A in A])
def _pl(A):return time.ticks_diff(time.ticks_ms(),A)
def _pn(B=0):import network as A;return A.WLAN(A.AP_IF if B else A.STA_IF)
def _pk():
 for A in list(globals().values()):
  try:
   if isinstance(A,_ps.socket):A.close()
  except Exception:0
 gc.collect()
def _pj(B,E,F):
 global _pa;A=_pn();_pa=A.active()
 if not _pa:A.active(True)
 if A.isconnected():
  try:
   if A.config('essid')==B:return _pw('joined',0)
   _pw('left',_px(A.config('essid').encode()))
  except Exception:0
  A.disconnect()
 C=0
 try:
  for D in A.scan():
   _pw('net',_px(D[0]),D[2],D[3])
   if D[0]==B.encode():C=1
 except OSError:C=2
 if not C:F=min(F,6000)
 if E:A.connect(B,E)
 else:A.connect(B)
 E=0;J=time.ticks_ms();H=0
 while not A.isconnected():
  time.sleep_ms(50);G=_pl(J);I=A.status()
  if I in(1000,1001,1010):H=G
  if G>F or G-H>2000:
   A.disconnect()
   if not _pa:A.active(False)
   return _pw('refused',I,C)
 _pw('joined',1)
def _pi():
 A=_pn()
 if not(A.active()and A.isconnected()):return _pw('offline')
 B=A.ifconfig();C='-'
 try:C=A.status('rssi')
 except Exception:0
 D=''
 try:D=A.config('essid')
 except Exception:0
 _pw('online',B[0],B[1],B[2],C,_px(D.encode()))
def _pp():
 A=_pn();B=C='-';D=b''
 try:B=A.status('rssi')
 except Exception:0
 try:C=A.config('channel')
 except Exception:0
 try:D=bytes(A.config('bssid'))
 except Exception:0
 _pw('signal',int(A.isconnected()),B,C,_px(D))
def _pu():
 A=_pn();A.disconnect()
 if not _pa:A.active(False)
def _pz(D,E):
 global _pv,_pq,_pd;B=_pn();_pq=B.active()and B.status()==1001
 if _pq:B.disconnect()
 A=_pn(1);_pv=A.active();A.active(True);_pd=A.config('essid')
 if not _pv:A.config(essid=D,password=E,authmode=3,channel=6)
 C=A.ifconfig();_pw('own',int(_pv),C[0],C[1],C[2],_px(A.config('essid').encode()))
def _py():
 if not _pv:
  A=_pn(1)
  for B in('0'*63,''):
   try:A.config(essid=_pd,password=B,authmode=0)
   except Exception:0
  A.active(False)
 if _pq:
  try:_pn().connect()
  except Exception:0
 _pw('ap','kept'if _pv else int(_pn(1).active()))
def _pf():
 try:B=open('main.py','rb');A=B.read(8192);B.close()
 except OSError:return
 if b'except'in A and(b'recvfrom'in A or b'sendto'in A):
  for C in range(0,len(A),256):_pw('main',_px(A[C:C+256]))
def _pb(B,C):
 A=_ps.socket(_ps.AF_INET,_ps.SOCK_DGRAM)
 try:A.setsockopt(_ps.SOL_SOCKET,_ps.SO_REUSEADDR,1);A.bind(_ps.getaddrinfo(B,C)[0][-1]);A.settimeout(.05)
 except OSError as D:A.close();_pw('busy',D.args[0]);return
 return A
def _pg(A,B):
 try:return A.recvfrom(B)
 except OSError as C:
  if C.args[0]in(11,110,116,'timed out'):return
  raise
def _ph(F,G,A,H,I,J):
 B=_pb(F,G)
 if B is None:return
 try:
  while 1:
   try:bytearray(A+A//2);break
   except MemoryError:A//=2
  _pw('ready',A);E=time.ticks_ms();D=1
  while 1:
   C=_pg(B,A)
   if C is None:
    if D:sys.stdout.write('\n')
    D=0
    if _pl(E)>I:break
    continue
   E=time.ticks_ms();D=1
   if C[0]==H or J(B,C[0],C[1]):break
 finally:B.close()
 _pw('end')
def _pr(C,A,B):_pw('in',B[0],len(A),_px(A[:8]),sum(A))
def _pe(A,B,C):
 try:A.sendto(B,C)
 except OSError as D:_pw('err',0,0,D.args[0])
def _pt(H,I,E,J,K,L):
 F=_ps.socket(_ps.AF_INET,_ps.SOCK_DGRAM)
 try:
  M=_ps.getaddrinfo(H,I)[0][-1];B=max(8,max(E))
  while 1:
   try:A=bytearray(B);break
   except MemoryError:B//=2
  for N in range(B):A[N]=117
  A[3:8]=L;O=memoryview(A);_pw('ready',B)
  for C in range(len(E)):
   G=E[C]
   for D in range(J):
    A[0]=D&255;A[1]=C;A[2]=D>>8
    if G>B:_pw('err',C,D,'memory')
    else:
     try:F.sendto(O[:G],M)
     except OSError as P:_pw('err',C,D,P.args[0])
    time.sleep_ms(K)
 finally:F.close()
 _pw('end')
def _po(E,F):
 import mpython as C;A=getattr(C,'oled',0)or getattr(C,'onboard_oled',0);B=15,31
 if not A:A=__import__('lv_oled').oled;B=32,64
 def D(*D):
  A.fill(0)
  if hasattr(A,'DispChar'):
   for(B,C)in D:A.DispChar(B,0,C)
  else:
   A.auto_show=False
   try:
    for(B,C)in D:A.shows(B,center=False,x=0,y=C,size=1)
   finally:A.auto_show=True
  A.show()
 D((E,0))
 def G(G,C,A):
  if C!=F:return
  try:E=C.decode()
  except UnicodeError:_pw('undecodable',A[0]);return 1
  D((E,B[0]),('from%s'%A[0],B[1]));_pw('shown',A[0]);return 1
 return G
