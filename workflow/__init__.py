"""The approval engine: definitions as data, the compiled machine, guards, and the one place that changes a state."""
