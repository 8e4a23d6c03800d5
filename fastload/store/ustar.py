"""POSIX.1-1988 ustar headers, written the one way a shard knows."""

from __future__ import annotations

__all__ = ["BLOCK", "END_OF_ARCHIVE", "MEMBER_LIMIT", "header", "padding"]

BLOCK = 512
END_OF_ARCHIVE = bytes(2 * BLOCK)
# eleven octal digits
MEMBER_LIMIT = 8**11 - 1

_NAME_FIELD = 100
# mode 0644, uid 0, gid 0
_OWNER = b"0000644\x000000000\x000000000\x00"
_MTIME = b"00000000000\x00"
# typeflag "0", linkname, magic and version, uname, gname, devmajor, devminor, prefix, padding
_TAIL = (
    b"0"
    + bytes(100)
    + b"ustar\x0000"
    + bytes(32)
    + bytes(32)
    + b"0000000\x00" * 2
    + bytes(155 + 12)
)
# The checksum counts its own eight bytes as spaces.
_SUM_OF_CONSTANTS = sum(_OWNER) + sum(_MTIME) + sum(_TAIL) + 8 * ord(" ")


def header(name: bytes, size: int) -> bytes:
    r"""The 512-byte header of a regular file.

    Args:
        name: at most 100 bytes of ASCII.
        size: bytes of the member.

    Raises:
        ValueError: the name or the size does not fit its field.

    >>> block = header(b"000000042.jpg", 1000)
    >>> len(block), block[:13], block[124:136], block[148:156]
    (512, b'000000042.jpg', b'00000001750\x00', b'010657\x00 ')
    """
    if len(name) > _NAME_FIELD or not 0 <= size <= MEMBER_LIMIT:
        raise ValueError(f"no ustar header for a member of {size} bytes named {name!r}")
    digits = b"%011o\x00" % size
    checksum = b"%06o\x00 " % (sum(name) + sum(digits) + _SUM_OF_CONSTANTS)
    return name.ljust(_NAME_FIELD, b"\x00") + _OWNER + digits + _MTIME + checksum + _TAIL


def padding(size: int) -> bytes:
    """The zero bytes that fill a member of ``size`` bytes up to whole blocks.

    >>> len(padding(1)), len(padding(1024))
    (511, 0)
    """
    return bytes(-size % BLOCK)
