"""Settings, the composition root, and the use cases that every surface shares."""
