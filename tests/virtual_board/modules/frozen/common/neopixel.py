class NeoPixel:
    def __init__(self, pin, n, bpp=3, timing=1, brightness=1.0):
        self.pin, self.n, self.bpp = pin, n, bpp
        self.pixels = [(0, 0, 0)] * n

    def __setitem__(self, index, colour):
        self.pixels[index] = tuple(colour)

    def __getitem__(self, index):
        return self.pixels[index]

    def fill(self, colour):
        self.pixels = [tuple(colour)] * self.n

    def write(self):
        pass
