"""Shards' headers, as Python's own tarfile reads them."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastload.store.ustar import BLOCK, END_OF_ARCHIVE, MEMBER_LIMIT, header, padding


@given(number=st.integers(0, 10**12), size=st.integers(0, MEMBER_LIMIT))
def test_header_is_read_by_tarfile(number: int, size: int) -> None:
    name = f"{number:09d}.jpg"
    # frombuf checks the checksum.
    read = tarfile.TarInfo.frombuf(header(name.encode(), size), "ascii", "strict")
    assert (read.name, read.size, read.type) == (name, size, tarfile.REGTYPE)
    assert (read.mode, read.uid, read.gid, read.mtime) == (0o644, 0, 0, 0)
    assert (read.uname, read.gname, read.linkname) == ("", "", "")


def test_whole_archive() -> None:
    contents = {f"{n:09d}.jpg": bytes([n]) * (n * 200) for n in range(6)}
    data = b"".join(
        header(name.encode(), len(content)) + content + padding(len(content))
        for name, content in contents.items()
    )
    assert len(data) % BLOCK == 0
    with tarfile.open(fileobj=io.BytesIO(data + END_OF_ARCHIVE)) as tar:
        found = {member.name: tar.extractfile(member).read() for member in tar}
    assert found == contents


@pytest.mark.parametrize(("name", "size"), [(b"x" * 101, 1), (b"x", MEMBER_LIMIT + 1), (b"x", -1)])
def test_what_does_not_fit_is_refused(name: bytes, size: int) -> None:
    with pytest.raises(ValueError, match="no ustar header"):
        header(name, size)
