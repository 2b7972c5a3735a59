def _u(C):
 try:from uzlib import DecompIO as D;from uio import BytesIO;B=lambda stream:D(stream,-10)
 except ImportError:
  try:import udeflate as A;from uio import BytesIO
  except ImportError:import deflate as A;from io import BytesIO
  B=lambda stream:A.DeflateIO(stream,A.RAW,10)
 exec(B(BytesIO(C)).read())
