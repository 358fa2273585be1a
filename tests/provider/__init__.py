"""A provider for developers: its own authority, licences by file and by HTTPS, revocation."""
