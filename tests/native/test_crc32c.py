"""CRC-32C against the RFC's vectors and a plain table."""

from __future__ import annotations

import numpy as np
import pytest

from fastload.native.library import crc32c


def make_table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


TABLE = make_table()


def plain_crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


ISCSI_READ = bytes.fromhex(
    "01c00000 00000000 00000000 00000000 14000000 00000400"
    "00000014 00000018 28000000 00000000 02000000 00000000"
)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (ISCSI_READ, 0xD9963A56),
        (b"", 0),
    ],
)
def test_vectors_of_rfc_3720(data: bytes, expected: int) -> None:
    assert crc32c(data) == expected


def test_any_length_and_any_kind_of_buffer() -> None:
    data = np.random.default_rng(0).integers(0, 256, 30_000, np.uint8)
    for length in [*range(70), 767, 768, 769, 12_287, 12_288, 30_000]:
        expected = plain_crc32c(data[:length].tobytes())
        assert crc32c(data[:length]) == expected
        assert crc32c(bytearray(data[:length])) == expected
        assert crc32c(memoryview(data[:length])) == expected


def test_one_changed_bit_is_seen() -> None:
    data = bytearray(np.random.default_rng(1).bytes(200))
    sums = {crc32c(data)}
    for bit in range(8 * len(data)):
        data[bit // 8] ^= 1 << bit % 8
        sums.add(crc32c(data))
        data[bit // 8] ^= 1 << bit % 8
    assert len(sums) == 8 * len(data) + 1
