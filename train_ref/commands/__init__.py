"""The command line: each command is `command` in the file of its name."""
