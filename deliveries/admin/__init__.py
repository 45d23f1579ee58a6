"""Pages for staff: what happened and how it is sent. Read-only but for resend and cancel."""

from deliveries.admin import logs, machinery, request_bins

__all__ = ["logs", "machinery", "request_bins"]
