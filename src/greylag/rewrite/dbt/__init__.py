"""The dbt codemod: models with Jinja, and the `sources:` that they need."""

from greylag.rewrite.dbt.built import builders
from greylag.rewrite.dbt.codemod import rewrite_dbt
from greylag.rewrite.dbt.companions import yaml_edits
from greylag.rewrite.dbt.context import localised, project_around, surroundings_of
from greylag.rewrite.dbt.moved import moved_checks
from greylag.rewrite.dbt.project import is_dbt_file, is_dbt_yaml, project_of
from greylag.rewrite.dbt.python_models import is_python_model, read_python_model
from greylag.rewrite.dbt.unit_tests import unit_test_notes
from greylag.rewrite.dbt.yaml_codemod import model_path, rewrite_yaml
from greylag.rewrite.dbt.yaml_reads import read_yaml

__all__ = [
    "builders",
    "is_dbt_file",
    "is_dbt_yaml",
    "is_python_model",
    "localised",
    "model_path",
    "moved_checks",
    "project_around",
    "project_of",
    "read_python_model",
    "read_yaml",
    "rewrite_dbt",
    "rewrite_yaml",
    "surroundings_of",
    "unit_test_notes",
    "yaml_edits",
]
