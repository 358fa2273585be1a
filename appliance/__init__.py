"""PrintMonitor Plug: finds printers, reads them, reports them."""

__version__ = "0.1.0"
