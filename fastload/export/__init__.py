"""A pack written in the formats of other programs, one file a format."""
