"""What things are: plain data classes and pure state machines."""
