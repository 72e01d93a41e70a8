"""Topics as contract: the files in `shared/contracts/topics/`, and applying them to a Kafka cluster.

One YAML file per topic says who owns, writes and reads it. From these, and nothing else, come the topics, their
dead-letter topics `<topic>.<group>.dlq`, and what each service's principal `dachuan-<service>` may do. The same code
serves the embedded node and a cluster elsewhere (`./dachuan topics apply`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.rules.yaml_source import YamlProblem, read_yaml

FOLDER = Path(__file__).resolve().parents[1] / "contracts" / "topics"


class TopicsError(ValueError):
    """A topic file is wrong, or the cluster did not take what it says."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Retention(_Strict):
    """How long records stay: `ms` milliseconds (-1: for ever), then deleted, or compacted to one per key."""

    ms: int = Field(ge=-1)
    cleanup: Literal["delete", "compact"] = "delete"


class Event(_Strict):
    """One event type on a topic: its CloudEvents `type`, JSON schema and examples, as paths in the contracts."""

    type: str
    schema_: str = Field(alias="schema")
    examples: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("examples"), str):
            return {**value, "examples": [value["examples"]]}
        return value


class Topic(_Strict):
    """One stream: who owns, writes and reads it, how it is keyed, split and kept."""

    topic: str = Field(pattern=r"^[a-z]+\.[a-z]+\.v[0-9]+$")
    description: str
    owner: str
    producers: tuple[str, ...] = Field(min_length=1)
    consumers: tuple[str, ...] = ()
    key: str
    partitions: int = Field(ge=1, le=512)
    retention: Retention
    events: tuple[Event, ...] = ()
    dlq: bool = True

    def dead_letters(self) -> dict[str, str]:
        """The dead-letter topic of each consumer group (a group is named as its service)."""
        return {group: dead_letter(self.topic, group) for group in self.consumers} if self.dlq else {}


def dead_letter(topic: str, group: str) -> str:
    """Name of the topic that takes what `group` could not handle from `topic`."""
    return f"{topic}.{group}.dlq"


def principal(service: str) -> str:
    """Kafka user name of a service."""
    return f"dachuan-{service}"


def load(folder: Path = FOLDER) -> tuple[Topic, ...]:
    """Read every topic file, in order of topic name.

    Raises:
        TopicsError: a file is not YAML, has unknown or missing fields, or does not bear its topic's name.
    """
    topics = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            topic = Topic.model_validate(read_yaml(path).value)
        except (YamlProblem, ValidationError) as error:
            raise TopicsError(f"{path}: {error}") from error
        if path.stem != topic.topic:
            raise TopicsError(f"{path}: holds topic {topic.topic}; the file must be named {topic.topic}.yaml")
        topics.append(topic)
    return tuple(topics)


def digest(topics: Iterable[Topic], *more: str) -> str:
    """A short fingerprint of the contract (and of `more`), to skip applying what has been applied."""
    text = "\n".join([*(topic.model_dump_json(by_alias=True) for topic in topics), *more])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class _Allowed:
    """One right of one principal, comparable with what the cluster lists."""

    principal: str
    resource: Literal["topic", "group"]
    name: str
    prefixed: bool
    operation: Literal["READ", "WRITE", "DESCRIBE"]


def rights(topics: Iterable[Topic]) -> frozenset[_Allowed]:
    """What each service's principal may do: write what it produces, read what it consumes as group `<service>` (or
    a group beginning with `<service>.`), write and read its own dead letters. Nothing else."""
    allowed: set[_Allowed] = set()

    def allow(service: str, resource: Literal["topic", "group"], name: str, *operations: str) -> None:
        prefixed = name.endswith(".")
        for operation in operations:
            allowed.add(_Allowed(f"User:{principal(service)}", resource, name, prefixed, operation))  # type: ignore[arg-type]

    for topic in topics:
        for service in topic.producers:
            allow(service, "topic", topic.topic, "WRITE", "DESCRIBE")
        for service in topic.consumers:
            allow(service, "topic", topic.topic, "READ", "DESCRIBE")
            allow(service, "group", service, "READ", "DESCRIBE")
            allow(service, "group", f"{service}.", "READ", "DESCRIBE")
        for service, name in topic.dead_letters().items():
            allow(service, "topic", name, "READ", "WRITE", "DESCRIBE")
    return frozenset(allowed)


@dataclass
class Changes:
    """What applying did, for the operator to read."""

    created: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    granted: int = 0
    revoked: int = 0


def apply(
    connection: Mapping[str, Any],
    topics: Iterable[Topic],
    *,
    passwords: Mapping[str, str] | None = None,
    replication: int = 1,
    timeout: float = 30.0,
) -> Changes:
    """Bring the cluster to what the topic files say. Safe to repeat; deletes no topic and no record.

    Args:
        connection: librdkafka settings of a principal that may administer the cluster.
        topics: the contract.
        passwords: service → password for its SCRAM-SHA-512 user; None leaves users alone (they are managed elsewhere).
        replication: replicas of each new topic; from 3 on, writes wait for two of them.
        timeout: seconds for each request.

    Raises:
        TopicsError: the cluster refused something; names what.
    """
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    topics = tuple(topics)
    admin = AdminClient({"log_level": 0, **connection})
    changes = Changes()
    try:
        _apply_topics(admin, topics, replication, timeout, changes)
        if passwords:
            _apply_users(admin, passwords, timeout, changes)
            _await_users(connection, passwords, timeout)
        _apply_rights(admin, rights(topics), timeout, changes)
    except KafkaException as error:
        raise TopicsError(f"the Kafka cluster refused: {error}") from error
    return changes


