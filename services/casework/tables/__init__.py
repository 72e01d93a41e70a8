"""Casework's database: one module a capability; the kit's tables."""

from services.casework.tables.base import kit, metadata
from services.casework.tables.cases import (
    case_parties,
    cases,
    deadlines,
    early_facts,
    lead_meetings,
    lead_signals,
    number_register,
)
from services.casework.tables.documents import (
    document_files,
    document_numbers,
    document_services,
    document_styles,
    document_templates,
    documents,
)
from services.casework.tables.downline import (
    downline_edges,
    downline_facts,
    downline_imports,
    downline_members,
    downlines,
)
from services.casework.tables.evidence import (
    evidence_copies,
    evidence_custody,
    evidence_exports,
    evidence_files,
    evidence_handovers,
    evidence_items,
)
from services.casework.tables.measures import measure_items, penalty_instalments, penalty_payments
from services.casework.tables.operations import (
    operation_entries,
    operation_forces,
    operation_members,
    operation_presence,
    operations,
    withheld_events,
)
from services.casework.tables.persons import (
    case_entries,
    case_persons,
    person_merges,
    person_phones,
    person_steps,
    persons,
)
from services.casework.tables.places import (
    dens,
    links,
    organisations,
    places,
    recurrences,
    registered_places,
    revisits,
)
from services.casework.tables.proceedings import proceeding_steps, proceedings
from services.casework.tables.supervision import case_fact_notes, case_facts

__all__ = [
    "case_entries",
    "case_fact_notes",
    "case_facts",
    "case_parties",
    "case_persons",
    "cases",
    "deadlines",
    "dens",
    "document_files",
    "document_numbers",
    "document_services",
    "document_styles",
    "document_templates",
    "documents",
    "downline_edges",
    "downline_facts",
    "downline_imports",
    "downline_members",
    "downlines",
    "early_facts",
    "evidence_copies",
    "evidence_custody",
    "evidence_exports",
    "evidence_files",
    "evidence_handovers",
    "evidence_items",
    "kit",
    "lead_meetings",
    "lead_signals",
    "links",
    "measure_items",
    "metadata",
    "number_register",
    "operation_entries",
    "operation_forces",
    "operation_members",
    "operation_presence",
    "operations",
    "organisations",
    "penalty_instalments",
    "penalty_payments",
    "person_merges",
    "person_phones",
    "person_steps",
    "persons",
    "places",
    "proceeding_steps",
    "proceedings",
    "recurrences",
    "registered_places",
    "revisits",
    "withheld_events",
]
