"""Everything with pixels; knows the domain, not the broker and not the database."""
