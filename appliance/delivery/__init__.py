"""Export printers as XML, archive, queue and deliver them."""
