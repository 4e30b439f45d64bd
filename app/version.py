"""The version of the program, told by `--version`, the lock of a workspace, its captures and the control channel."""

VERSION = "0.1.0"
