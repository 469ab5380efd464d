"""What exists: typed tables, the content schema, engine and unit of work, the error classes."""
