"""A shop that fires an event for each purchase, as the documentation of django-outbound-webhooks shows it."""
