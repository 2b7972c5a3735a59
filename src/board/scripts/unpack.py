# Inflates a script and runs it, because the line is slow. It raises an ImportError on firmware that cannot inflate.
# The window has 10 bits on both sides: src/board/mirror/agent.rs.
def run_packed(packed):  # on the line: _u
    try:
        from uzlib import DecompIO
        from uio import BytesIO
        inflate = lambda stream: DecompIO(stream, -10)
    except ImportError:
        try:
            import udeflate as deflate
            from uio import BytesIO
        except ImportError:
            import deflate
            from io import BytesIO
        inflate = lambda stream: deflate.DeflateIO(stream, deflate.RAW, 10)
    exec(inflate(BytesIO(packed)).read())
