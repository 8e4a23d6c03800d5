"""Results of measurements: reading and writing them, tables, a page, comparisons.

A result document is what ``pytest-benchmark`` writes by ``--benchmark-json``, with fastload's own
figures in it (``results.py``). ``own_data.py`` makes one of a folder of the user's.
"""
