"""What holds for everything that tests, the demo and the bench start."""

import os

# Simulated printers have loopback addresses, at whose ports 80 and 443 this computer's own servers may listen.
os.environ.setdefault("PRINTMONITOR_PAGE_PORTS", "1 1")
