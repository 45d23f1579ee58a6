"""A shop that fires an event for each purchase, as django-outbound-webhooks' documents have it."""
