"""Tools for IDEs and chat agents."""
