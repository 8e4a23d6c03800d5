"""Loading on a GPU, measured by one command: ``python -m benchmarks.gpu PHOTOS [--dry]``."""
