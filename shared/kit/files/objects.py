"""Object storage: a folder of this machine or an S3 bucket, by obstore. What is kept here is sealed before it comes."""

import asyncio
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from shared.kit.logs import log
from shared.kit.problem import Unavailable

Reason = Literal["credentials", "bucket", "unreachable"]

_CLIENT = {"connect_timeout": "3s", "timeout": "60s"}
_RETRY = {"max_retries": 3, "retry_timeout": timedelta(seconds=10)}
"""A storage that is away for longer is told of: somebody waits for the answer."""


class StorageError(Unavailable):
    """The bucket cannot be used: our credentials are refused, it is not there, or nobody answers."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(
            "文件存储现在不能使用；没有保存任何内容。请稍后再试，并告知运维人员查看日志。 "
            "The file storage cannot be used now; nothing was kept. Try again later, and tell operations to look at the log.",
            code="file-storage",
        )
        self.reason = reason


class Objects:
    """Small sealed objects by key. Calls run in threads: the library's own event loop stays out of ours.

    With S3, whatever keeps the bucket from being used is raised as StorageError and logged with its reason.
    """

    def __init__(self, folder: Path, url: str = "", options: dict[str, str] | None = None) -> None:
        self._folder = folder
        self._url = url
        self._options = options or {}

    @cached_property
    def _store(self) -> Any:
        # imported late: a service that is handed no file does not pay for it
        from obstore.store import LocalStore, from_url

        if self._url:
            plain = self._options.get("endpoint", "").startswith("http://")
            return from_url(
                self._url,
                config=self._options,  # type: ignore[arg-type]
                client_options={**_CLIENT, "allow_http": plain},  # type: ignore[arg-type]
                retry_config=_RETRY,  # type: ignore[arg-type]
            )
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return LocalStore(self._folder)

    @contextmanager
    def _asking(self, call: str) -> Iterator[None]:
        """Say what is wrong with the bucket. A key that a `get` does not find is no trouble of the storage."""
        from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

        try:
            yield
        except (BaseError, FileNotFoundError) as error:
            if not self._url:
                raise
            said, missing = str(error), isinstance(error, FileNotFoundError)
            no_bucket = "NoSuchBucket" in said
            if missing and call in ("get", "delete") and not no_bucket:
                raise
            # of a list, the library tells the status in its message alone
            refused = isinstance(error, (PermissionDeniedError, UnauthenticatedError)) or " 403 " in said or " 401 " in said
            reason: Reason = "credentials" if refused else "bucket" if missing or no_bucket else "unreachable"
            log.error("files.storage-failed", kind=call, reason=reason, url_host=urlsplit(self._options.get("endpoint", "")).netloc)
            raise StorageError(reason) from None

    async def put(self, key: str, data: bytes) -> None:
        """Keep an object; it is on disk (or with S3, acknowledged) when this returns."""
        await asyncio.to_thread(self._put, key, data)

    def _put(self, key: str, data: bytes) -> None:
        import obstore

        with self._asking("put"):
            obstore.put(self._store, key, data, use_multipart=False)
        if not self._url:
            for path in (self._folder / key, (self._folder / key).parent):
                descriptor = os.open(path, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)

    async def get(self, key: str) -> bytes:
        """An object's bytes; FileNotFoundError without it."""
        return await asyncio.to_thread(self._get, key)

    def _get(self, key: str) -> bytes:
        import obstore

        with self._asking("get"):
            return bytes(obstore.get(self._store, key).bytes())

    async def under(self, prefix: str) -> list[str]:
        """All keys under a prefix (a path up to a slash), in order."""
        return sorted([key for key, _ in await asyncio.to_thread(lambda: list(self._list(prefix)))])

    async def older(self, prefix: str, than: datetime) -> list[str]:
        """The keys under a prefix that were last written before a moment."""
        return await asyncio.to_thread(lambda: [key for key, at in self._list(prefix) if at < than])

    def _list(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        import obstore

        with self._asking("list"):
            for batch in obstore.list(self._store, prefix):
                for one in batch:
                    yield one["path"], one["last_modified"]

    async def remove(self, keys: Sequence[str]) -> None:
        """Delete objects; those that are not there do not matter."""
        if keys:
            await asyncio.to_thread(self._remove, keys)

    def _remove(self, keys: Iterable[str]) -> None:
        import obstore

        for key in keys:
            try:
                with self._asking("delete"):
                    obstore.delete(self._store, key)
            except FileNotFoundError:
                continue
            if not self._url:
                self._prune((self._folder / key).parent)

    def _prune(self, folder: Path) -> None:
        while folder != self._folder:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent

    def room(self) -> int | None:
        """Free bytes where objects are kept, or None where nobody knows (S3)."""
        if self._url:
            return None
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return shutil.disk_usage(self._folder).free
