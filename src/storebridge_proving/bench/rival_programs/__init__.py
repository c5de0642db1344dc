"""Programs that run in an environment of their own, where only the library that they measure is installed."""
