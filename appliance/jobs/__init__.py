"""Runs: find printers, poll them, save the readings, hand over to delivery."""
