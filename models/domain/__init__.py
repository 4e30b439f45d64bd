"""What things are: plain data and pure state machines. Imports nothing of ours but itself."""
