"""The package of evidence that leaves the house: a ZIP made as a stream, which a stranger checks with public tools.

`manifest.txt` is what `sha256sum -c` reads and covers every other file but its own signature; the signature is plain
Ed25519 over its bytes (RFC 8032), as `openssl pkeyutl -verify -rawin` reads it.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.kit.clock import CHINA

README, MANIFEST, DETAILS = "README.txt", "manifest.txt", "manifest.json"
SIGNATURE, PUBLIC_KEY = "manifest.txt.sig", "public-key.pem"


def pem(key: Ed25519PublicKey) -> bytes:
    """A public key as openssl reads it."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def key_id(key: Ed25519PublicKey) -> str:
    """A public key's id: the SHA-256 of its DER form, in hex."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def manifest(papers: Mapping[str, bytes], files: Iterable[tuple[str, bytes]]) -> bytes:
    """The lines of `sha256sum`: of papers their content is hashed, of files the hash of receipt is given."""
    lines = [(hashlib.sha256(data).hexdigest(), name) for name, data in papers.items()]
    lines += [(digest.hex(), name) for name, digest in files]
    return "".join(f"{digest}  {name}\n" for digest, name in sorted(lines, key=lambda one: one[1])).encode()


def readme(case_number: str, keys_address: str, key: str, made_at: datetime) -> bytes:
    """What is in the package and how to check it, Chinese first."""
    made = made_at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S %z")
    return f"""证据包 · {case_number}
制作时间：{made}

里面有什么
  files/          证据文件，文件名为“证据号-文件号”
  manifest.json   每件证据的说明、收集人员、法律依据、文件及其哈希（SHA-256、国密 SM3）
  custody/        每件证据的保管链：谁在何时收、看、交、取走
  manifest.txt    以上所有文件的 SHA-256
  manifest.txt.sig、public-key.pem   对 manifest.txt 的签名（Ed25519）和公钥

怎样核验（断网也可以，用公开工具；先解压到一个空文件夹，在里面执行）
  1. 文件没有变：          sha256sum -c manifest.txt
  2. 清单是我们签的：      openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in manifest.txt -sigfile manifest.txt.sig
  3. 公钥是我们的：        openssl pkey -pubin -in public-key.pem -outform DER | sha256sum
     结果应为              {key}
     并与公布的一致：      {keys_address}
  4. 保管链没有变：custody/NNN.jsonl 每一行（不含换行）的 SHA-256，就是下一行的 previous；
     最后一行的 SHA-256 就是 manifest.json 里的 custody_head。
     custody/NNN.words.jsonl 每一行（不含换行）的 SHA-256，就是同号那一行的 words。

--------------------------------------------------------------------------------------------------------------------

Package of evidence · {case_number}
Made: {made}

What is in it
  files/          the files, named “number of the item-number of the file”
  manifest.json   each item's description, officers, legal basis, files and their hashes (SHA-256, SM3 of GB/T 32905)
  custody/        each item's custody chain: who received, read, handed over or took it, and when
  manifest.txt    the SHA-256 of all of these
  manifest.txt.sig, public-key.pem   the signature of manifest.txt (Ed25519) and the public key

How to check it (offline, with public tools; unpack it into an empty folder and work there)
  1. The files are unchanged:   sha256sum -c manifest.txt
  2. We signed the manifest:    openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in manifest.txt -sigfile manifest.txt.sig
  3. The key is ours:           openssl pkey -pubin -in public-key.pem -outform DER | sha256sum
     has to give                {key}
     as it is published at      {keys_address}
  4. The chains are unchanged: the SHA-256 of each line (without its line end) of custody/NNN.jsonl is `previous` of the
     next; that of the last is `custody_head` in manifest.json. The SHA-256 of each line of custody/NNN.words.jsonl is
     `words` of the line with the same number.
""".encode()


class _Sink:
    """Where the ZIP is written: taken away piece by piece."""

    def __init__(self) -> None:
        self._pieces = bytearray()

    def write(self, data: bytes) -> int:
        self._pieces += data
        return len(data)

    def flush(self) -> None:
        """Nothing to do: what is written is there."""

    def taken(self) -> bytes:
        data = bytes(self._pieces)
        self._pieces.clear()
        return data


async def package(
    papers: Mapping[str, bytes],
    files: Iterable[tuple[str, int, AsyncIterator[bytes]]],
    made_at: datetime,
) -> AsyncIterator[bytes]:
    """The ZIP as a stream: papers first, then the files (name, size, bytes). Never holds more than a piece of a file.

    Stored, not compressed: nothing unfolds at the receiver's, and photos are packed as they are.
    """
    sink = _Sink()
    date = made_at.astimezone(CHINA).timetuple()[:6]
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:  # type: ignore[arg-type]
        for name, data in papers.items():
            archive.writestr(zipfile.ZipInfo(name, date), data)
            yield sink.taken()
        for name, size, chunks in files:
            info = zipfile.ZipInfo(name, date)
            with archive.open(info, "w", force_zip64=size >= 1 << 31) as entry:
                async for chunk in chunks:
                    entry.write(chunk)
                    yield sink.taken()
            yield sink.taken()
    yield sink.taken()
