from __future__ import annotations

import os
import subprocess
import sys
import time

from fastload.measure.processor_time import of_tree

BURN = "import time\nend = time.process_time() + 0.5\nwhile time.process_time() < end: pass\n"


def test_children_count_while_they_run_and_when_they_have_ended() -> None:
    before = of_tree(os.getpid())
    with subprocess.Popen(
        [sys.executable, "-c", BURN + "print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        running = of_tree(os.getpid()) - before
        assert 0.45 < running < 5
        child.communicate("\n")
    assert of_tree(os.getpid()) - before >= running - 0.05


def test_sleep_takes_none() -> None:
    before = of_tree(os.getpid())
    time.sleep(0.3)
    assert of_tree(os.getpid()) - before < 0.2
