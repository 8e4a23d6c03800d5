"""Duplicates of a pack: records of the same bytes, and records that show the same picture."""

from __future__ import annotations

from fastload.duplicates.exact import exact_duplicate_groups
from fastload.duplicates.listing import Group, groups_listed
from fastload.duplicates.near import DISTANCE, near_duplicate_groups, near_duplicates_of
from fastload.duplicates.relation import relations

__all__ = [
    "DISTANCE",
    "Group",
    "exact_duplicate_groups",
    "groups_listed",
    "near_duplicate_groups",
    "near_duplicates_of",
    "relations",
]
