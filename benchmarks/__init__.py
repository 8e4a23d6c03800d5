"""Throughput, first batch, memory and packing of fastload and its peers, measured in one run.

Every peer runs in a process of its own (``worker.py`` around one small adapter of ``peers/``) and,
where versions clash, in a virtual environment of its own (``environments.py``). The processes stay
alive and are asked for one window of work at a time, in turn (``round_robin.py``), so that nothing
else runs meanwhile and a slow minute of the machine falls on all of them. ``suites.py`` says what
is compared, ``bars.py`` what fastload promises, ``places.py`` writes what is read.

    make bench         # the peers' environments (outside the repository), measure, print the tables
    make bench-smoke   # the same in small, on two dozen photos and the peers that are there

    make bench BENCH_ARGS='--set loader --rounds 3'

The sets: ``loader`` (side by side: the very same photos, and the same photos resized), ``cases``
(cold files, long tail, first batch, memory, training steps ...), ``parts`` (packing, decoding,
resizing, orders ...), ``scaling`` (threads, ranks, sizes of index, image and batch). ``-k`` chooses
among suites and peers. The figures go to ``results/``, in a file named for day and machine.
"""
