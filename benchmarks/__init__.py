"""Throughput, first batch, memory and packing of fastload and its peers, measured in one run.

Every peer runs in a process of its own (``worker.py`` around one small adapter of ``peers/``) and,
where versions clash, in a virtual environment of its own (``environments.py``). The processes stay
alive and are asked for one window of work at a time, in turn (``round_robin.py``), so that nothing
else runs meanwhile and a slow minute of the machine falls on all of them. ``suites.py`` says what
is compared, ``bars.py`` what fastload promises.

    make bench         # the peers' environments (outside the repository), measure, print the tables
    make bench-smoke   # the same in seconds, on two dozen photos and the peers that are there
"""
