"""Sockets stay known to epoll between requests, and nobody is told of one that is let go."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator

import pytest

from deliveries.transport.sockets import Sockets


@pytest.fixture(params=[True, False], ids=["keeps", "asks each time"])
def sockets(request: pytest.FixtureRequest) -> Iterator[Sockets]:
    made = Sockets(keeps=request.param)
    yield made
    made.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def watch(sockets: Sockets, ours: socket.socket, events: int = select.EPOLLIN) -> int:
    sockets.made(ours.fileno())
    sockets.watch(ours.fileno(), events)
    return ours.fileno()


def test_what_came_in_is_told_until_the_socket_is_let_go(
    sockets: Sockets, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair
    fd = watch(sockets, ours)
    assert sockets.ready(0) == []
    theirs.send(b"x")
    assert sockets.ready(0) == [(fd, select.EPOLLIN)]
    sockets.release(fd)
    assert sockets.ready(0) == []


def test_a_socket_that_was_let_go_and_spoke_is_heard_when_it_is_watched_again(
    sockets: Sockets, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair
    fd = watch(sockets, ours)
    sockets.release(fd)
    theirs.send(b"x")
    assert sockets.ready(0) == []
    sockets.watch(fd, select.EPOLLIN)
    assert sockets.ready(0) == [(fd, select.EPOLLIN)]


def test_other_events_can_be_asked_for(
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


def test_a_socket_may_be_closed_before_it_is_let_go(sockets: Sockets) -> None:
    ours, theirs = socket.socketpair()
    fd = watch(sockets, ours)
    ours.close()
    theirs.close()
    sockets.release(fd)
    assert sockets.ready(0) == []


def test_a_kept_socket_is_silent_until_it_was_heard(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    sockets = Sockets(keeps=True)
    fd = watch(sockets, ours)
    sockets.release(fd)
    sockets.listen()
    assert sockets.was_silent(fd)
    theirs.send(b"x")
    sockets.listen()
    assert not sockets.was_silent(fd)
    sockets.close()


def test_silence_is_vouched_for_only_of_sockets_that_stay_with_epoll(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    sockets = Sockets(keeps=False)
    fd = watch(sockets, pair[0])
    sockets.release(fd)
    sockets.listen()
    assert not sockets.was_silent(fd)
    sockets.close()


def test_silence_is_not_vouched_for_where_more_spoke_than_were_heard(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deliveries.transport.sockets._MAX_EVENTS", 1)
    loud, other = socket.socketpair()
    with loud, other:
        sockets = Sockets(keeps=True)
        watch(sockets, loud)
        fd = watch(sockets, pair[0])
        sockets.release(fd)
        other.send(b"x")
        sockets.listen()
        assert not sockets.was_silent(fd)
        sockets.close()
