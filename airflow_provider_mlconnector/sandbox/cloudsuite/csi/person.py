"""What a person does at a CSI screen: ``POST /_sandbox/documents`` with ``{"system": "cloudsuite", "kind": …, …}``.

What CSI would refuse is refused here too. Amounts are text or numbers in the vendor's currency, dates ISO; vendors are
written padded or not, JAGGAER's way. Further properties go by their own names (``Buyer``, ``Txt`` …); optional parts
are in brackets.

Purchasing
    ``purchase_order``  vendor, lines of qty, price and account [unit] or item [description, uom, due_date, release]
        [po_num, type R/B, stat (O), order_date, buyer, freight, misc, tax, vend_order, terms]
    ``purchase_order_change``  po_num [header fields; lines: an existing ``line`` is changed, any other added]
    ``purchase_order_cancel_line``  po_num, line [release]: quantity to what was received, complete
    ``purchase_order_cancel``  po_num: so all its lines
    ``receive``  po_num [lines of line, qty [release]; date]: without lines all that is outstanding
Vendors
    ``vendor``  vendor [name, currency, terms, tax_number, street, city, postal_code, country, email, phone, bank,
        active, hold, hold_reason]: adds, renames, deactivates, holds, changes
    ``vendor_merge``  vendor, into: the first inactive from now on (SIM: its fourth address line names the second)
    ``vendor_delete``  vendor
Vouchers
    ``voucher``  vendor, invoice, lines of account, amount [unit, unit2 … unit4, tax_code, tax_basis]
        [amount, type V/A, invoice_date, dist_date, due_date, po_num, po_lines of line, qty, cost [release], tax,
        freight, misc, ref, stat (A) or H, voucher]: without ``amount`` the sum of the lines
    ``voucher_change``  voucher [the same; lines replace all there are]: only while unposted
    ``voucher_delete``  voucher: only while unposted
    ``pay``  voucher [amount, date]
General ledger
    ``account``  account [description, type, eff_date, obs_date, access1 … access4]: adds or changes
    ``account_obsolete``  account [date]
    ``unit_code``  unit [number (1), description]; ``unit_code_remove``  unit [number]
    ``account_unit``  account, unit [number, remove]: a unit code the account allows
    ``period``  year, period [closed (true)]
Jobs
    ``post_vouchers``  [vouchers]: what is ready
    ``voucher_purge``  voucher: out of posted transactions and register
    ``touch``  ido: moves the change stamps of all its rows, as direct SQL may
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.sandbox.cloudsuite.csi.clerk import Action, Body
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.person_jobs import JobClerk
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.person_ledger import LedgerClerk
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.person_orders import OrderClerk
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.person_vendors import VendorClerk
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.person_vouchers import VoucherClerk
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import whole

if TYPE_CHECKING:
    from airflow_provider_mlconnector.sandbox.cloudsuite.csi.books import CsiBooks

CLERKS = (OrderClerk, VendorClerk, VoucherClerk, LedgerClerk, JobClerk)


def actions(books: CsiBooks) -> Mapping[str, Action]:
    """Return what people can do, by kind: all of it or nothing, after the jobs that are due."""
    found: dict[str, Action] = {}
    for clerk in CLERKS:
        found |= {kind: _whole(books, action) for kind, action in clerk(books).actions().items()}
    return found


def _whole(books: CsiBooks, action: Action) -> Action:
    def act(body: Body) -> dict[str, Any]:
        books.tick()
        with whole(books.tables.values()):
            return action(body)

    return act
