"""Register the endpoints and make the purchases, which queues their webhooks.

python -m shop.publish EVENTS ENDPOINTS RECEIVER_PORT
"""

import sys

import django

django.setup()

from django_webhook.models import Webhook, WebhookSecret, WebhookTopic

from shop.models import Purchase


def main() -> None:
    events, endpoints, port = map(int, sys.argv[1:])
    topic = WebhookTopic.objects.get(name="shop.Purchase/create")
    for n in range(endpoints):
        webhook = Webhook.objects.create(url=f"http://127.0.0.1:{port}/hook/{n}")
        webhook.topics.add(topic)
        WebhookSecret.objects.create(webhook=webhook, token="0123456789abcdef0123456789abcdef")
    for n in range(events):
        Purchase.objects.create(
            n=n,
            purchase_id=f"pur_{n:09d}",
            listing_id="lst_abc123",
            buyer={"id": "usr_buyer123", "email": "buyer@example.com"},
            amount=475.50,
            currency="USD",
            license_key="CLW-XXXX-XXXX-XXXX",
        )


if __name__ == "__main__":
    main()
