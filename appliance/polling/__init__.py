"""The poller: the service that does what is due."""
