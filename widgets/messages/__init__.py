"""The messages screen: topics with their rates, the messages of one, what a message holds, publishing."""
