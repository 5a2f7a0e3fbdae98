"""The durable loop: observe, decide, perform."""
