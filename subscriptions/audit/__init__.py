"""The audit log: who did what, when and from where, in each broadcaster and to each account.

A verb that changes something calls `record` in the transaction of its change, so that one is never
stored without the other; entries are only ever added. What an action means is for its caller to
say: this room knows no endpoints, deliveries or pages.
"""

from subscriptions.audit.action_words import describe_action
from subscriptions.audit.log import COMMAND_LINE, SYSTEM, Actor, record, record_for_user

__all__ = ["COMMAND_LINE", "SYSTEM", "Actor", "describe_action", "record", "record_for_user"]
