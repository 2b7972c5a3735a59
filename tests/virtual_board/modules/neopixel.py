class NeoPixel:
    def __init__(self, pin, n, *rest):
        self.pixels = [(0, 0, 0)] * n

    def __setitem__(self, index, colour):
        self.pixels[index] = tuple(colour)

    def __getitem__(self, index):
        return self.pixels[index]

    def fill(self, colour):
        self.pixels = [tuple(colour)] * len(self.pixels)

    def write(self):
        pass
