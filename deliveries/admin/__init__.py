"""Pages for staff, in Django's admin: what happened, and how it is sent.

They are read-only, but for the actions that staff may take on deliveries and request bins, which call
the portal's verbs. Lists of large tables are bounded by primary key.
"""

from deliveries.admin import logs, machinery, request_bins

__all__ = ["logs", "machinery", "request_bins"]
