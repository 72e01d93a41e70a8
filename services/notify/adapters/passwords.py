"""Password hashes: Argon2id by pwdlib, in threads of their own (a hash takes about 0.1 s and 64 MiB)."""

import asyncio
import hashlib
import hmac
from concurrent.futures import ThreadPoolExecutor

from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError
from pwdlib.hashers.argon2 import Argon2Hasher

_threads = ThreadPoolExecutor(2, thread_name_prefix="argon2")
_strong = PasswordHash.recommended()
_light = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8192, parallelism=1),))

NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$zPthoYwPeYV/msES/S240Q$w29sVMXu1OausbF3HPQMN8fJellOM5JcEbV/4xCAsYs"
"""Checked for a login nobody has, so that the answer takes as long; its result is never used."""


async def hashed(password: str) -> str:
    """The hash to keep for a password."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _strong.hash, password)


def hashed_lightly(password: str) -> str:
    """A cheaper hash for generated demo passwords of the local mode, so that `up` stays fast."""
    return _light.hash(password)


async def matches(password: str, kept: str | None) -> bool:
    """Whether a password fits a kept hash; False, after as long a time, where there is none."""

    def check() -> bool:
        try:
            return _strong.verify(password, kept or NOBODY) and kept is not None
        except PwdlibError:
            return False

    return await asyncio.get_running_loop().run_in_executor(_threads, check)


def matches_lightly(password: str, kept: str | None) -> bool:
    """`matches` at once, for seeding demo accounts."""
    return kept is not None and _light.verify(password, kept)


def secret_hash(secret: str) -> bytes:
    """The kept form of a client's secret. It is random and long, so a plain hash gives nothing to guess at."""
    return hashlib.sha256(secret.encode()).digest()


def secret_matches(secret: str, kept: bytes) -> bool:
    """Whether a client's secret is the kept one, in constant time."""
    return hmac.compare_digest(secret_hash(secret), kept)
