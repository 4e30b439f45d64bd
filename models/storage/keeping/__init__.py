"""How much history is kept, and the hourly values that outlive it."""
