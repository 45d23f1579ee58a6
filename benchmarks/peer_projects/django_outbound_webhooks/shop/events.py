"""The event that endpoints subscribe to."""

from dataclasses import dataclass

from django_domain_events import event


@event
@dataclass(frozen=True, slots=True)
class PurchaseCompleted:
    """A flat event: the package's codec takes no nested values."""

    n: int
    purchase_id: str
    listing_id: str
    buyer_id: str
    buyer_email: str
    amount: float
    currency: str
    license_key: str
