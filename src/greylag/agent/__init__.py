"""LLM coding agents for what codemods leave over."""
