"""The language in which log records are looked for, the same in the window and on the command line."""
