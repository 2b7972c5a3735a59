import sys,gc
try:
 import os as _uo,binascii as _ub
except ImportError:
 import uos as _uo,ubinascii as _ub
def _ux(k,f):
 try:
  v=f()
  if v is not None:sys.stdout.write('%s\t%s\n'%(k,v))
 except Exception:pass
def _uh(b):return _ub.hexlify(b).decode()
def _ui(n):return __import__(n)
gc.collect()
_ux('memory',gc.mem_free)
_ux('memory_total',lambda:gc.mem_free()+gc.mem_alloc())
_ux('implementation',lambda:sys.implementation[0])
_ux('version',lambda:'.'.join(str(n)for n in sys.implementation[1][:3]))
_ux('release',lambda:_uo.uname()[2])
_ux('build',lambda:_uo.uname()[3])
_ux('machine',lambda:_uo.uname()[4])
_ux('platform',lambda:sys.platform)
_ux('frequency',lambda:_ui('machine').freq())
_ux('unique_id',lambda:_uh(_ui('machine').unique_id()))
_ux('files_free',lambda:_uo.statvfs('/')[0]*_uo.statvfs('/')[3])
_ux('files_total',lambda:_uo.statvfs('/')[0]*_uo.statvfs('/')[2])
_ux('flash',lambda:_ui('esp').flash_size())
def _uw():
 n=_ui('network')
 w=n.WLAN(n.STA_IF)
 _ux('mac',lambda:_uh(w.config('mac')))
 if w.active():
  _ux('wifi_connected',w.isconnected)
  if w.isconnected():
   _ux('ssid',lambda:w.config('essid'))
   _ux('address',lambda:w.ifconfig()[0])
   _ux('netmask',lambda:w.ifconfig()[1])
   _ux('gateway',lambda:w.ifconfig()[2])
   _ux('rssi',lambda:w.status('rssi'))
_ux('wifi',_uw)
def _um():
 try:
  open('mpython.py').close()
  return 1
 except OSError:pass
 import mpython
 return 1
_ux('mpython',_um)
