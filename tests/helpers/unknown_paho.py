"""`python -m tests.helpers.unknown_paho record …`: the program with a paho that it does not know, which therefore brings every
message itself."""

import sys

import paho.mqtt

from app.__main__ import main

if __name__ == "__main__":
    paho.mqtt.__version__ = "99.0"
    sys.exit(main())
