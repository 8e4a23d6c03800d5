"""`python -m fastload.cli`, for a Python in whose PATH the console script is not."""

from fastload.cli import main

main(prog_name="fastload")
