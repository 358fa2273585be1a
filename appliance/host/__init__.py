"""Read-only facts about the device, and thin wrappers around its operating system."""
