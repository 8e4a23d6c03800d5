from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from pathlib import Path

from fastload.measure.memory import Memory, Watch, of_tree, parse

MIB = 1 << 20
HOLD = "b = bytearray(b'1') * (64 << 20); print('held', flush=True); input()"


def test_rollup_is_read_in_bytes() -> None:
    lines = ["00-ff ---p 0 00:00 [rollup]", "Rss: 9 kB", "Pss: 7 kB"]
    lines += ["Pss_Anon: 2 kB", "Pss_File: 4 kB", "Pss_Shmem: 1 kB"]
    assert parse("\n".join(lines)) == Memory(anonymous=3 * 1024, pss=7 * 1024)


def test_children_count() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        own = parse(Path("/proc/self/smaps_rollup").read_text())
        assert of_tree(os.getpid()).beyond(own).anonymous > 60 * MIB
        assert of_tree(child.pid).anonymous > 60 * MIB
        child.communicate("\n")
    assert of_tree(child.pid) == Memory()


def test_a_watch_keeps_the_peak() -> None:
    gc.collect()  # What earlier tests left behind must not go meanwhile.
    before = of_tree(os.getpid())
    with Watch(os.getpid()) as watch:
        block = bytearray(b"1") * (64 * MIB)
        time.sleep(0.2)
        del block
    assert watch.peak.beyond(before).anonymous > 60 * MIB
    assert of_tree(os.getpid()).beyond(before).anonymous < 30 * MIB
