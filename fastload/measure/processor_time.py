"""CPU time of a process and all its descendants, from Linux's ``stat`` files."""

from __future__ import annotations

import os

from fastload.measure.processes import folder_of, tree

__all__ = ["of_tree", "parse"]

# Fields behind the command's name: utime, stime, and the same of children that were waited for.
_TIMES = slice(11, 15)


def parse(stat: str) -> float:
    """The seconds of one ``stat`` file, those of children that have ended included.

    The command's name stands in brackets and may hold anything, brackets too.

    >>> import os
    >>> fields = ["S"] + ["0"] * 10 + ["150", "50", "100", "0"] + ["0"] * 20
    >>> parse("12 (a ) b) " + " ".join(fields)) == 300 / os.sysconf("SC_CLK_TCK")
    True
    """
    fields = stat.rpartition(")")[2].split()
    return sum(map(int, fields[_TIMES])) / os.sysconf("SC_CLK_TCK")


def of_tree(pid: int) -> float:
    """Seconds of CPU that ``pid`` and its descendants have had so far, in user code and kernel.

    Between two calls it only grows as long as every child that ends is waited for by its parent.
    """
    total = 0.0
    for one in tree(pid):
        try:
            total += parse((folder_of(one) / "stat").read_text())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total
