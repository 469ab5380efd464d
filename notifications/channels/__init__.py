"""The channels by which people are told, one module each behind one small protocol (``protocol``)."""
