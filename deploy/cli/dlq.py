"""`./dachuan dlq`: what a service could not handle: list it, look at it, and send it again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from deploy.local.instance import Instance, NotRunningError
from shared.kit import topics

app = typer.Typer(help="List, show and redrive what could not be handled.", no_args_is_help=True)

_REDRIVE = ".redrive"
"""Group suffix under which is remembered what was redriven."""


@dataclass(frozen=True)
class Dead:
    """One message in a dead-letter queue."""

    queue: str
    topic: str
    group: str
    partition: int
    offset: int
    message: Message

    @property
    def headers(self) -> dict[str, str]:
        return {name: (value or b"").decode("utf-8", "replace") for name, value in self.message.headers() or []}

    def facts(self) -> dict[str, Any]:
        """For people and programs; events carry no personal data, so the content may be shown."""
        headers = self.headers
        return {
            "queue": self.queue,
            "id": f"{self.partition}/{self.offset}",
            "reason": headers.get("dlq_reason"),
            "at": headers.get("dlq_at"),
            "origin": headers.get("dlq_origin"),
            "type": headers.get("ce_type"),
            "event": headers.get("ce_id"),
            "key": (self.message.key() or b"").decode("utf-8", "replace"),
        }


@app.command("list")
def list_(json_: Annotated[bool, typer.Option("--json", help="Facts for programs.")] = False) -> None:
    """What waits in every dead-letter queue."""
    found = [one.facts() for queue in _queues() for one in _waiting(queue)]
    if json_:
        typer.echo(json.dumps(found))
    elif not found:
        typer.echo("no dead letters: every event was handled")
    else:
        for one in found:
            typer.echo(f"{one['queue']}  {one['id']}  {one['at']}  {one['reason']}  {one['type']} {one['event']}")
        typer.echo(f"{len(found)} waiting; when the cause is mended: ./dachuan dlq redrive QUEUE")


@app.command()
def show(
    queue: Annotated[str, typer.Argument(help="For example casework.case.v1.notify.dlq")],
    message: Annotated[str, typer.Argument(help="PARTITION/OFFSET, as `list` prints it.")],
    json_: Annotated[bool, typer.Option("--json", help="JSON is what it prints anyway.")] = False,
) -> None:
    """One message: its headers and data, as JSON."""
    for one in _waiting(_known(queue)):
        if one.facts()["id"] == message:
            data = (one.message.value() or b"").decode("utf-8", "replace")
            try:
                data = json.loads(data)
            except ValueError:
                pass
            typer.echo(json.dumps({**one.facts(), "headers": one.headers, "data": data}, indent=1, ensure_ascii=False))
            return
    typer.echo(f"no message {message} waits in {queue}", err=True)
    raise typer.Exit(4)


@app.command()
def redrive(
    queue: Annotated[str, typer.Argument(help="For example casework.case.v1.notify.dlq")],
    json_: Annotated[bool, typer.Option("--json", help="Facts for programs.")] = False,
) -> None:
    """Send every waiting message to its topic again, with its first id: who has applied it already skips it."""
    name = _known(queue)
    waiting = list(_waiting(name))
    producer = Producer({**_admin(), "enable.idempotence": True})
    failed: list[str] = []
    for one in waiting:
        kept = [(k, v) for k, v in one.message.headers() or [] if not k.startswith("dlq_")]
        producer.produce(
            one.topic,
            value=one.message.value(),
            key=one.message.key(),
            headers=kept,
            on_delivery=lambda error, _message: failed.append(str(error)) if error else None,
        )
    producer.flush(30)
    if failed:
        typer.echo(f"{len(failed)} could not be sent ({failed[0]}); nothing was marked, run it again", err=True)
        raise typer.Exit(1)
    _mark(name, waiting)
    typer.echo(json.dumps({"queue": name, "redriven": len(waiting)}) if json_ else f"{len(waiting)} sent again")


def _admin() -> dict[str, str]:
    try:
        return dict(Instance.running().kafka_admin)
    except NotRunningError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def _queues() -> dict[str, tuple[str, str]]:
    """Queue → (topic, group)."""
    return {queue: (topic.topic, group) for topic in topics.load() for group, queue in topic.dead_letters().items()}


def _known(queue: str) -> str:
    if queue not in _queues():
        typer.echo(f"no queue {queue}; there are: {', '.join(_queues())}", err=True)
        raise typer.Exit(2)
    return queue


def _reader(queue: str) -> Consumer:
    return Consumer(
        {**_admin(), "group.id": queue + _REDRIVE, "enable.auto.commit": False, "enable.partition.eof": False}
    )


def _waiting(queue: str) -> Iterator[Dead]:
    """Messages not redriven yet, oldest first."""
    topic, group = _queues()[queue]
    reader = _reader(queue)
    try:
        known = reader.list_topics(queue, timeout=10).topics[queue]
        places = [TopicPartition(queue, number) for number in known.partitions]
        starts = reader.committed(places, timeout=10)
        for place, start in zip(places, starts, strict=True):
            low, high = reader.get_watermark_offsets(place, timeout=10)
            at = max(low, start.offset)
            if at >= high:
                continue
            reader.assign([TopicPartition(queue, place.partition, at)])
            while at < high:
                message = reader.poll(10)
                if message is None:
                    raise RuntimeError(f"{queue}: Kafka did not answer within 10 s")
                if message.error():
                    raise RuntimeError(f"{queue}: {message.error()}")
                at = message.offset() + 1
                yield Dead(queue, topic, group, place.partition, message.offset(), message)
    finally:
        reader.close()


def _mark(queue: str, done: list[Dead]) -> None:
    ends: dict[int, int] = {}
    for one in done:
        ends[one.partition] = max(ends.get(one.partition, 0), one.offset + 1)
    if ends:
        reader = _reader(queue)
        reader.commit(offsets=[TopicPartition(queue, number, end) for number, end in ends.items()], asynchronous=False)
        reader.close()
