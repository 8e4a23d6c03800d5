"""Of processes of these tests' own: what else runs below pytest, as a browser, is not theirs."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastload.measure.memory import Memory, Watch, of_tree, parse

MIB = 1 << 20
HOLD = "b = bytearray(b'1') * (64 << 20); print('held', flush=True); input()"
HOLD_IN_A_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD!r}])"
LET_GO = "del b; print('let go', flush=True); input()"
HOLD_FOR_A_WHILE = f"print('begun', flush=True); input(); {HOLD}; {LET_GO}"


@contextmanager
def program(text: str) -> Iterator[subprocess.Popen[str]]:
    """A process that runs it; it ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.communicate("\n")


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_rollup_is_read_in_bytes() -> None:
    lines = ["00-ff ---p 0 00:00 [rollup]", "Rss: 9 kB", "Pss: 7 kB"]
    lines += ["Pss_Anon: 2 kB", "Pss_File: 4 kB", "Pss_Shmem: 1 kB"]
    assert parse("\n".join(lines)) == Memory(anonymous=3 * 1024, pss=7 * 1024)


def test_children_count() -> None:
    with program(HOLD_IN_A_CHILD) as parent:
        assert heard(parent) == "held"
        own = parse(Path(f"/proc/{parent.pid}/smaps_rollup").read_text())
        assert own.anonymous < 60 * MIB
        assert of_tree(parent.pid).beyond(own).anonymous > 60 * MIB
    assert of_tree(parent.pid) == Memory()


def test_a_watch_keeps_the_peak() -> None:
    with program(HOLD_FOR_A_WHILE) as process:
        assert heard(process) == "begun"
        before = of_tree(process.pid)
        with Watch(process.pid) as watch:
            tell(process)
            assert heard(process) == "held"
            time.sleep(0.2)
            tell(process)
            assert heard(process) == "let go"
        assert watch.peak.beyond(before).anonymous > 60 * MIB
        assert of_tree(process.pid).beyond(before).anonymous < 30 * MIB
