"""Network building blocks without knowledge of printers: TLS contexts, text sanitising."""
