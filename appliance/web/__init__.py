"""The page: JSON for it, its files, and who may see it."""
