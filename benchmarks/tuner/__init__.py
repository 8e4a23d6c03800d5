"""The tuner's choice against the best of the whole grid, for ImageFolder and for a pack.

``python -m benchmarks.tuner PHOTOS`` measures both on this machine and prints what came out.
"""
