"""The web service: JSON API, static files, sessions."""
