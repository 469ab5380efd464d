"""The tamper-evident log: events, tree, tiles, checkpoints, proofs and their verification (audit.md).

The formats are public ones: RFC 6962 hashes, C2SP ``tlog-tiles``, ``tlog-checkpoint`` and ``signed-note``.
"""
