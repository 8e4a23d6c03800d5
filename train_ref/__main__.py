"""``python -m train_ref``."""

from __future__ import annotations

from train_ref.cli import main

main(prog_name="python -m train_ref")
