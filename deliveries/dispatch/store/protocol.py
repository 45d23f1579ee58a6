"""What the dispatcher and the publisher ask of a database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from types import MappingProxyType
from typing import Any, Protocol
from uuid import UUID

from django.db import models

from deliveries.dispatch.store.records import HealthChange, HourKey, LaneRow, Settled


class Store(Protocol):
    """The statements of the hot path. All raise Django's database errors.

    A *place* is a moment as the database writes it: `since` and the last value of a claimed row.
    Places of one store compare like the moments that they stand for.
    """

    # A commit waits for the disk even for one row: whoever writes twice had better commit once.
    is_commit_expensive: bool

    # --- The queue ------------------------------------------------------------------------------

    def place(self, moment: datetime) -> Any:
        """The moment as a place, for `since`."""

    def is_anything_due(self, now: datetime) -> bool:
        """Whether any delivery is due and unclaimed: the cheapest scan of the queue there is."""

    def oldest_lanes(self, now: datetime, *, since: Any, known: Collection[int]) -> list[LaneRow]:
        """The lanes of the WINDOW oldest due deliveries, and of the endpoints `known`, by id.

        `since`: nothing that was due before that place is looked at; None looks at everything. If
        the counts of all rows add up to less than WINDOW, these are all the lanes there are.
        """

    def next_lanes(
        self, now: datetime, *, after: int, known: Collection[int], limit: int
    ) -> list[LaneRow]:
        """The next lanes after the endpoint `after`, by id, however long the queue is.

        Endpoints that are `known` to have something due are listed without a look at the queue.
        Paused broadcasters are left out. Cost: one index probe for each endpoint with a queue.
        """

    def claim(
        self,
        now: datetime,
        *,
        lease_id: int,
        quotas: Mapping[int, int],
        since: Mapping[int, Any] = MappingProxyType({}),
    ) -> Sequence[Sequence[Any]]:
        """Take up to `quotas[endpoint id]` due deliveries of each endpoint, oldest first.

        It is committed when it returns: from then on the lease protects the rows. No delivery is
        claimed by two leases. A row is a tuple of CLAIM_COLUMNS and of the place at which the
        delivery was due. `since`, by endpoint id, leaves out what was due before that place.
        """

    def bodies(self, event_keys: Iterable[str]) -> dict[str, tuple[str, bytes]]:
        """By the event's key, as claims have it: the event's id, and the bytes of its body."""

    # --- Outcomes: all within the caller's transaction ------------------------------------------

    def update_deliveries(
        self, outcomes: Sequence[Settled], *, lease_id: int, now: datetime
    ) -> list[UUID]:
        """Move each delivery to its new state if it still carries the lease; return which did.

        The lease is the fence: what recovery has given to another run stays as it is. Outcomes
        come in the order of their deliveries' ids, so that two runs lock rows in the same order.
        """

    def insert_attempts(self, outcomes: Sequence[Settled]) -> None:
        """Add a row to the attempt log for each. Raises DataError for what a column cannot hold."""

    def add_counts(self, sums: Mapping[HourKey, Sequence[int]], *, shard: int) -> None:
        """Add to the hourly counters of the shard; the values are in the order of COUNTERS."""

    def update_health(self, changes: Sequence[HealthChange]) -> dict[int, int]:
        """Merge the changes into the endpoints' health; return the failures in a row by endpoint."""

    # --- Publishing -----------------------------------------------------------------------------

    def insert(self, rows: Sequence[models.Model]) -> None:
        """Insert instances of one model, with primary keys and all other columns set.

        Values have their fields' own types; no column is JSON. Raises IntegrityError.
        """

    # --- The session ----------------------------------------------------------------------------

    def planning_by_index(self) -> AbstractContextManager[None]:
        """While it lasts, this thread's statements use an index wherever there is one."""

    def analyze(self, *models: type[models.Model]) -> None:
        """Tell the planner how large the tables have become, after many rows were added."""
