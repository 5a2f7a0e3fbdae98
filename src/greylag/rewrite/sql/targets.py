"""What a file writes: one that fills a table of the mapping must not come to read that table as well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from greylag.rewrite.sql.model import ReadSite
from greylag.rewrite.sql.tables import TableNames


def written_and_read(
    written: Sequence[exp.Table], reads: Sequence[ReadSite], names: TableNames
) -> Iterator[tuple[exp.Table, ReadSite]]:
    """Tables that a file writes, each with a read whose mapping reads that table, as far as names tell."""
    for site in reads:
        made = {cte.alias_or_name for cte in site.mapping.query.find_all(exp.CTE)}
        for table in site.mapping.query.find_all(exp.Table):
            key = names.key(table)
            if not key or (len(key) == 1 and table.name in made):
                continue
            for target in written:
                size = min(len(key), len(other := names.key(target)))
                if size and key[-size:] == other[-size:]:
                    yield target, site
