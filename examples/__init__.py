"""Whole runs, from nothing to a result."""
