"""The program: commands, the recorder process and the window process, each put together in one place."""
