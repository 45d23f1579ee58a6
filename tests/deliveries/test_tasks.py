"""Queues and schedules hold the tasks by name: tasks queued by an earlier version still run."""

from __future__ import annotations

import inspect

import pytest
from django_q.models import OrmQ, Schedule

from deliveries import tasks
from deliveries.workers.schedules import ensure_schedules, start_pumps

# Names with their parameters, as queues may hold them. Never remove or change one.
QUEUED = {"pump": ["slot"], "ensure_pumps": [], "find_orphans": []}


@pytest.mark.one_database
def test_the_tasks_that_queues_hold_are_there_with_their_parameters() -> None:
    for name, parameters in QUEUED.items():
        assert list(inspect.signature(getattr(tasks, name)).parameters) == parameters


@pytest.mark.one_database
def test_the_module_has_no_other_function_of_its_own() -> None:
    functions = inspect.getmembers(tasks, inspect.isfunction)
    own = {name for name, function in functions if function.__module__ == tasks.__name__}
    assert own == set(QUEUED)


@pytest.mark.django_db
def test_what_is_queued_and_scheduled_is_a_task() -> None:
    ensure_schedules()
    start_pumps()
    queued = {task.func() for task in OrmQ.objects.all()}
    scheduled = set(Schedule.objects.values_list("func", flat=True))
    assert queued == {"deliveries.tasks.pump"}
    assert scheduled == {"deliveries.tasks.ensure_pumps", "deliveries.tasks.find_orphans"}
