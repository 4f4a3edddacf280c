"""Identities: the first 16 hexadecimal digits of SHA-256 over canonical JSON (RFC 8785)."""

import hashlib
from collections.abc import Mapping
from typing import Any

import rfc8785


def canonical_json(block: Mapping[str, Any]) -> bytes:
    """Serialise ``block`` by RFC 8785, so that equal content gives equal bytes on any machine."""
    return rfc8785.dumps(dict(block))


def block_id(block: Mapping[str, Any]) -> str:
    """Return the 16-digit identity of a case, subject or platform block."""
    return hashlib.sha256(canonical_json(block)).hexdigest()[:16]


def point_uid(case_id: str, subject_id: str, platform_id: str) -> str:
    """Return the uid of the point that joins the three identities."""
    return block_id({"case_id": case_id, "platform_id": platform_id, "subject_id": subject_id})
