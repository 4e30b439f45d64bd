"""The broker: sessions, reading of what agents publish, publishing; knows the domain, not the database."""
