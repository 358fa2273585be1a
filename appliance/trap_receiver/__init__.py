"""The trap receiver service: store traps and have their printers polled."""
