"""Sealing a stream: STREAM (Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015) with AES-256-GCM, as age lays it out.

Chunks of 64 KiB are sealed one by one under a key used for this stream alone. A chunk's nonce is its number (11 bytes,
big-endian) and one byte that is 1 for the last chunk, so chunks cannot be dropped, repeated, reordered or cut off
unseen. The record's id is bound in as associated data: no chunk can be moved to another record.
https://github.com/C2SP/C2SP/blob/main/age.md#payload describes the same with ChaCha20-Poly1305.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.kit.crypto import UnreadableSecretError

CHUNK = 64 * 1024
SEALED_CHUNK = CHUNK + 16


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


class Sealer:
    """Seals what is fed; the last chunk leaves with `finish`."""

    def __init__(self, key: bytes, record: bytes) -> None:
        self._cipher, self._record, self._number, self._rest = AESGCM(key), record, 0, b""

    def feed(self, data: bytes) -> bytes:
        """The sealed chunks that are certain not to be the last."""
        data, sealed, at = self._rest + data, [], 0
        while len(data) - at > CHUNK:
            sealed.append(self._seal(data[at : at + CHUNK], last=False))
            at += CHUNK
        self._rest = data[at:]
        return b"".join(sealed)

    def finish(self) -> bytes:
        """The last chunk."""
        return self._seal(self._rest, last=True)

    def _seal(self, chunk: bytes, *, last: bool) -> bytes:
        sealed = self._cipher.encrypt(_nonce(self._number, last), chunk, self._record)
        self._number += 1
        return sealed


class Opener:
    """Opens what `Sealer` made. Raises UnreadableSecretError where bytes, order, record or key do not fit."""

    def __init__(self, key: bytes, record: bytes) -> None:
        self._cipher, self._record, self._number, self._rest = AESGCM(key), record, 0, b""

    def feed(self, sealed: bytes) -> bytes:
        """The plain bytes of the chunks that are certain not to be the last."""
        sealed, plain, at = self._rest + sealed, [], 0
        while len(sealed) - at > SEALED_CHUNK:
            plain.append(self._open(sealed[at : at + SEALED_CHUNK], last=False))
            at += SEALED_CHUNK
        self._rest = sealed[at:]
        return b"".join(plain)

    def finish(self) -> bytes:
        """The plain bytes of the last chunk: without it the stream was cut off."""
        return self._open(self._rest, last=True)

    def _open(self, sealed: bytes, *, last: bool) -> bytes:
        try:
            plain = self._cipher.decrypt(_nonce(self._number, last), sealed, self._record)
        except (InvalidTag, ValueError) as error:
            raise UnreadableSecretError("file") from error
        self._number += 1
        return plain
