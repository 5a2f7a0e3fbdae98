"""Settings, and the only place where adapters are built."""
