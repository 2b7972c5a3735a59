def _pm(n):
 try:return __import__('u'+n)
 except ImportError:return __import__(n)
import gc
sys=_pm('sys')
time=_pm('time')
_ps=_pm('socket')
def _pc(c,s):
 k=getattr(_pm('binascii'),'crc32',0)
 if k and k(s)!=c:raise ValueError('crc')
 exec(s,globals())
def _pw(*a):sys.stdout.write('\x1e'+' '.join([str(i)for i in a])+'\n')
def _px(b):return ''.join(['%02x'%i for i in b])
def _pl(t):return time.ticks_diff(time.ticks_ms(),t)
def _pn(ap=0):
 import network as n
 return n.WLAN(n.AP_IF if ap else n.STA_IF)
def _pk():
 for v in list(globals().values()):
  try:
   if isinstance(v,_ps.socket):v.close()
  except Exception:pass
 gc.collect()
def _pj(n,p,ms):
 global _pa
 w=_pn()
 _pa=w.active()
 if not _pa:w.active(True)
 if w.isconnected():
  try:
   if w.config('essid')==n:return _pw('joined',0)
   _pw('left',_px(w.config('essid').encode()))
  except Exception:pass
  w.disconnect()
 seen=0
 try:
  for f in w.scan():
   _pw('net',_px(f[0]),f[2],f[3])
   if f[0]==n.encode():seen=1
 except OSError:seen=2
 if not seen:ms=min(ms,6000)
 if p:w.connect(n,p)
 else:w.connect(n)
 p=0
 t=time.ticks_ms()
 good=0
 while not w.isconnected():
  time.sleep_ms(50)
  d=_pl(t)
  s=w.status()
  if s in(1000,1001,1010):good=d
  if d>ms or d-good>2000:
   w.disconnect()
   if not _pa:w.active(False)
   return _pw('refused',s,seen)
 _pw('joined',1)
def _pi():
 w=_pn()
 if not(w.active()and w.isconnected()):return _pw('offline')
 c=w.ifconfig()
 r='-'
 try:r=w.status('rssi')
 except Exception:pass
 n=''
 try:n=w.config('essid')
 except Exception:pass
 _pw('online',c[0],c[1],c[2],r,_px(n.encode()))
def _pu():
 w=_pn()
 w.disconnect()
 if not _pa:w.active(False)
def _pz(n,p):
 global _pv,_pq,_pd
 w=_pn()
 _pq=w.active()and w.status()==1001
 if _pq:w.disconnect()
 a=_pn(1)
 _pv=a.active()
 a.active(True)
 _pd=a.config('essid')
 if not _pv:a.config(essid=n,password=p,authmode=3,channel=6)
 c=a.ifconfig()
 _pw('own',int(_pv),c[0],c[1],c[2],_px(a.config('essid').encode()))
def _py():
 if not _pv:
  a=_pn(1)
  for p in'0'*63,'':
   try:a.config(essid=_pd,password=p,authmode=0)
   except Exception:pass
  a.active(False)
 if _pq:
  try:_pn().connect()
  except Exception:pass
 _pw('ap','kept' if _pv else int(_pn(1).active()))
def _pf():
 try:
  f=open('main.py','rb')
  s=f.read(8192)
  f.close()
 except OSError:return
 if b'except'in s and(b'recvfrom'in s or b'sendto'in s):
  for i in range(0,len(s),256):_pw('main',_px(s[i:i+256]))
def _pb(ip,port):
 s=_ps.socket(_ps.AF_INET,_ps.SOCK_DGRAM)
 try:
  s.setsockopt(_ps.SOL_SOCKET,_ps.SO_REUSEADDR,1)
  s.bind(_ps.getaddrinfo(ip,port)[0][-1])
  s.settimeout(0.05)
 except OSError as e:
  s.close()
  _pw('busy',e.args[0])
  return None
 return s
def _pg(s,size):
 try:return s.recvfrom(size)
 except OSError as e:
  if e.args[0]in(11,110,116,'timed out'):return None
  raise
def _ph(ip,port,size,bye,idle,f):
 s=_pb(ip,port)
 if s is None:return
 try:
  while 1:
   try:
    bytearray(size+size//2)
    break
   except MemoryError:size//=2
  _pw('ready',size)
  t=time.ticks_ms()
  while 1:
   r=_pg(s,size)
   if r is None:
    if _pl(t)>idle:break
    continue
   t=time.ticks_ms()
   if r[0]==bye or f(s,r[0],r[1]):break
 finally:s.close()
 _pw('end')
def _pr(s,d,a):_pw('in',a[0],len(d),_px(d[:8]),sum(d))
def _pe(s,d,a):
 try:s.sendto(d,a)
 except OSError as e:_pw('err',0,0,e.args[0])
def _pt(ip,port,sizes,n,gap,h):
 s=_ps.socket(_ps.AF_INET,_ps.SOCK_DGRAM)
 try:
  p=_ps.getaddrinfo(ip,port)[0][-1]
  m=max(8,max(sizes))
  while 1:
   try:
    b=bytearray(m)
    break
   except MemoryError:m//=2
  for i in range(m):b[i]=117
  b[3:8]=h
  v=memoryview(b)
  _pw('ready',m)
  for j in range(len(sizes)):
   z=sizes[j]
   for i in range(n):
    b[0]=i&255
    b[1]=j
    b[2]=i>>8
    if z>m:_pw('err',j,i,'memory')
    else:
     try:s.sendto(v[:z],p)
     except OSError as e:_pw('err',j,i,e.args[0])
    time.sleep_ms(gap)
 finally:s.close()
 _pw('end')
def _po(here,want):
 import mpython as m
 o=getattr(m,'oled',0)or m.onboard_oled
 def show(*t):
  o.fill(0)
  if hasattr(o,'DispChar'):
   for s,y in t:o.DispChar(s,0,y)
  else:
   o.auto_show=False
   try:
    for s,y in t:o.shows(s,center=False,x=0,y=y,size=1)
   finally:o.auto_show=True
  o.show()
 show((here,0))
 def f(s,d,a):
  if d!=want:return
  try:x=d.decode()
  except UnicodeError:
   _pw('undecodable',a[0])
   return 1
  show((x,15),('from%s'%a[0],31))
  _pw('shown',a[0])
  return 1
 return f
