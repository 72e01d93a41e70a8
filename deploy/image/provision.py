"""`python -m deploy.image.provision`: prepare PostgreSQL and Kafka for the four services; safe to repeat.

Makes what is missing: two roles and a database a service, topics and dead-letter topics, a Kafka user a service, and
the rights of each. Needs DACHUAN_POSTGRES_ADMIN_URL, DACHUAN_KAFKA_BOOTSTRAP, DACHUAN_KAFKA_ADMIN_USERNAME and
_PASSWORD (see `deploy.local.outside.Servers`) and, as DACHUAN_HOME/secrets/passwords.json, the passwords that
`python -m deploy.image.secrets` made. Migrations come after it, each service's by its own owner role.
"""

import asyncio
import os
import sys

from deploy.local.databases import provision
from deploy.local.outside import OutsideError, Servers
from deploy.local.secrets import Secrets
from deploy.local.state import State
from shared.kit import topics


def main() -> None:
    servers = Servers.from_settings(os.environ)
    if servers is None:
        raise OutsideError("DACHUAN_POSTGRES_ADMIN_URL and DACHUAN_KAFKA_BOOTSTRAP are missing")
    secrets = Secrets(State.default().secrets)
    made = asyncio.run(provision(servers.postgres_admin_url, secrets.logins))
    sys.stdout.write(f"databases made: {', '.join(made) or 'none, all were there'}\n")
    contract = topics.load()
    topics.apply(servers.kafka_admin, contract, passwords=secrets.kafka_users, replication=servers.replication)
    sys.stdout.write(f"topics of the contract: {len(contract)}, with users and rights\n")


if __name__ == "__main__":
    main()
