"""Numbered scripts that bring `catalogue.db` from one schema to the next, one transaction each; the last thing each does
is to set user_version. They are run as files, so a packaged program must carry them as files."""
