"""The licence: request, verify, install, report its status."""
