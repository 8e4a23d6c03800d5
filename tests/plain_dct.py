"""Reads a .dct record, from docs/format.md alone, and writes its coefficients as a JPEG file.

The JPEG has the plainest code there is, eight bits for every symbol, so that nothing of it is
worth sharing with the library.
"""

import struct
from math import ceil

# T.81 figure 5: natural order of the coefficients in zigzag order.
ZIGZAG = sorted(
    range(64),
    key=lambda at: (at // 8 + at % 8, at % 8 if (at // 8 + at % 8) % 2 == 0 else at // 8),
)
# The Huffman code of a symbol is its place in these, in eight bits.
DC_SYMBOLS = list(range(12))
AC_SYMBOLS = [run << 4 | size for run in range(16) for size in range(11)]


class Component:
    def __init__(self, factors, table):
        self.h, self.v = factors >> 4, factors & 15
        self.table = table
        self.blocks = {}  # (block row, block column): 64 coefficients in natural order


def read_block(dc, ac):
    block = [0] * 64
    if ac:
        rows = [row for row in range(8) if ac[0] >> row & 1]
        masks, rest = ac[1 : 1 + len(rows)], ac[1 + len(rows) :]
        places = [
            8 * row + column
            for row, mask in zip(rows, masks, strict=True)
            for column in range(8)
            if mask >> column & 1
        ]
        assert 0 not in places
        nibbles, rest = rest[: ceil(len(places) / 2)], rest[ceil(len(places) / 2) :]
        wide, high = rest[: ceil(len(places) / 8)], list(rest[ceil(len(places) / 8) :])
        for i, place in enumerate(places):
            nibble = nibbles[i // 2] >> 4 * (i % 2) & 15
            block[place] = nibble - 16 * (nibble > 7)
            if wide[i // 8] >> i % 8 & 1:
                sixteenths = high.pop(0)
                block[place] += 16 * (sixteenths - 256 * (sixteenths > 127))
        assert not high
    block[0] = dc
    return block


def read_group(group, count):
    dcs = struct.unpack_from(f"<{count}h", group)
    lengths = group[2 * count : 3 * count]
    at = 3 * count
    for dc, length in zip(dcs, lengths, strict=True):
        yield read_block(dc, group[at : at + length])
        at += length
    assert at == len(group)


def read(record):
    """Colours, width, height and the components with all their blocks."""
    magic, version, count, colours, width, height = struct.unpack_from("<4s3BxHH", record)
    assert (magic, version) == (b"FDCT", 1)
    assert count == (1 if colours == 0 else 3)
    components = [
        Component(record[12 + i], struct.unpack_from("<64H", record, 16 + 128 * i))
        for i in range(count)
    ]
    most_h = max(component.h for component in components)
    most_v = max(component.v for component in components)
    columns, at_a_time = ceil(width / (8 * most_h)), 16 // most_h
    groups = []
    for mcu_row in range(ceil(height / (8 * most_v))):
        for first in range(0, columns, at_a_time):
            last = min(first + at_a_time, columns)
            for component in components:
                across = ceil(ceil(width * component.h / most_h) / 8)
                down = ceil(ceil(height * component.v / most_v) / 8)
                blocks = range(first * component.h, min(last * component.h, across))
                for row in range(mcu_row * component.v, (mcu_row + 1) * component.v):
                    groups.append((component, row, blocks if row < down else range(0)))
    directory = 16 + 128 * count
    lengths = struct.unpack_from(f"<{len(groups)}H", record, directory)
    at = directory + 2 * len(groups)
    for (component, row, blocks), length in zip(groups, lengths, strict=True):
        group = record[at : at + length]
        for column, block in zip(blocks, read_group(group, len(blocks)), strict=True):
            component.blocks[row, column] = block
        at += length
    assert at == len(record)
    return colours, width, height, components


class Bits:
    def __init__(self):
        self.digits = []

    def put(self, value, count):
        self.digits.append(format(value, f"0{count}b") if count else "")

    def put_value(self, symbols, run, value):
        """A run of zeros, the size of a value, and the value (T.81 F.1.2)."""
        size = abs(value).bit_length()
        self.put(symbols.index(run << 4 | size), 8)
        self.put(value if value >= 0 else value + (1 << size) - 1, size)

    def put_block(self, block, last_dc):
        self.put_value(DC_SYMBOLS, 0, block[0] - last_dc)
        last = 0
        for k in range(1, 64):
            if block[ZIGZAG[k]]:
                zeros = k - last - 1
                for _ in range(zeros // 16):
                    self.put_value(AC_SYMBOLS, 15, 0)
                self.put_value(AC_SYMBOLS, zeros % 16, block[ZIGZAG[k]])
                last = k
        if last < 63:
            self.put_value(AC_SYMBOLS, 0, 0)

    def stuffed(self):
        digits = "".join(self.digits)
        digits += "1" * (-len(digits) % 8)
        data = int("1" + digits, 2).to_bytes(len(digits) // 8 + 1, "big")[1:]
        return data.replace(b"\xff", b"\xff\0")


def scan(width, height, components):
    most_h = max(component.h for component in components)
    most_v = max(component.v for component in components)
    bits, last_dcs = Bits(), [0] * len(components)
    for mcu_row in range(ceil(height / (8 * most_v))):
        for mcu in range(ceil(width / (8 * most_h))):
            for i, component in enumerate(components):
                for row in range(mcu_row * component.v, (mcu_row + 1) * component.v):
                    for column in range(mcu * component.h, (mcu + 1) * component.h):
                        filling = [last_dcs[i]] + [0] * 63
                        block = component.blocks.get((row, column), filling)
                        bits.put_block(block, last_dcs[i])
                        last_dcs[i] = block[0]
    return bits.stuffed()


def segment(marker, data):
    return bytes([0xFF, marker]) + struct.pack(">H", 2 + len(data)) + data


def jpeg_of(record):
    """A JPEG file of a record's coefficients."""
    return write_jpeg(*read(record))


def write_jpeg(colours, width, height, components):
    """A JPEG file of components that have all their blocks, whatever their factors."""
    ids = b"RGB" if colours == 2 else bytes([1, 2, 3])
    parts = [b"\xff\xd8"]
    if colours == 2:
        parts.append(segment(0xEE, b"Adobe\0\x64\0\0\0\0\0"))
    else:
        parts.append(segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"))
    frame, selectors = struct.pack(">BHHB", 8, height, width, len(components)), b""
    for i, component in enumerate(components):
        steps = struct.pack(">64H", *(component.table[place] for place in ZIGZAG))
        parts.append(segment(0xDB, bytes([0x10 | i]) + steps))
        frame += bytes([ids[i], component.h << 4 | component.v, i])
        selectors += bytes([ids[i], 0])
    parts.append(segment(0xC1, frame))
    for kind, symbols in ((0x00, DC_SYMBOLS), (0x10, AC_SYMBOLS)):
        counts = [0] * 7 + [len(symbols)] + [0] * 8
        parts.append(segment(0xC4, bytes([kind, *counts, *symbols])))
    parts.append(segment(0xDA, bytes([len(components)]) + selectors + b"\0\x3f\0"))
    return b"".join([*parts, scan(width, height, components), b"\xff\xd9"])
