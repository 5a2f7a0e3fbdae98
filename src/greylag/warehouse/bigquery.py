"""BigQuery: every query is dry-run first, billed within the budget, and only SELECTs are sent."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from sqlglot import exp

from greylag.domain.dataset import DatasetRef
from greylag.domain.errors import UsageError
from greylag.warehouse.base import Budget, OverBudget, Rows, WarehouseError, only_select


class BigQueryWarehouse:
    """A project of BigQuery, as `bigquery://PROJECT[?location=EU]`. See `Warehouse`.

    Credentials are Google's application default ones. `client` may be handed in.
    """

    dialect = "bigquery"

    def __init__(self, url: str, budget: Budget, client: Any | None = None) -> None:
        parts = urlsplit(url)
        if not parts.netloc:
            raise UsageError(f"{url}: expected bigquery://PROJECT, the project that pays for the queries")
        self.budget = budget
        self._client = client if client is not None else _client(parts.netloc, parse_qs(parts.query))

    def find(self, dataset: DatasetRef) -> exp.Table | None:
        """See `Warehouse`: names are exact here; without a project, it is the one that pays."""
        from google.api_core.exceptions import GoogleAPICallError, NotFound

        parts = dataset.parts if len(dataset.parts) > 2 else (self._client.project, *dataset.parts)
        if len(parts) != 3:
            return None
        try:
            self._client.get_table(".".join(parts))
        except NotFound:
            return None
        except GoogleAPICallError as error:
            raise WarehouseError(str(error).splitlines()[0]) from error
        catalog, schema, table = (exp.to_identifier(part, quoted=True) for part in parts)
        return exp.Table(this=table, db=schema, catalog=catalog)

    def size(self, table: exp.Table) -> int | None:
        """See `Warehouse`: None for a view, whose rows nobody has counted."""
        found = self._client.get_table(".".join(part.name for part in table.parts))
        return int(found.num_rows) if found.table_type == "TABLE" and found.num_rows is not None else None

    def columns(self, table: exp.Table) -> tuple[tuple[str, str], ...]:
        """See `Warehouse`."""
        found = self._client.get_table(".".join(part.name for part in table.parts))
        return tuple((field.name, field.field_type) for field in found.schema)

    def rows(self, query: str, *, limit: int = 1000) -> Rows:
        """See `Warehouse`. Raises OverBudget before anything is billed."""
        from google.api_core.exceptions import GoogleAPICallError
        from google.cloud import bigquery

        text = only_select(query, "bigquery")
        try:
            dry = self._client.query(
                text, job_config=bigquery.QueryJobConfig(dry_run=True, use_query_cache=False)
            )
            if dry.statement_type not in (None, "SELECT"):
                raise WarehouseError(f"only SELECTs are sent, not {dry.statement_type}")
            if dry.total_bytes_processed > self.budget.bytes:
                raise OverBudget(
                    f"BigQuery would read {dry.total_bytes_processed / 1e9:.1f} GB; "
                    f"{self.budget.bytes / 1e9:.1f} GB are allowed (--max-bytes)"
                )
            job = self._client.query(
                text,
                job_config=bigquery.QueryJobConfig(
                    maximum_bytes_billed=self.budget.bytes, labels={"made-by": "greylag"}
                ),
                job_retry=None,
            )
            result = job.result(max_results=limit, timeout=self.budget.seconds)
            columns = tuple(field.name for field in result.schema)
            return Rows(columns=columns, rows=tuple(tuple(row.values()) for row in result))
        except GoogleAPICallError as error:
            raise WarehouseError(str(error).splitlines()[0]) from error

    def close(self) -> None:
        """See `Warehouse`."""
        self._client.close()


def _client(project: str, options: dict[str, list[str]]) -> Any:
    try:
        from google.auth.exceptions import DefaultCredentialsError
        from google.cloud import bigquery
    except ImportError as error:
        raise UsageError("BigQuery needs its client: pip install 'greylag[bigquery]'") from error
    location = options.get("location", [None])[0]
    try:
        return bigquery.Client(project=project, location=location)
    except DefaultCredentialsError as error:
        raise UsageError(
            "BigQuery: no credentials; run `gcloud auth application-default login`, or set "
            "GOOGLE_APPLICATION_CREDENTIALS to a key file"
        ) from error
