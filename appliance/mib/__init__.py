"""Printer-MIB and Host Resources MIB: objects, enumerations, rows, character sets."""
