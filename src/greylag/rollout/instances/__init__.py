"""What runs the merged code: one module a kind, each with its own settings; see docs/health.md."""
