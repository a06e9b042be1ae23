"""Certificates for servers on loopback, issued by an authority that is made for one run."""

from dataclasses import dataclass
from pathlib import Path

import trustme

from demo.loopback import ADDRESS


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files of a serving certificate."""

    ca_file: Path
    certificate_file: Path
    key_file: Path


def issue(folder: Path) -> Certificate:
    """Write a certificate for loopback into `folder`, together with the authority that signed it."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    leaf = authority.issue_cert(ADDRESS, "localhost")
    made = Certificate(folder / "ca.crt", folder / "tls.crt", folder / "tls.key")
    authority.cert_pem.write_to_path(made.ca_file)
    leaf.private_key_pem.write_to_path(made.key_file)
    made.certificate_file.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    made.key_file.chmod(0o600)
    return made
