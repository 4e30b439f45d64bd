"""What a secret may look like where it should not be."""

import base64
import json
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote


def forms(secret: str) -> list[bytes]:
    """As it is, quoted for an address, inside JSON and Python text, base64, UTF-16."""
    as_json = json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]
    texts = {secret, quote(secret), quote(secret, safe=""), repr(secret)[1:-1], *as_json}
    return [text.encode() for text in texts] + [base64.b64encode(secret.encode()), secret.encode("utf-16-le")]


def holds(content: bytes, secret: str) -> bool:
    """Is it in there, in any form?"""
    return any(form in content for form in forms(secret))


def leaking_files(root: Path, secrets: Sequence[str]) -> list[str]:
    """Files under a folder that hold one of them."""
    return [
        str(file.relative_to(root))
        for file in sorted(root.rglob("*"))
        if file.is_file() and any(holds(content, secret) for content in _contents(file) for secret in secrets)
    ]


def _contents(file: Path) -> list[bytes]:
    """The bytes of a file, and what is packed in it."""
    content = file.read_bytes()
    found = [content]
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as packed:
            found += [packed.read(name) for name in packed.namelist()]
    elif content[:2] == b"\x1f\x8b":
        found.append(zlib.decompressobj(wbits=31).decompress(content))
    return found
