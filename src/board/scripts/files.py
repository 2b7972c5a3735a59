import sys,gc
try:
 import os as _uo,binascii as _ub,hashlib as _uh,io as _ui
except ImportError:
 import uos as _uo,ubinascii as _ub,uhashlib as _uh,uio as _ui
_uz=0
try:
 from uzlib import DecompIO as _un
 _uz=1
except ImportError:
 try:
  import deflate as _un
  _uz=2
 except ImportError:
  pass
_ut=bytearray(1024)
_um=memoryview(_ut)
_uw=sys.stdout.write
def _us(p):
 h=_uh.sha256()
 f=open(p,'rb')
 while 1:
  n=f.readinto(_ut)
  if not n:break
  h.update(_um[:n])
 f.close()
 return h.digest()
def _ul(*a):
 for p in a:
  try:s=_uo.stat(p)
  except OSError:
   _uw('-\n')
   continue
  if s[0]&0x4000:_uw('D\n')
  else:_uw('F %d %s'%(s[6],_ub.b2a_base64(_us(p)).decode()))
def _uv(p):
 try:s=_uo.statvfs(p)
 except:s=(0,)*10
 gc.collect()
 _uw('%d %d %d %d'%(s[1]*s[3],s[1]*s[2],gc.mem_free(),_uz))
def _ud(p,d=0):
 for e in _uo.ilistdir(p):
  n=p+('' if p[-1]=='/' else '/')+e[0]
  k=e[1]&0x4000
  _uw('%s %d %s\0'%('D' if k else 'F',0 if k else _uo.stat(n)[6],n))
  if d and k:_ud(n,d)
def _uk(p):
 try:_uo.mkdir(p)
 except OSError:
  if not _uo.stat(p)[0]&0x4000:raise
def _ur(p,d):
 if _uo.stat(p)[0]&0x4000:
  if d:
   for e in list(_uo.ilistdir(p)):_ur(p+'/'+e[0],d)
  _uo.rmdir(p)
 else:_uo.remove(p)
def _uq(p):
 try:_uo.remove(p)
 except OSError:pass
def _up(p):
 global _uf
 _uf=open(p,'wb')
def _ua(c,z,b):
 if hasattr(_ub,'crc32') and _ub.crc32(b)!=c:
  _uw('!')
  return
 if z:
  b=_ui.BytesIO(b)
  b=_un(b,-z) if _uz==1 else _un.DeflateIO(b,_un.RAW,z)
  while 1:
   n=b.readinto(_ut)
   if not n:break
   _uf.write(_um[:n])
 else:_uf.write(b)
 _uw('.')
def _uc(t,p,h):
 _uf.close()
 if _us(t)!=h:
  _uo.remove(t)
  _uw('!')
  return
 try:_uo.rename(t,p)
 except OSError:
  o=t+'~'
  _uq(o)
  _uo.rename(p,o)
  try:_uo.rename(t,p)
  except OSError as e:
   _uo.rename(o,p)
   raise e
  _uo.remove(o)
 _uw('.')
def _ug(p):
 f=open(p,'rb')
 while 1:
  n=f.readinto(_ut)
  if not n:break
  sys.stdout.buffer.write(_um[:n])
 f.close()
