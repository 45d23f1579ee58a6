"""The demonstration: something to look at on a new installation.

A broadcaster on every platform with webhooks that point at the request bin (setup), and on request a
month of history (history), delivered to webhooks (webhooks) of receivers that never existed
(receivers). It is made by the same verbs as anything else. Never in production.
"""

from deliveries.demo.history import DAYS, add_history
from deliveries.demo.setup import EMAIL, LOGIN_FILE_NAME, Demo, ensure_demo, first_topic

__all__ = ["DAYS", "EMAIL", "LOGIN_FILE_NAME", "Demo", "add_history", "ensure_demo", "first_topic"]
