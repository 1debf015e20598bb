"""CSI's accountants keep chart, unit codes and periods; its purchasing department looks after vendors."""

from __future__ import annotations

from support.month_office import Office, pick

from airflow_provider_mlconnector.sandbox import master

TERMS = [f"N{terms}" for terms, _days in master.TERMS.values()]
NEW_ACCOUNTS = {"51500": "Small tools", "52200": "Cleaning", "53100": "Legal advice", "54100": "Cloud services"}
CLOSING_ACCOUNT = "52100"
"""Goes out of use now and then, and comes back."""
CLOSED_AFTER = 3
"""Day of the month on which accountants close the one before."""


def keep_ledger(office: Office, day: int) -> None:
    """Open accounts, let one go out of use and bring it back, close last month's books."""
    today = office.hours.now().date()
    if today.day == CLOSED_AFTER:
        office.do("cloudsuite", "period", year=today.year, period=today.month - 1)
    if day % 8 == 2:
        code = list(NEW_ACCOUNTS)[day // 8 % len(NEW_ACCOUNTS)]
        office.do("cloudsuite", "account", account=code, description=NEW_ACCOUNTS[code], access1="A")
    if day % 6 == 3:
        office.do("cloudsuite", "account_obsolete", account=CLOSING_ACCOUNT)
    if day % 6 == 5:
        use_again(office, CLOSING_ACCOUNT)


def use_again(office: Office, account: str) -> None:
    """Bring an account back that was out of use."""
    office.do("cloudsuite", "account", account=account, obs_date=None)


def edit_in_csi(office: Office, day: int) -> None:
    """Change terms and tax ids, move vendors CSI has no say in moving, hold some and let the last ones go on."""
    rng = office.random(f"CSI's vendors of day {day}")
    numbers = office.plan.shared_suppliers
    for number in office.diary.held:
        office.do("cloudsuite", "vendor", vendor=number, hold=False)
    office.diary.held.clear()
    for number in pick(rng, numbers, max(2, len(numbers) // 60)):
        way = rng.choice(("terms", "terms", "tax", "address", "phone"))
        changes = {
            "terms": {"terms": rng.choice(TERMS)},
            "tax": {"tax_number": f"TX{day:02d}{number[-5:]}"},
            "address": {"street": f"{rng.randint(1, 99)} Wrong Turn"},
            "phone": {"phone": f"+1 555 {rng.randint(1000, 9999)}"},
        }[way]
        office.do("cloudsuite", "vendor", vendor=number, **changes)
    for number in pick(rng, numbers, 2):
        office.do("cloudsuite", "vendor", vendor=number, hold=True)
        office.diary.held.append(number)
    if rng.random() < 0.3:
        office.do("cloudsuite", "vendor", vendor=f"S{office.plan.seed % 100:02d}{day:03d}", name=f"Walk-in {day}",
                  street=f"{day} Weir & Lock", city="Eastport", postal_code=f"8{day:04d}", country="US",
                  currency="USD", tax_number=f"TX8{day:04d}", email=f"desk{day}@walkin.example")  # fmt: skip
