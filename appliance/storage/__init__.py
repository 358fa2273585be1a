"""The SQLite database that the services share."""
