"""Memory of a process and all its descendants, from Linux's ``smaps_rollup``.

``anonymous`` counts what the processes allocated: private and shared memory without a file behind
it, each page once however many of the processes share it. ``pss`` counts mapped file pages too,
which the kernel takes back when it needs them.
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from types import TracebackType

from fastload.measure.processes import folder_of, tree

__all__ = ["Memory", "Watch", "of_tree", "parse"]

INTERVAL_SECONDS = 0.05


@dataclass(frozen=True)
class Memory:
    """Bytes in use."""

    anonymous: int = 0
    pss: int = 0

    def __add__(self, other: Memory) -> Memory:
        return Memory(self.anonymous + other.anonymous, self.pss + other.pss)

    def highest(self, other: Memory) -> Memory:
        """The higher of the two, figure by figure."""
        return Memory(max(self.anonymous, other.anonymous), max(self.pss, other.pss))

    def beyond(self, base: Memory) -> Memory:
        """What was added to ``base``."""
        return Memory(self.anonymous - base.anonymous, self.pss - base.pss)

    def as_dict(self) -> dict[str, int]:
        """The figures as JSON takes them."""
        return asdict(self)


def parse(rollup: str) -> Memory:
    r"""The figures of one ``smaps_rollup``.

    >>> parse("Pss:  10 kB\nPss_Anon:  4 kB\nPss_File:  5 kB\nPss_Shmem:  1 kB\n")
    Memory(anonymous=5120, pss=10240)
    """
    fields = {
        name: int(rest.split()[0]) * 1024
        for name, _, rest in (line.partition(":") for line in rollup.splitlines())
        if name.startswith("Pss")
    }
    return Memory(fields["Pss_Anon"] + fields["Pss_Shmem"], fields["Pss"])


def of_tree(pid: int) -> Memory:
    """Memory of ``pid`` and its descendants; a process that has ended counts nothing."""
    total = Memory()
    for one in tree(pid):
        try:
            total += parse((folder_of(one) / "smaps_rollup").read_text())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


class Watch:
    """Samples a process tree while the ``with`` block runs; ``peak`` is the highest seen."""

    def __init__(self, pid: int) -> None:
        self.peak = Memory()
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def _sample(self) -> None:
        while not self._stop.wait(INTERVAL_SECONDS):
            self.peak = self.peak.highest(of_tree(self._pid))

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        self.peak = self.peak.highest(of_tree(self._pid))
