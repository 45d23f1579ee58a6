"""Pages of large tables, for the portal and the API alike.

A page is read by primary key: it needs no count and no offset, it stays stable while rows are added,
and it looks through a bounded number of rows. What a cursor looks like in a URL, and how many rows
a page has, is for the callers to say: this room knows neither requests nor templates.
"""

from subscriptions.paging.keyset import KeysetPage, Narrowed, read_page, read_row_id

__all__ = ["KeysetPage", "Narrowed", "read_page", "read_row_id"]
