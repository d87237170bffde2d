"""Tables: DuckDB, Parquet, landed files, snapshots, joins in time."""
