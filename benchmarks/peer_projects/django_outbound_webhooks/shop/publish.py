"""Register the endpoints and fire the events, which queues their deliveries.

python -m shop.publish EVENTS ENDPOINTS RECEIVER_PORT
"""

import sys

import django

django.setup()

from django.db import transaction
from django_domain_events import fire
from django_outbound_webhooks import register_endpoint

from shop.events import PurchaseCompleted


def main() -> None:
    events, endpoints, port = map(int, sys.argv[1:])
    for n in range(endpoints):
        register_endpoint(
            name=f"Endpoint {n}",
            url=f"http://127.0.0.1:{port}/hook/{n}",
            secret="whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
            event_names=["shop.PurchaseCompleted"],
        )
    for n in range(events):
        with transaction.atomic():
            fire(
                PurchaseCompleted(
                    n=n,
                    purchase_id=f"pur_{n:09d}",
                    listing_id="lst_abc123",
                    buyer_id="usr_buyer123",
                    buyer_email="buyer@example.com",
                    amount=475.50,
                    currency="USD",
                    license_key="CLW-XXXX-XXXX-XXXX",
                )
            )


if __name__ == "__main__":
    main()
