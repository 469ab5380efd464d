"""Runs the yardsticks and prints their figures."""

from __future__ import annotations

import importlib
import sys

NAMES = (
    "transition",
    "workflow",
    "reading",
    "fidelity",
    "checking",
    "comparing",
    "rendering",
    "render_all",
    "start",
    "receipts",
    "verification",
    "looks",
    "notifications",
    "sqlite_audit",
    "postgres_audit",
)

for name in sys.argv[1:] or NAMES:
    if name not in NAMES:
        sys.exit(f"unknown benchmark {name}; known: {', '.join(NAMES)}")
    print(f"== {name}")
    importlib.import_module(f"benchmarks.{name}").main()
