"""Real peers and fakes for the tests: broker, fake broker, clock, X server, waiting."""
