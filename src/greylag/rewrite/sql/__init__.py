"""The SQL codemod: reads of a replaced dataset become reads of the new one, byte for byte elsewhere."""

from greylag.rewrite.sql.plan import SqlPlan, plan_edits, rewrite_sql

__all__ = ["SqlPlan", "plan_edits", "rewrite_sql"]
