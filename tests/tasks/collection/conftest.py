"""Sources to collect from."""

from fixtures_postgres import database, postgres
from fixtures_sources import collection_of, files_of, landing, table_of

__all__ = ["collection_of", "database", "files_of", "landing", "postgres", "table_of"]
