"""How many bytes Athena would read for each query: the compressed column chunks that it names, of the accounts asked for.

Usage: query_cost.py QUERIES_FOLDER OUTPUT_FOLDER ACCOUNT... Nothing is passed over by statistics, so a query that names a
range of time or a single event reads less than is told here. Athena bills 10 MB at least for a query.
"""

import pathlib
import sys

import pyarrow.parquet as parquet
import sqlglot
from sqlglot import exp


def chunk_bytes(folder, accounts):
    """Compressed bytes by column, and in all, of the files of these accounts; all parties lie under `none`."""
    by_column, total = {}, 0
    for account in accounts:
        for file in sorted(folder.glob(f"account_id={account}/*.parquet")):
            total += file.stat().st_size
            metadata = parquet.read_metadata(file)
            for group in range(metadata.num_row_groups):
                for at in range(metadata.num_columns):
                    chunk = metadata.row_group(group).column(at)
                    name = chunk.path_in_schema.split(".")[0]
                    by_column[name] = by_column.get(name, 0) + chunk.total_compressed_size
    return by_column, total


def main(queries, out, accounts):
    tables = {folder.name: chunk_bytes(folder, [*accounts, "none"]) for folder in sorted((out / "parquet").iterdir())}
    whole = sum(total for _, total in tables.values())
    print("| query | tables | bytes read | share of their files |\n| --- | --- | --- | --- |")
    for path in sorted(queries.glob("*.sql")):
        text = "\n".join(line for line in path.read_text().splitlines() if not line.startswith("--"))
        tree = sqlglot.parse_one(text.replace("${", "").replace("}", ""), dialect="athena")
        named = sorted({table.name for table in tree.find_all(exp.Table)})
        columns = {column.name for column in tree.find_all(exp.Column)}
        read = sum(size for name in named for column, size in tables[name][0].items() if column in columns)
        of = sum(tables[name][1] for name in named)
        print(f"| `{path.stem}` | {', '.join(named)} | {read:,} | {100 * read / of:.0f} % |")
    print(f"\n{whole:,} bytes in {len(tables)} tables, accounts {', '.join(accounts)}")


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:])
