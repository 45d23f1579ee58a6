"""The frame of every page of the portal: who may open one, its menu, its forms and responses.

Each app registers the pages of its menu (`menu`) and what it adds to pages of the apps below it
(`page_parts`), so the frame knows no app and no page of theirs. Nobody reaches a page under
/b/<broadcaster_id>/ but through `broadcaster_page`. Secrets that a page shows once wait in
`one_time_secrets`; a viewer's theme and time zone are read by `display_preferences`.
"""

from subscriptions.portal.access import PortalRequest, actor_of, at_least, broadcaster_page
from subscriptions.portal.forms import PortalForm
from subscriptions.portal.responses import (
    confirm,
    flash_refusal,
    no_store,
    page,
    redirect_back,
    redirect_to,
)

__all__ = [
    "PortalForm",
    "PortalRequest",
    "actor_of",
    "at_least",
    "broadcaster_page",
    "confirm",
    "flash_refusal",
    "no_store",
    "page",
    "redirect_back",
    "redirect_to",
]
