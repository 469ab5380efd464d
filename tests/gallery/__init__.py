"""The pictures of docs/gallery: ``make gallery``."""
