"""Suppliers are looked after in both systems at once; accountants keep the chart, the periods and the journals."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from support.month_office import Office, pick

from airflow_provider_mlconnector.sandbox import master

Row = Mapping[str, Any]
STREETS = ("Canal Row", "Mill Lane", "Station Yard", "Harbor Walk", "Kiln Street", "Rue de l'Étang", "Weir & Lock")
TERMS = [terms for terms, _days in master.TERMS.values()]
NEW_ACCOUNTS = {"5150": "Small tools", "5220": "Cleaning", "5310": "Legal advice", "5410": "Cloud services"}


def edit_in_jaggaer(office: Office, day: int) -> None:
    """Move, rename and re-staff suppliers in JAGGAER, and add new ones.

    Terms, bank and remit-to are left alone: no resource of JAGGAER shows them, so nobody could tell.
    """
    rng = office.random(f"JAGGAER's suppliers of day {day}")
    numbers = office.plan.shared_suppliers
    for number in pick(rng, numbers, max(2, len(numbers) // 60)):
        change = rng.choice((_move, _move, _mail, _name, _contact))
        change(office, rng, number, day)
    if rng.random() < 0.5:
        name = f"Fresh Start {office.plan.seed}-{day}"
        profile = {"companyName": name, "address": f"{day + 1} {rng.choice(STREETS)}", "zip": f"9{day:04d}"}
        mail, alias = f"office@fresh{day}.example", f"fresh{office.plan.seed}-{day}"
        more = {"city": "Millbrook", "isoCountry": "US", "currency": "USD", "bizEmail": mail, "userAlias": alias}
        office.do("jaggaer", "supplier_create", **profile, **more, fiscalCode=f"TX9{office.plan.seed:02d}{day:04d}")


def _move(office: Office, rng: random.Random, number: str, day: int) -> None:
    street = f"{rng.randint(1, 99)} {rng.choice(STREETS)}"
    office.do("jaggaer", "supplier_edit", number=number, set={"address": street, "zip": f"{70_000 + day}"})


def _mail(office: Office, rng: random.Random, number: str, day: int) -> None:
    mail = f"ap{rng.randint(1, 99)}.d{day}@{number.lower()}.example"
    office.do("jaggaer", "supplier_edit", number=number, set={"bizEmail": mail})


def _name(office: Office, rng: random.Random, number: str, day: int) -> None:
    office.do("jaggaer", "supplier_edit", number=number, set={"companyName": f"Renamed {number} of day {day}"})


def _contact(office: Office, rng: random.Random, number: str, day: int) -> None:
    office.do("jaggaer", "supplier_edit", number=number, set={"userName": f"Kim{day}", "userSurName": "Desk"})


def edit_in_syspro(office: Office, day: int) -> None:
    """Change terms and tax ids, move suppliers SYSPRO has no say in moving, hold some and let the last ones go on."""
    rng = office.random(f"SYSPRO's suppliers of day {day}")
    numbers = office.plan.shared_suppliers
    for number in office.diary.held:
        office.do("syspro", "supplier", supplier=number, on_hold=False)
    office.diary.held.clear()
    for number in pick(rng, numbers, max(2, len(numbers) // 80)):
        way = rng.choice(("terms", "terms", "tax", "address", "phone"))
        changes = {
            "terms": {"terms": rng.choice(TERMS)},
            "tax": {"tax_number": f"TX{day:02d}{number[-5:]}"},
            "address": {"SupAddr1": f"{rng.randint(1, 99)} Wrong Turn"},
            "phone": {"Telephone": f"+1 555 {rng.randint(1000, 9999)}"},
        }[way]
        office.do("syspro", "supplier", supplier=number, **changes)
    for number in pick(rng, numbers, 2):
        office.do("syspro", "supplier", supplier=number, on_hold=True)
        office.diary.held.append(number)
    if rng.random() < 0.3:
        office.do("syspro", "supplier", supplier=f"S{office.plan.seed:02d}{day:03d}", name=f"Walk-in {day}",
                  SupAddr1=f"{day} {STREETS[0]}", SupPostalCode=f"8{day:04d}", tax_number=f"TX8{day:04d}")  # fmt: skip


def keep_ledger(office: Office, day: int, journals: Sequence[Row]) -> None:
    """Open accounts, hold and release one, authorize what waits, run the integration, turn the month."""
    today = office.hours.now().date()
    if today.day == 1:
        for module in ("AP", "GL"):
            office.do("syspro", "period", module=module, year=today.year, month=today.month, current=True)
    if day % 8 == 2 and (code := list(NEW_ACCOUNTS)[day // 8 % len(NEW_ACCOUNTS)]):
        for section, _name in master.COST_CENTERS.values():
            office.do("syspro", "gl_account", gl_code=f"{section}-{code}", description=NEW_ACCOUNTS[code])
    if day % 6 == 3:
        office.hold_account("5210", held=True)
    if day % 6 == 5:
        office.hold_account("5210", held=False)
    for row in journals:
        if not row["authorized"]:
            office.do("syspro", "gl_journal_authorize", journal=row["journal"])
    office.do("syspro", "gl_integration_run")
