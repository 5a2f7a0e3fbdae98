"""Settings, and the only place where adapters are built."""

from greylag.app.build import App, build
from greylag.app.settings import Settings, load_settings

__all__ = ["App", "Settings", "build", "load_settings"]
