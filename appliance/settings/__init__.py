"""The settings file: schema, validation, network settings, paths."""
