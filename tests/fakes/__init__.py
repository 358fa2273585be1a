"""What the tests talk to over sockets: printers, a cloud, a proxy; none shares code with the product."""
