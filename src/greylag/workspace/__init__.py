"""A repository at a commit: read, edit in memory, commit; a working tree only when a command must run."""
