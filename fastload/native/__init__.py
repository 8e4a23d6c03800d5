"""The native library and its Python door, :mod:`fastload.native.library`."""
