"""Runs first in the packaged program, whose loader has put our libraries into the environment.

What we start must find its own: a browser, a file manager, the broker. Our own program, started again, must not take
itself for a part of this process, which would spare it to look for our libraries.
"""

import os

original = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
os.environ.pop("LD_LIBRARY_PATH", None)
if original is not None:
    os.environ["LD_LIBRARY_PATH"] = original
os.environ["PYINSTALLER_RESET_ENVIRONMENT"] = "1"
