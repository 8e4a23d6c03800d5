"""Where a run's figures are written: ``python -m benchmarks.result_file`` prints the path.

The name tells the day and the machine, so that figures of several machines lie side by side, and
those of several runs behind one another.
"""

from __future__ import annotations

import re
from datetime import date
from itertools import count
from pathlib import Path

from fastload.measure.machine import Machine, this_machine

RESULTS = Path(__file__).resolve().parent / "results"


def name_of(machine: Machine, day: date, run: int) -> str:
    """The file's name.

    >>> machine = Machine("AMD EPYC 9B14 96-Core", 2, (), 0, "Linux 6", "3.12", 0.0)
    >>> name_of(machine, date(2026, 11, 28), 1)
    '2026-11-28-amd-epyc-9b14-96-core-2-cpus-run-1.json'
    """
    processor = re.sub(r"[^a-z0-9]+", "-", machine.processor.lower()).strip("-")
    return f"{day.isoformat()}-{processor}-{machine.cpus}-cpus-run-{run}.json"


def free_path(folder: Path, machine: Machine, day: date) -> Path:
    """The first run's that is not there yet."""
    paths = (folder / name_of(machine, day, run) for run in count(1))
    return next(path for path in paths if not path.exists())


def main() -> None:
    """Make the folder, print the path."""
    RESULTS.mkdir(exist_ok=True)
    print(free_path(RESULTS, this_machine(), date.today()))


if __name__ == "__main__":
    main()
