"""Find, fetch and schedule update bundles."""
