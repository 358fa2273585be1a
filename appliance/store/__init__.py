"""What the Plug knows: one SQLite file, shared by its services."""
