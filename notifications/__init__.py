"""Notifications: outbox rows written inside the transaction of a transition; delivery happens from the outbox."""
