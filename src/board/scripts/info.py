g=I('gc')
r=[]
def X(k,f):
 try:
  v=f()
  if v is not None:r.append('%s\t%s\0'%(k,v))
 except Exception:pass
def h(v):return b.hexlify(v).decode()
def U(n):return O.uname()[n]
def F():
 p=O.getcwd()
 n=O.statvfs(p)
 if not n[2]:
  p='/'+next(O.ilistdir('/'))[0]
  n=O.statvfs(p)
 X('files_at',lambda:p)
 X('files_free',lambda:n[1]*n[3])
 X('files_total',lambda:n[1]*n[2])
def N():
 n=I('network')
 w=n.WLAN(n.STA_IF)
 X('mac',lambda:h(w.config('mac')))
 if w.active():
  X('wifi_connected',w.isconnected)
  if w.isconnected():
   X('ssid',lambda:w.config('essid'))
   X('address',lambda:w.ifconfig()[0])
   X('netmask',lambda:w.ifconfig()[1])
   X('gateway',lambda:w.ifconfig()[2])
   X('rssi',lambda:w.status('rssi'))
#
def Y():
 if'mpython'in U(4).lower()and U(2)[:4]!='1.0.'or I('mpython'):return 1
 for p in S.path:
  for n in('mpython','mpython.py','mpython.mpy'):
   try:
    O.stat((p+'/'if p else'')+n)
    return
   except OSError:pass
 __import__('mpython')
 return 1
#
def M():return I('umachine','machine')
g.collect()
def i():
 r[:]=[]
 X('memory',g.mem_free)
 X('memory_total',lambda:g.mem_free()+g.mem_alloc())
 X('implementation',lambda:S.implementation[0])
 X('version',lambda:'.'.join(str(n)for n in S.implementation[1][:3]))
 X('release',lambda:U(2))
 X('build',lambda:U(3))
 X('machine',lambda:U(4))
 X('platform',lambda:S.platform)
 X('frequency',lambda:M().freq())
 X('unique_id',lambda:h(M().unique_id()))
 X('files',F)
 X('flash',lambda:I('esp').flash_size())
 X('wifi',N)
 X('mpython',Y)
 w(''.join(r))
