"""Any series of any agents in panels that the user arranges."""
