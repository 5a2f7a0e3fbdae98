"""A fleet built in a temporary folder, and the whole job done on it."""
