"""One module a command or a family of them, each with `register(app)`; heavy imports stand in functions."""
