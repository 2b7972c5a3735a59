g=I('gc')
r=[]
def X(B,C):
 try:
  A=C()
  if A is not None:r.append('%s\t%s\0'%(B,A))
 except Exception:0
def h(A):return b.hexlify(A).decode()
def U(A):return O.uname()[A]
def F():
 B=O.getcwd();A=O.statvfs(B)
 if not A[2]:B='/'+next(O.ilistdir('/'))[0];A=O.statvfs(B)
 X('files_at',lambda:B);X('files_free',lambda:A[1]*A[3]);X('files_total',lambda:A[1]*A[2])
def N():
 B=I('network');A=B.WLAN(B.STA_IF);X('mac',lambda:h(A.config('mac')))
 if A.active():
  X('wifi_connected',A.isconnected)
  if A.isconnected():X('ssid',lambda:A.config('essid'));X('address',lambda:A.ifconfig()[0]);X('netmask',lambda:A.ifconfig()[1]);X('gateway',lambda:A.ifconfig()[2]);X('rssi',lambda:A.status('rssi'))
#
def Y():
 if'mpython'in U(4).lower()and U(2)[:4]!='1.0.'or I('mpython'):return 1
 for A in S.path:
  for B in('mpython','mpython.py','mpython.mpy'):
   try:O.stat((A+'/'if A else'')+B);return
   except OSError:0
 __import__('mpython');return 1
#
def M():return I('umachine','machine')
g.collect()
def D():w(h(M().unique_id()))
def i():r[:]=[];X('memory',g.mem_free);X('memory_total',lambda:g.mem_free()+g.mem_alloc());X('implementation',lambda:S.implementation[0]);X('version',lambda:'.'.join(str(A)for A in S.implementation[1][:3]));X('release',lambda:U(2));X('build',lambda:U(3));X('machine',lambda:U(4));X('platform',lambda:S.platform);X('frequency',lambda:M().freq());X('unique_id',lambda:h(M().unique_id()));X('files',F);X('flash',lambda:I('esp').flash_size());X('wifi',N);X('mpython',Y);w(''.join(r))
