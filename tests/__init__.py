"""What holds for everything that tests, the demo and the bench start."""

import os

# Simulated printers have loopback addresses: their ports 80 and 443 are those of this computer's own servers.
os.environ.setdefault("PRINTMONITOR_PAGE_PORTS", "1 1")
