"""The command line: `python -m train_ref COMMAND`; a command's file is imported when it is run."""

from __future__ import annotations

import os
import warnings
from importlib import import_module
from typing import Any

import click

from fastload import FastloadError, __version__
from train_ref.errors import StoppedError, TrainError

__all__ = ["main"]

# By what a user types: the file in train_ref/commands.
_COMMANDS = {"fit": "fit", "eval": "evaluate", "predict": "predict", "report": "report"}
# What shells add to the number of the signal that ended a program.
_SIGNALLED = 128


class _CommandFiles(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which one needs them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, or None where there is none."""
        if cmd_name not in _COMMANDS:
            return None
        command = import_module(f"train_ref.commands.{_COMMANDS[cmd_name]}").command
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what a user can mend is one message, without a traceback."""
        warnings.formatwarning = _plain_warning
        try:
            return super().invoke(ctx)
        except (TrainError, FastloadError) as error:
            raise click.ClickException(str(error)) from error
        except StoppedError as error:
            if os.environ.get("RANK", "0") == "0":  # torchrun's processes all come here
                click.echo(str(error), err=True)
            raise click.exceptions.Exit(_SIGNALLED + error.number) from None


def _plain_warning(message: Warning | str, *_: Any, **__: Any) -> str:
    return f"Note: {message}\n"


@click.group(cls=_CommandFiles, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="train_ref")
def main() -> None:
    """Train image classifiers from packs, evaluate them, predict and report."""
