"""Pages that people look at: one HTML file each, which needs nothing beside it."""

from fastload.pages.render import Script, render

__all__ = ["Script", "render"]
