"""Read counters from printers' embedded web servers."""
