"""Readers of real files, one module a kind; all yield the neutral form of ``form``, and know nothing of budget texts."""
