"""Configuration: SQL in YAML, JSON, TOML, HCL, XML, properties, HOCON and LookML, and names of datasets."""

from greylag.rewrite.config.codemod import is_config_file, read_program, rewrite_config

__all__ = ["is_config_file", "read_program", "rewrite_config"]
