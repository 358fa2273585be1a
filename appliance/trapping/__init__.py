"""The trap receiver: the service that keeps what printers say of themselves."""
