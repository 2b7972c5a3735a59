def _udpcli():
 try:import uos as o
 except ImportError:import os as o
 try:
  if int(o.uname()[2].split('.')[1])<13:raise ValueError
  import usys as s
 except(ImportError,ValueError,IndexError,AttributeError):import sys as s
 import gc
 g=globals()
 m=list(s.modules.values())
 u='mpython'in s.modules
 n=b=0
 for a in g:
  v=g[a]
  if a[:2]=='__'or a in('_','_udpcli')or type(v)is type(s)or hasattr(v,'statvfs'):continue
  if(type(v)is type or hasattr(v,'readblocks'))and[i for i in m if getattr(i,a,0)is v]:continue
  if type(v)is str and v[:6]=='$#mac:':b=1
  elif type(v)is int:n+=1
  else:u=1
 if o.getcwd()not in('/','/flash'):u=1
 for i in m:
  try:
   o.stat(i.__file__)
   u=1
  except(AttributeError,OSError):pass
 for d in'','/','/flash/':
  try:o.remove(d+FILE)
  except OSError:pass
 gc.collect()
 s.stdout.write('~%d %d~'%(u or n>b,gc.mem_free()))
_udpcli()
del _udpcli