def _wanted(topics: Iterable[Topic], replication: int) -> dict[str, tuple[int, dict[str, str]]]:
    durable = {"min.insync.replicas": "2"} if replication >= 3 else {}
    wanted: dict[str, tuple[int, dict[str, str]]] = {}
    for topic in topics:
        keep = {"cleanup.policy": topic.retention.cleanup, "retention.ms": str(topic.retention.ms)}
        wanted[topic.topic] = (topic.partitions, {**keep, **durable})
        for name in topic.dead_letters().values():
            wanted[name] = (1, {"cleanup.policy": "delete", "retention.ms": "-1", **durable})
    return wanted


def _apply_topics(admin: Any, topics: tuple[Topic, ...], replication: int, timeout: float, changes: Changes) -> None:
    from confluent_kafka.admin import (
        AlterConfigOpType,
        ConfigEntry,
        ConfigResource,
        NewPartitions,
        NewTopic,
        ResourceType,
    )

    wanted = _wanted(topics, replication)
    there = admin.list_topics(timeout=timeout).topics
    missing = [
        NewTopic(name, partitions, replication, config=config)
        for name, (partitions, config) in wanted.items()
        if name not in there
    ]
    if missing:
        _finish(admin.create_topics(missing, request_timeout=timeout))
        changes.created += [topic.topic for topic in missing]
    present = [name for name in wanted if name in there]
    grow = [NewPartitions(name, wanted[name][0]) for name in present if len(there[name].partitions) < wanted[name][0]]
    if grow:
        _finish(admin.create_partitions(grow, request_timeout=timeout))
        changes.altered += [one.topic for one in grow]
    if present:
        asked = [ConfigResource(ResourceType.TOPIC, name) for name in present]
        alter = []
        for resource, future in admin.describe_configs(asked, request_timeout=timeout).items():
            now = future.result()
            differs = {key: value for key, value in wanted[resource.name][1].items() if now[key].value != value}
            if differs:
                entries = [
                    ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
                    for key, value in differs.items()
                ]
                alter.append(ConfigResource(ResourceType.TOPIC, resource.name, incremental_configs=entries))
        if alter:
            _finish(admin.incremental_alter_configs(alter, request_timeout=timeout))
            changes.altered += [one.name for one in alter]


def _apply_users(admin: Any, passwords: Mapping[str, str], timeout: float, changes: Changes) -> None:
    from confluent_kafka.admin import ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

    mechanism = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    upserts = [
        UserScramCredentialUpsertion(principal(service), mechanism, password.encode())
        for service, password in sorted(passwords.items())
    ]
    _finish(admin.alter_user_scram_credentials(upserts, request_timeout=timeout))
    changes.users += [principal(service) for service in sorted(passwords)]


def _await_users(connection: Mapping[str, Any], passwords: Mapping[str, str], timeout: float) -> None:
    """Return when the new passwords are taken: brokers learn of them a moment after the controller has said yes."""
    from confluent_kafka.admin import AdminClient

    service, password = max(passwords.items())
    user = {"sasl.username": principal(service), "sasl.password": password, "reconnect.backoff.ms": 20}
    AdminClient({"log_level": 0, **connection, **user}).list_topics(timeout=timeout)


def _apply_rights(admin: Any, wanted: frozenset[_Allowed], timeout: float, changes: Changes) -> None:
    """Grant what is missing and take back what our principals hold beyond the contract."""
    from confluent_kafka.admin import (
        AclBinding,
        AclBindingFilter,
        AclOperation,
        AclPermissionType,
        ResourcePatternType,
        ResourceType,
    )

    def binding(right: _Allowed, kind: type = AclBinding) -> Any:
        return kind(
            ResourceType[right.resource.upper()],
            right.name,
            ResourcePatternType.PREFIXED if right.prefixed else ResourcePatternType.LITERAL,
            right.principal,
            "*",
            AclOperation[right.operation],
            AclPermissionType.ALLOW,
        )

    everything = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    ours = {right.principal for right in wanted}
    held = {acl for acl in admin.describe_acls(everything, request_timeout=timeout).result() if acl.principal in ours}
    bindings = {binding(right) for right in wanted}
    grant, revoke = bindings - held, held - bindings
    if grant:
        _finish(admin.create_acls(list(grant), request_timeout=timeout))
    if revoke:
        filters = [
            AclBindingFilter(
                acl.restype,
                acl.name,
                acl.resource_pattern_type,
                acl.principal,
                acl.host,
                acl.operation,
                acl.permission_type,
            )
            for acl in revoke
        ]
        _finish(admin.delete_acls(filters, request_timeout=timeout))
    changes.granted, changes.revoked = len(grant), len(revoke)


def _finish(futures: Mapping[Any, Future[Any]]) -> None:
    from confluent_kafka import KafkaError, KafkaException

    for what, future in futures.items():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
                continue
            raise TopicsError(f"{getattr(what, 'name', what)}: {error.args[0].str()}") from error
