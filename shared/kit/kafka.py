"""Kafka: connections, and events as CloudEvents 1.0 in Kafka binary mode."""

import ssl
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary

from shared.events import EVENT_TYPES, Event
from shared.kit.settings import ServiceSettings

SESSION_MS = 6_000
"""How long a consumer that died without a word keeps its partitions from the one started in its place: the shortest that
Kafka's own `group.min.session.timeout.ms` allows, since an urgent event may be waiting there.
"""


class UndecodableError(Exception):
    """A message that is no event of ours; `reason` is a code, never content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Bytes:
    """The SDK's format hook: data is JSON bytes already, validated once by its model."""

    def get_content_type(self) -> str:
        return "application/cloudevents+json"

    def read_data(self, body: bytes, _content_type: str | None) -> bytes:
        return body

    def write_data(self, data: bytes, _content_type: str | None) -> bytes:
        return data

    def read(self, *_: Any) -> Any:
        raise UndecodableError("structured-mode")

    def write(self, *_: Any) -> bytes:
        raise NotImplementedError


_FORMAT = _Bytes()


def connection(settings: ServiceSettings) -> dict[str, Any]:
    """The connection arguments of aiokafka's clients."""
    args: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap,
        "security_protocol": settings.kafka_security_protocol,
        "client_id": f"dachuan-{settings.service}",
    }
    if settings.kafka_security_protocol != "PLAINTEXT":
        args |= {
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": settings.kafka_username or f"dachuan-{settings.service}",
            "sasl_plain_password": settings.kafka_password,
        }
    if settings.kafka_security_protocol == "SASL_SSL":
        args["ssl_context"] = ssl.create_default_context(cafile=settings.kafka_ca_file)
    return args


def make_producer(settings: ServiceSettings) -> AIOKafkaProducer:
    """An idempotent producer: acks=all, no duplicates by its own retries."""
    return AIOKafkaProducer(
        **connection(settings),
        enable_idempotence=True,
        max_batch_size=512 * 1024,
        max_request_size=2 * 1024 * 1024,
        request_timeout_ms=10_000,
        linger_ms=0,
    )


def make_consumer(
    settings: ServiceSettings, topics: Iterable[str], group: str, *, gather: bool = True
) -> AIOKafkaConsumer:
    """A consumer whose offsets are committed by hand, after the effect.

    With `gather` the broker waits up to 250 ms for 256 KiB, so that steady traffic comes in batches; without, every
    event is handed over at once.
    """
    return AIOKafkaConsumer(
        *topics,
        **connection(settings),
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=4 * 1024 * 1024,
        fetch_min_bytes=256 * 1024 if gather else 1,
        fetch_max_wait_ms=250 if gather else 500,
        session_timeout_ms=SESSION_MS,
        heartbeat_interval_ms=SESSION_MS // 4,
        max_poll_interval_ms=300_000,
    )


class _Outgoing:
    """An outbox row as the SDK's binding takes it; its attributes are ours and need no second validation."""

    __slots__ = ("_attributes", "_data")

    def __init__(self, attributes: dict[str, Any], data: bytes) -> None:
        self._attributes = attributes
        self._data = data

    def get_attributes(self) -> dict[str, Any]:
        return self._attributes

    def get_extension(self, name: str) -> Any:
        return self._attributes.get(name)

    def get_data(self) -> bytes:
        return self._data


def _incoming(attributes: dict[str, Any], _data: bytes) -> Any:
    """What the SDK makes of a message: its attributes. Which of them we need, and of which form, `decode` checks."""
    return attributes


def encode(row: Any, source: str) -> KafkaMessage:
    """An outbox row as a Kafka message."""
    attributes = {
        "specversion": "1.0",
        "id": str(row.id),
        "source": source,
        "type": row.type,
        "time": row.time,
        "recordedat": row.recordedat.isoformat(),
        "datacontenttype": "application/json",
        "partitionkey": row.key,
    }
    if row.traceparent:
        attributes["traceparent"] = row.traceparent
    return to_binary(_Outgoing(attributes, row.data), _FORMAT)  # type: ignore[arg-type]


def decode(record: Any) -> Event[Any] | None:
    """A consumed record as an event; None for a type this version does not know. UndecodableError otherwise."""
    try:
        headers = dict(record.headers)
        # The SDK would spend half of its work on this one attribute.
        time = datetime.fromisoformat(headers.pop("ce_time").decode())
        message = KafkaMessage(headers, record.key, record.value)
        attributes: Any = from_binary(message, _FORMAT, _incoming)  # type: ignore[arg-type]
        if attributes["specversion"] != "1.0":
            raise UndecodableError("specversion")
        model = EVENT_TYPES.get(attributes["type"])
        if model is None:
            return None
        return Event(
            id=UUID(attributes["id"]),
            type=attributes["type"],
            source=attributes["source"],
            key=attributes.get("partitionkey") or "",
            time=time,
            recordedat=datetime.fromisoformat(attributes["recordedat"]),
            traceparent=attributes.get("traceparent"),
            data=model.model_validate_json(record.value),
        )
    except UndecodableError:
        raise
    except Exception as error:
        # Whatever a hostile or broken producer sends must end in the DLQ, not in a crash loop.
        raise UndecodableError(type(error).__name__) from error
