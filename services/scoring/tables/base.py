"""The metadata all of scoring's tables stand in, and the kit's tables."""

from sqlalchemy import MetaData

from shared.kit.tables import kit_tables

metadata = MetaData()
kit = kit_tables(metadata)
