"""Images made on a GPU: the host copies packed blocks or pixels, kernels do all that follows.

Of an average crop of an ImageNet photo (a third of 500 x 375 pixels) the packed blocks are some 100
kilobytes, by the size of `.dct` records (212 to 237 KB a photo); the crop's pixels are 190. The
weights of its resize to 224 x 224 add some 10, the tables of the kernels 1. So a bus that moves 25
GB/s would carry the blocks of some 200,000 images a second. That is arithmetic: what a GPU does
with them is not measured yet, see ``benchmarks/gpu``.
"""
