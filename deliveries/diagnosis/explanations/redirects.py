"""Explains redirects, which are not followed, by where they lead."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from deliveries.diagnosis.explanations.explanation import (
    RECEIVER,
    YOU,
    Explanation,
    Who,
    clean_line,
)
from deliveries.diagnosis.explanations.facts import AttemptFacts


def explain_redirect(facts: AttemptFacts) -> Explanation:
    location = facts.headers.get("location", "")
    evidence = [("Status", f"HTTP {facts.status_code}")]
    rule = "Redirects are not followed, as they could lead anywhere and often lose the body."
    if not location:
        return Explanation(
            f"{facts.host} answered HTTP {facts.status_code} without saying where to",
            rule,
            RECEIVER,
            f"Let the receiver answer with {facts.success_in_words} at this URL.",
            evidence,
        )
    target = _resolve_location(facts.url, location)
    evidence.append(("Location", clean_line(location)))
    hint, who, action = _describe_redirect(facts.url, target)
    title = f"{facts.host} redirects to {clean_line(target, 100)}"
    return Explanation(title, f"{hint} {rule}", who, action, evidence)


def _resolve_location(url: str, location: str) -> str:
    """The URL to which the redirect leads; the location as it came if it is not valid."""
    try:
        return urljoin(url, location)
    except ValueError:
        return location


def _describe_redirect(url: str, target: str) -> tuple[str, Who, str]:
    """What the redirect is for, who must act, and what to do."""
    try:
        here, there = urlsplit(url), urlsplit(target)
    except ValueError:
        return ("The address that it redirects to is not valid.", RECEIVER, "Correct the redirect.")
    change = f"Change the webhook's URL to {clean_line(target)}."
    if _leads_to_login(there.path, there.netloc):
        return (
            "It sends visitors who are not signed in to a login page.",
            RECEIVER,
            "Let the webhook's path in without a login; the signature proves where a request "
            "comes from.",
        )
    same_place = here.netloc == there.netloc and here.path.rstrip("/") == there.path.rstrip("/")
    if same_place and here.path != there.path and here.scheme == there.scheme:
        what = "with a slash at the end" if there.path.endswith("/") else "without the last slash"
        verb = "Add the slash" if there.path.endswith("/") else "Remove the slash"
        return (
            f"It wants the URL {what}.",
            YOU,
            f"{verb}: change the URL to {clean_line(target)}.",
        )
    if (here.scheme, there.scheme) == ("http", "https") and here.hostname == there.hostname:
        return ("It wants https.", YOU, change)
    if (there.hostname or "").removeprefix("www.") == (here.hostname or "").removeprefix("www."):
        if here.hostname != there.hostname:
            return ("It wants the other spelling of its name, with or without www.", YOU, change)
        return ("What was at this URL is now at another one.", YOU, change)
    return (
        "It leads to another host.",
        YOU,
        f"If that host is the right one, change the webhook's URL to {clean_line(target)}.",
    )


def _leads_to_login(path: str, host: str) -> bool:
    words = path.lower().replace("-", "").replace("_", "").strip("/").split("/")
    names = {"login", "signin", "login.php", "wplogin.php", "auth", "sso", "oauth2", "saml"}
    return bool(names & set(words)) or host.lower().startswith(("login.", "accounts.", "sso."))
