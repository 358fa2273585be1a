"""The `printmonitor` command: one module per subcommand."""
