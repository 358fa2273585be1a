"""One module per command: what `printmonitor NAME` does, once its arguments are understood."""
