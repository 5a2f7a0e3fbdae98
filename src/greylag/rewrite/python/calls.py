"""What well-known calls do with a string: run it as SQL, read the table that it names, write it, print it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import libcst as cst

from greylag.rewrite.python.chains import METHODS, chain_of
from greylag.rewrite.python.source import Source


class Use(StrEnum):
    """What becomes of a string."""

    SQL = "sql"
    TABLE = "table"
    NAME_ONLY = "name_only"
    SENSOR = "sensor"
    WRITE = "write"
    MENTION = "mention"
    PASSED_ON = "passed_on"
    CHANGED = "changed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What becomes of one string. `dialect` is that of the SQL where the call tells; `call` the call that
    takes it, `argument` its keyword or position. `changes` is a pattern of what of its text is changed."""

    use: Use
    dialect: str | None = None
    call: cst.Call | None = None
    argument: str | int = 0
    changes: str | None = None


_SQL_CALLS = {
    *("sql", "query", "execute", "executemany", "executescript", "execute_query", "execute_sql"),
    *("query_and_wait", "read_sql", "read_sql_query", "read_gbq", "read_gbq_query", "read_database"),
    *("read_database_uri", "get_pandas_df", "get_df", "get_records", "get_first", "raw_sql", "fetchdf"),
    *("fetch_pyspark_df", "from_query", "run_query", "run_sql", "fetch_all", "fetch_one", "fetchrow"),
    *("fetchval", "execute_async", "execute_string", "text", "sql_query", "to_dataframe_from_query"),
    *("driver_execute", "exec_driver_sql", "read_query", "run_async_query", "awrangler_read"),
}
_SQL_WORD = re.compile(r"(?i)(?:^|_)(?:sql|query|queries|execute)(?:$|_)|query$|sql$")
_SQL_KEYWORDS = {
    *("sql", "query", "statement", "stmt", "bql", "hql", "sql_query", "query_string", "select_query"),
    *("select_statement", "query_or_table", "sql_statement", "sql_statements", "sqls", "queries"),
}
_HOOKS = re.compile(r"(?i)hook|client|cursor|conn|session|engine|db$")
_WRITES = {
    *("saveAsTable", "insertInto", "to_gbq", "to_sql", "writeTo", "load_table_from_dataframe"),
    *("load_table_from_uri", "load_table_from_json", "load_table_from_file", "insert_rows"),
    *("insert_rows_json", "insert_rows_from_dataframe", "create_table", "delete_table", "write_pandas"),
    *("write_database", "save_as_table", "insert_into", "drop_table", "overwritePartitions"),
}
_WRITE_KEYWORDS = {
    *("destination", "destination_table", "destination_dataset_table", "output_table", "target_table"),
    *("destination_project_dataset_table", "outlets", "table_destination", "dest_table", "into"),
}
_TABLE_CALLS = {"table", "read_table", "read_gbq", "read_gbq_table", "read_sql", "read_sql_table", "jdbc"}
_NAME_ONLY = {
    *("list_rows", "get_table", "forName", "table_exists", "tableExists", "from_string", "load"),
    *("BigQueryGetDataOperator", "extract_table", "copy_table", "refreshTable", "cacheTable"),
    *("list_partitions", "get_latest_partition_name", "export_table"),
}
_NAME_KEYWORDS = {
    *("source_project_dataset_table", "source_project_dataset_tables", "source_table", "table_id", "table"),
    *("source_table_name", "depends_on"),
}
_ADVICE = (
    (re.compile(r"GetDataOperator$"), "an operator that runs SQL, or a hook, reads the mapping"),
    (re.compile(r"ToGCS|BigQueryTo|extract_table"), "EXPORT DATA writes what a query returns"),
    (re.compile(r"Check\w*Operator$"), "SQLCheckOperator takes a query"),
    (re.compile(r"ReadFromBigQuery$"), "`query=` with `use_standard_sql=True` reads the mapping"),
    (re.compile(r"^model$"), "what a model depends on must be said together with its queries"),
)
_SENSORS = re.compile(r"(?i)(?:TableExistence|TablePartitionExistence|TableExists|Partition)\w*Sensor$")
_MENTIONS = {
    *("print", "pprint", "warn", "echo", "secho", "fail", "skip", "xfail", "appName", "getLogger"),
    *("setJobGroup", "setJobDescription", "assertEqual", "assertIn", "assertEquals", "assertTrue"),
    *("assert_called_with", "assert_called_once_with", "assert_any_call", "assert_has_calls"),
    *("assertMultiLineEqual", "assertRegex", "assertListEqual", "assertDictEqual", "deprecated"),
}
# Their first argument is what they are called.
_LABELLED = {"DAG", "dag", "TaskGroup", "Flow", "flow", "task", "job", "Job", "SparkConf", "StructField"}
_LABELLED |= {"subquery", "cte"}
_LOGS = {"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "fatal", "success"}
_LOGGERS = re.compile(r"(?i)(?:^|[._])(?:log|logger|logging|_log|console)(?:\(.*\))?$")
_MENTION_KEYWORDS = {
    *("description", "doc", "docs", "doc_md", "doc_json", "doc_rst", "doc_yaml", "help", "comment"),
    *("label", "title", "message", "msg", "task_id", "dag_id", "group_id", "job_name", "job_id", "owner"),
    *("app_name", "epilog", "reason", "match", "tooltip", "run_name", "external_task_id", "task_ids"),
    *("external_dag_id", "trigger_dag_id", "deprecated", "ids", "email_subject", "subject"),
}
_DIALECTS = (
    (re.compile(r"(?i)bigquery|(?:^|[._])bq|gbq|bigframes"), "bigquery"),
    (re.compile(r"(?i)spark|sqlcontext|databricks"), "spark"),
    (re.compile(r"(?i)snowflake|snowpark"), "snowflake"),
    (re.compile(r"(?i)duckdb"), "duckdb"),
    (re.compile(r"(?i)redshift"), "redshift"),
    (re.compile(r"(?i)postgres|psycopg|asyncpg"), "postgres"),
    (re.compile(r"(?i)athena"), "athena"),
    (re.compile(r"(?i)trino|presto"), "trino"),
    (re.compile(r"(?i)clickhouse"), "clickhouse"),
    (re.compile(r"(?i)mysql"), "mysql"),
    (re.compile(r"(?i)mssql|pyodbc"), "tsql"),
)
FAMILIES = (
    {"spark", "spark2", "databricks", "hive"},
    {"trino", "presto", "athena"},
    {"postgres", "redshift", "materialize", "risingwave"},
)


def called(call: cst.Call) -> str:
    """The last part of what is called: `read_gbq` of `pd.read_gbq(…)`."""
    match call.func:
        case cst.Attribute():
            return call.func.attr.value
        case cst.Name():
            return call.func.value
    return ""


def advice(call: cst.Call | None) -> str:
    """What to do about a call that takes no query; empty where nothing is known."""
    name = called(call) if call is not None else ""
    return next((f"; {text}" for pattern, text in _ADVICE if pattern.search(name)), "")


def receiver(source: Source, call: cst.Call) -> str:
    """The text of what a method is called on; empty for a function."""
    return source.code(call.func.value) if isinstance(call.func, cst.Attribute) else ""


def dialect_of(source: Source, call: cst.Call, migration_dialect: str) -> str | None:
    """The dialect that a call says it takes; None where it does not say, or it is the migration's own."""
    name = source.qualified(call) or source.code(call.func)[-200:]
    chain = chain_of(source, call) if called(call) in METHODS else None
    if chain is not None and chain.format is not None:
        name = chain.format  # the query is run where the data is, not by Spark
    for pattern, dialect in _DIALECTS:
        if pattern.search(name):
            family = next((one for one in FAMILIES if dialect in one), {dialect})
            return None if migration_dialect in family else dialect
    return None


def fate_of(source: Source, call: cst.Call, arg: cst.Arg, migration_dialect: str) -> Fate:
    """What a call does with one of its arguments."""
    name = called(call)
    keyword = arg.keyword.value if arg.keyword is not None else None
    where: str | int = keyword if keyword is not None else [one is arg for one in call.args].index(True)
    use = _use(source, call, name, keyword, where)
    return Fate(use=use, dialect=dialect_of(source, call, migration_dialect), call=call, argument=where)


def _use(source: Source, call: cst.Call, name: str, keyword: str | None, where: str | int) -> Use:
    if keyword in _MENTION_KEYWORDS or _mentions(source, call, name, where):
        return Use.MENTION
    if name in _WRITES or keyword in _WRITE_KEYWORDS:
        return Use.WRITE
    if _SENSORS.search(name):
        return Use.SENSOR
    chain = chain_of(source, call) if name in METHODS else None
    if chain is not None and (chain.writes or name != "option" or where == 1):
        return Use.WRITE if chain.writes else Use.TABLE
    if name in ("read_sql_table", "read_gbq_table", "table", "read_table"):
        return Use.TABLE
    if name in _NAME_ONLY or keyword in _NAME_KEYWORDS:
        return Use.NAME_ONLY
    if keyword in _SQL_KEYWORDS or (keyword is None and _runs(source, call, name, where)):
        return Use.SQL
    return Use.PASSED_ON


def _runs(source: Source, call: cst.Call, name: str, where: str | int) -> bool:
    if where not in (0, 1):
        return False
    if name == "run":
        return where == 0 and bool(_HOOKS.search(receiver(source, call)))
    first = name in _SQL_CALLS or bool(_SQL_WORD.search(name))
    return first and (where == 0 or name in ("read_gbq", "execute_query"))


def _mentions(source: Source, call: cst.Call, name: str, where: str | int) -> bool:
    if name in _MENTIONS or (name in _LABELLED and where == 0):
        return True
    return name in _LOGS and bool(_LOGGERS.search(receiver(source, call)))
