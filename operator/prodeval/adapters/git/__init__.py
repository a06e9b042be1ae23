"""A guest on a project's Git upstream: looks at it over HTTP(S) or SSH, and adds small commits; all in memory."""

from prodeval.adapters.git.repositories import Repositories

__all__ = ["Repositories"]
