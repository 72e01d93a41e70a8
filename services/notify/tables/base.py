"""The metadata all of notify's tables stand in, and the kit's tables. Timestamps are UTC; lists are jsonb."""

from sqlalchemy import MetaData

from shared.kit.tables import kit_tables

metadata = MetaData()
kit = kit_tables(metadata)
