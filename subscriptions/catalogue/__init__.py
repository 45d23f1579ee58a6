"""The topics and use cases of each platform: found by name, grouped for reading, loaded from files.

Topics are found by their documented name or an alias; what is unknown raises Refused with the
nearest known name. `loading` brings the rows in step with a platform's file; `sample_request` and
`verifying_code` show how an event will look to its receiver. This room knows no endpoints.
"""

from subscriptions.catalogue.choices import group_topics, list_use_cases
from subscriptions.catalogue.topics import find_topic, resolve_topic_name

__all__ = ["find_topic", "group_topics", "list_use_cases", "resolve_topic_name"]
