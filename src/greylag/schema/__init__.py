"""Schema readers, schema differences and their compatibility."""
