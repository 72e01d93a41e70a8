"""JSON routes of the prevention registers, patrols and surveys."""

from fastapi import APIRouter

from services.intake.api.registers import named, patrols, rentals, surveys

router = APIRouter()
for _part in (rentals, named, patrols, surveys):
    router.include_router(_part.router)
