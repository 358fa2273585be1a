"""The poller service: run what is due."""
