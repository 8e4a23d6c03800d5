"""Tests, mirroring fastload/ folder by folder."""
