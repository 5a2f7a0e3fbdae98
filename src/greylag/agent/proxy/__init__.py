"""The model proxy on the host: it holds the key, keeps the budget, and records what was paid for."""
