"""What every hosted forge has in common: HTTP, limits, mirrors, markers, and the Forge over a small API."""
