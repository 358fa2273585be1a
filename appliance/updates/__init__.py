"""Newer versions of the Plug's system: where they come from, when they may be installed."""
