"""The command."""

import sys

from benchmarks.tuner.command import main

if __name__ == "__main__":
    sys.exit(main())
