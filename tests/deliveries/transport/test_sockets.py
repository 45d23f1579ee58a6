"""Sockets stay registered with epoll between requests; released ones are not reported as ready."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator

import pytest

from deliveries.transport.sockets import Sockets


@pytest.fixture(params=[True, False], ids=["keeps released", "registers each time"])
def sockets(request: pytest.FixtureRequest) -> Iterator[Sockets]:
    made = Sockets(keeps_released=request.param)
    yield made
    made.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def watch(sockets: Sockets, ours: socket.socket, events: int = select.EPOLLIN) -> int:
    sockets.add(ours.fileno())
    sockets.watch(ours.fileno(), events)
    return ours.fileno()


def test_input_is_reported_until_the_socket_is_released(
    sockets: Sockets, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair
    fd = watch(sockets, ours)
    assert sockets.ready(0) == []
    theirs.send(b"x")
    assert sockets.ready(0) == [(fd, select.EPOLLIN)]
    sockets.release(fd)
    assert sockets.ready(0) == []


def test_input_on_a_released_socket_is_reported_when_it_is_watched_again(
    sockets: Sockets, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair
    fd = watch(sockets, ours)
    sockets.release(fd)
    theirs.send(b"x")
    assert sockets.ready(0) == []
    sockets.watch(fd, select.EPOLLIN)
    assert sockets.ready(0) == [(fd, select.EPOLLIN)]


def test_the_events_of_a_watched_socket_can_be_changed(
    sockets: Sockets, pair: tuple[socket.socket, socket.socket]
) -> None:
    fd = watch(sockets, pair[0])
    sockets.watch(fd, select.EPOLLOUT)
    assert sockets.ready(0) == [(fd, select.EPOLLOUT)]


def test_a_new_socket_under_an_old_number_is_watched(sockets: Sockets) -> None:
    first, other = socket.socketpair()
    fd = watch(sockets, first)
    sockets.release(fd)
    first.close()
    other.close()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert ours.fileno() == fd
        watch(sockets, ours)
        theirs.send(b"x")
        assert sockets.ready(0) == [(fd, select.EPOLLIN)]


def test_a_socket_may_be_closed_before_it_is_released(sockets: Sockets) -> None:
    ours, theirs = socket.socketpair()
    fd = watch(sockets, ours)
    ours.close()
    theirs.close()
    sockets.release(fd)
    assert sockets.ready(0) == []


def test_a_released_socket_is_silent_until_a_poll_finds_input(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    sockets = Sockets(keeps_released=True)
    fd = watch(sockets, ours)
    sockets.release(fd)
    sockets.poll_idle()
    assert sockets.was_silent(fd)
    theirs.send(b"x")
    sockets.poll_idle()
    assert not sockets.was_silent(fd)
    sockets.close()


def test_only_a_socket_that_stays_registered_is_known_to_be_silent(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    sockets = Sockets(keeps_released=False)
    fd = watch(sockets, pair[0])
    sockets.release(fd)
    sockets.poll_idle()
    assert not sockets.was_silent(fd)
    sockets.close()


def test_no_socket_counts_as_silent_if_a_poll_could_not_return_all_events(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deliveries.transport.sockets._MAX_EVENTS", 1)
    loud, other = socket.socketpair()
    with loud, other:
        sockets = Sockets(keeps_released=True)
        watch(sockets, loud)
        fd = watch(sockets, pair[0])
        sockets.release(fd)
        other.send(b"x")
        sockets.poll_idle()
        assert not sockets.was_silent(fd)
        sockets.close()
