"""Tables of a check in DuckDB: a connection of its own, what counts as open, Parquet written with its marks."""

from __future__ import annotations

from pathlib import Path

import duckdb

#: Rows of findings there is something to do about: someone's next step, or a fact to be found out.
OPEN = "(is_step OR outcome = 'unknown')"
MEMORY = "1GB"


def connect(work: Path, memory_limit: str = MEMORY) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory that spills into the work folder and reaches for nothing outside."""
    return duckdb.connect(
        config={
            "memory_limit": memory_limit,
            "temp_directory": str(work / "spill"),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
    )


def quoted(value: object) -> str:
    """A text as SQL writes it."""
    return "'" + str(value).replace("'", "''") + "'"


def marks(path: Path) -> dict[str, str]:
    """What a Parquet file of findings says of itself: as_of, the pack's hash, the program…"""
    with duckdb.connect() as connection:
        rows = connection.execute(
            "SELECT decode(key), decode(value) FROM parquet_kv_metadata(?)", [str(path)]
        ).fetchall()
    return {key: value for key, value in rows if not key.startswith("ARROW:")}


def written(connection: duckdb.DuckDBPyConnection, query: str, path: Path, *, like: Path) -> None:
    """Write what a query finds to a Parquet file with the marks of another."""
    told = ", ".join(f"{key}: {quoted(value)}" for key, value in marks(like).items())
    also = f", KV_METADATA {{{told}}}" if told else ""
    connection.execute(f"COPY ({query}) TO {quoted(path)} (FORMAT parquet, COMPRESSION zstd{also})")
