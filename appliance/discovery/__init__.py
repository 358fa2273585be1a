"""Expand discovery entries, import lists and mDNS announcements into targets."""
