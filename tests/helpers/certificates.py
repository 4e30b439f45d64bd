"""Certificates for TLS tests, made on the spot."""

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Certificates:
    """Files: the authority, the server's pair, a client's pair, and an authority that signed none of them."""

    ca: Path
    server_cert: Path
    server_key: Path
    client_cert: Path
    client_key: Path
    other_ca: Path


def make_certificates(folder: Path, *server_names: str, client_name: str = "tester") -> Certificates:
    """Write a set of certificates; the server's is for localhost and 127.0.0.1 unless other names are given."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    files = Certificates(
        *(folder / name for name in ("ca.pem", "server.pem", "server.key", "client.pem", "client.key", "other-ca.pem"))
    )
    authority.cert_pem.write_to_path(files.ca)
    trustme.CA().cert_pem.write_to_path(files.other_ca)
    server = authority.issue_cert(*(server_names or ("localhost", "127.0.0.1")))
    client = authority.issue_cert(f"{client_name}@example.test", common_name=client_name)
    for leaf, cert_file, key_file in (
        (server, files.server_cert, files.server_key),
        (client, files.client_cert, files.client_key),
    ):
        cert_file.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        leaf.private_key_pem.write_to_path(key_file)
    return files
