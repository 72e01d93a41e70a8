"""Pages of prevention: registers, patrols, surveys, venues."""

from fastapi import APIRouter

from services.intake.pages.registers import imports, named, patrol, prevention, rentals

router = APIRouter()
for _part in (prevention, rentals, imports, named, patrol):
    router.include_router(_part.router)
