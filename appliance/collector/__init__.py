"""Poll one printer and build its reading."""
