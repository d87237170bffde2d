"""A database to land in."""

from fixtures_postgres import database, postgres

__all__ = ["database", "postgres"]
