"""From messages to records: who sent it, and which figures, log lines, states and exchanges it holds."""
