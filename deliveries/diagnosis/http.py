"""Explanations of the status that a receiver answered with."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from deliveries.diagnosis import page_signs
from deliveries.diagnosis.explanation import (
    NOBODY,
    RECEIVER,
    YOU,
    Explanation,
    Facts,
    Who,
    shown,
)
from deliveries.diagnosis.status_meanings import STATUSES


def explain_success(facts: Facts) -> Explanation:
    evidence = [("Status", f"HTTP {facts.status_code}")]
    if facts.evidence.get("sent_again"):
        evidence.append(("Connection", "a kept one had been closed, so a new one was made"))
    if doubt := _doubt(facts):
        return Explanation(
            f"Delivered, but look at the answer of {facts.host}",
            f"{facts.host} answered HTTP {facts.status_code}, which counts as success. {doubt[0]}",
            YOU,
            doubt[1],
            [*evidence, *facts.answer_begins],
        )
    return Explanation(
        "Delivered",
        f"{facts.host} answered HTTP {facts.status_code}; {facts.platform_title} counts "
        f"{facts.success_in_words} as success.",
        NOBODY,
        "Nothing to do.",
        evidence,
    )


def _doubt(facts: Facts) -> tuple[str, str] | None:
    """(what is odd, what to do) about a success that its receiver may know nothing of."""
    if tunnel := page_signs.tunnel_page(facts):
        return (
            f"But the answer is the warning page of {tunnel}: the event most likely did not reach "
            "your program.",
            f"Switch {tunnel}'s warning off, or send the header it asks for as a custom header of "
            "the webhook; then resend.",
        )
    if page_signs.is_login_page(facts):
        return (
            "But the answer is a login page: the event most likely did not reach your handler.",
            "Let the webhook's path in without a login, then resend. The signature is what proves "
            "where a request comes from.",
        )
    if what := page_signs.placeholder(facts):
        return (
            f"But the answer looks like {what}, not like one that a webhook handler wrote.",
            "Check the path in the URL, and that your handler takes POST there; then resend.",
        )
    if facts.is_html:
        return (
            "But the answer is a web page, which webhook handlers seldom send.",
            "Make sure that your handler, and not some page, lives at this URL.",
        )
    if page_signs.says_error(facts):
        return (
            "But the answer's text speaks of an error.",
            "If the event was not handled, let the receiver answer with a 4xx or 5xx status: "
            f"{facts.platform_title} then tries again.",
        )
    return None


def redirected(facts: Facts) -> Explanation:
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
    target = _target(facts.url, location)
    evidence.append(("Location", shown(location)))
    hint, who, action = _redirect_hint(facts.url, target)
    title = f"{facts.host} redirects to {shown(target, 100)}"
    return Explanation(title, f"{hint} {rule}", who, action, evidence)


def _target(url: str, location: str) -> str:
    """Where it leads; the location itself where that cannot be told."""
    try:
        return urljoin(url, location)
    except ValueError:
        return location


def _redirect_hint(url: str, target: str) -> tuple[str, Who, str]:
    """(what the redirect is about, who must act, what to do)."""
    try:
        here, there = urlsplit(url), urlsplit(target)
    except ValueError:
        return ("The address that it redirects to is not valid.", RECEIVER, "Correct the redirect.")
    change = f"Change the webhook's URL to {shown(target)}."
    if _is_login(there.path, there.netloc):
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
        return (f"It wants the URL {what}.", YOU, f"{verb}: change the URL to {shown(target)}.")
    if (here.scheme, there.scheme) == ("http", "https") and here.hostname == there.hostname:
        return ("It wants https.", YOU, change)
    if (there.hostname or "").removeprefix("www.") == (here.hostname or "").removeprefix("www."):
        if here.hostname != there.hostname:
            return ("It wants the other spelling of its name, with or without www.", YOU, change)
        return ("What was at this URL is now at another one.", YOU, change)
    return (
        "It leads to another host.",
        YOU,
        f"If that host is the right one, change the webhook's URL to {shown(target)}.",
    )


def _is_login(path: str, host: str) -> bool:
    words = path.lower().replace("-", "").replace("_", "").strip("/").split("/")
    names = {"login", "signin", "login.php", "wplogin.php", "auth", "sso", "oauth2", "saml"}
    return bool(names & set(words)) or host.lower().startswith(("login.", "accounts.", "sso."))


def http_4xx(facts: Facts) -> Explanation:
    if tunnel := page_signs.tunnel_down(facts):
        return _tunnel_is_down(facts, tunnel)
    special = {401: _unauthorised, 403: _forbidden, 404: _not_found, 405: _wrong_method}
    special |= {415: _wrong_type, 419: _forbidden}
    if facts.status_code in special:
        return special[facts.status_code](facts)
    return _by_table(facts, "The receiver refused the request.", "Its answer or log says why.")


def http_5xx(facts: Facts) -> Explanation:
    if tunnel := page_signs.tunnel_down(facts):
        return _tunnel_is_down(facts, tunnel)
    explanation = _by_table(
        facts, "The receiver failed while handling the event.", "Look in its log."
    )
    if wait := facts.headers.get("retry-after"):
        explanation.evidence.append(("Retry-After", shown(wait)))
    return explanation


def gone(facts: Facts) -> Explanation:
    return Explanation(
        f"{facts.host} answered 410 Gone",
        "With this status a receiver says that it wants no more events: a delivery that meets it "
        "suspends the webhook and is not retried.",
        YOU,
        "If that was meant, delete the webhook. If not, correct the receiver, resume the webhook, "
        "and resend or replay what was missed.",
        [("Status", "HTTP 410"), *facts.answer_begins],
    )


def rate_limited(facts: Facts) -> Explanation:
    wait = facts.headers.get("retry-after")
    when = (
        "A retry waits at least as long as its Retry-After asks, up to 24 hours."
        if wait
        else "It did not say how long to wait, so the schedule applies."
    )
    return Explanation(
        f"{facts.host} asks for fewer requests",
        f"It answered 429 Too Many Requests. {when}",
        YOU,
        "If this happens often, set a rate limit for the webhook, or raise the receiver's.",
        [("Status", "HTTP 429"), *([("Retry-After", shown(wait))] if wait else [])],
    )


def unexpected_status(facts: Facts) -> Explanation:
    code, platform = facts.status_code, facts.platform_title
    if code is not None and 200 <= code <= 299:
        return Explanation(
            f"{facts.host} answered {code}, which {platform} does not count as success",
            f"{platform} asks for {facts.success_in_words}; every other status, {code} included, "
            "is a failure, although the receiver meant well.",
            RECEIVER,
            f"Let the receiver answer with {facts.success_in_words}.",
            [("Status", f"HTTP {code}"), *facts.answer_begins],
        )
    return Explanation(
        f"{facts.host} answered with the strange status {code}",
        f"No such status is defined; {platform} counts {facts.success_in_words} as success.",
        RECEIVER,
        f"Let the receiver answer with {facts.success_in_words}.",
        [("Status", f"HTTP {code}"), *facts.answer_begins],
    )


def _by_table(facts: Facts, meaning: str, action: str) -> Explanation:
    code = facts.status_code or 0
    name, meaning, who, action = STATUSES.get(code, ("", meaning, RECEIVER, action))
    title = f"{facts.host} answered {code} {name}".rstrip()
    if guard := page_signs.csrf_guard(facts) if code == 400 else "":
        return _csrf(facts, guard)
    evidence = [("Status", f"HTTP {code}"), *facts.answer_begins]
    return Explanation(title, meaning, who, action, evidence)


def _unauthorised(facts: Facts) -> Explanation:
    challenge = facts.headers.get("www-authenticate", "")
    evidence = [("Status", "HTTP 401")]
    evidence += [("It asks for", shown(challenge))] if challenge else []
    if challenge:
        cause = "The receiver asks for a login that the request does not carry."
        action = (
            "Let the webhook's path in without a login, or add the Authorization header that it "
            "expects under the webhook's custom headers."
        )
    else:
        cause = (
            "The receiver did not accept who the request comes from. Most often its check of the "
            "signature failed: it has another signing token, or checks a body that was parsed and "
            "written anew."
        )
        action = (
            "Compare the signing token on both sides, and find the broken step with the signature "
            "debugger. If the receiver wants a login, add its header under the custom headers."
        )
    return Explanation(
        f"{facts.host} answered 401 Unauthorized",
        cause,
        RECEIVER,
        action,
        [*evidence, *facts.answer_begins],
    )


def _forbidden(facts: Facts) -> Explanation:
    if guard := page_signs.csrf_guard(facts) or ("Laravel" if facts.status_code == 419 else ""):
        return _csrf(facts, guard)
    evidence = [("Status", f"HTTP {facts.status_code}"), *facts.answer_begins]
    if firewall := page_signs.firewall(facts):
        return Explanation(
            f"A firewall of {facts.host} blocked the request",
            f"The answer bears the marks of {firewall}: it took the request for a bot's and did "
            "not let it through to the receiver.",
            RECEIVER,
            f"Add a rule in {firewall} that lets POST requests to {facts.path} pass, by path or by "
            "this portal's addresses; the signature proves where they come from.",
            [("Blocked by", firewall), *evidence],
        )
    return Explanation(
        f"{facts.host} answered 403 Forbidden",
        "The receiver, or a firewall before it, does not let the request in. Often the check of "
        "the signature failed, or only known addresses are allowed.",
        RECEIVER,
        "Look in the receiver's log for the reason; check the signing token on both sides, "
        "allow-lists of addresses, and firewall rules.",
        evidence,
    )


def _csrf(facts: Facts, guard: str) -> Explanation:
    ways = {
        "Django": "decorate the view with @csrf_exempt",
        "Rails": "skip_before_action :verify_authenticity_token in the controller",
        "Laravel": "add the path to the exceptions of VerifyCsrfToken",
        "Spring": "exempt the path in the CSRF configuration",
        "Express": "mount the handler before the CSRF middleware",
    }
    how = ways.get(guard, "exempt this path from it")
    return Explanation(
        f"{facts.host} took the request for a forged form",
        f"The guard against cross-site requests (CSRF) of {guard} refused it, because it carries "
        "no token of a form. Webhooks never do.",
        RECEIVER,
        f"Switch that guard off for {facts.path} only: {how}. The signature takes its place.",
        [("Status", f"HTTP {facts.status_code}"), *facts.answer_begins],
    )


def _not_found(facts: Facts) -> Explanation:
    return Explanation(
        f"{facts.host} has nothing at {facts.path}",
        "It answered 404 Not Found: the server runs, but knows no such path for POST.",
        YOU,
        "Check the path in the webhook's URL: spelling, capital letters, slash at the end; and "
        "that the newest version of the receiver is deployed.",
        [("Status", "HTTP 404"), *facts.answer_begins],
    )


def _wrong_method(facts: Facts) -> Explanation:
    allowed = facts.headers.get("allow", "")
    return Explanation(
        f"{facts.host} does not take POST at {facts.path}",
        "It answered 405 Method Not Allowed. Webhooks are POST requests.",
        RECEIVER,
        "Let the handler at this path take POST, or correct the path in the URL.",
        [("Status", "HTTP 405"), *([("It allows", shown(allowed))] if allowed else [])],
    )


def _wrong_type(facts: Facts) -> Explanation:
    return Explanation(
        f"{facts.host} does not take this Content-Type",
        "It answered 415 Unsupported Media Type. The body is JSON, and the request says so.",
        RECEIVER,
        "Let the receiver accept application/json, also with a charset behind it.",
        [("Status", "HTTP 415"), *facts.answer_begins],
    )


def _tunnel_is_down(facts: Facts, tunnel: str) -> Explanation:
    return Explanation(
        f"The tunnel behind {facts.host} is not running",
        f"{tunnel} answered HTTP {facts.status_code} itself, because nothing is connected to the "
        "other end.",
        YOU,
        f"Start {tunnel} and your program again. If the tunnel got a new name, change the "
        "webhook's URL.",
        [("Status", f"HTTP {facts.status_code}"), *facts.answer_begins],
    )


HTTP_EXPLANATIONS: dict[str, Callable[[Facts], Explanation]] = {
    "redirected": redirected,
    "http_4xx": http_4xx,
    "http_5xx": http_5xx,
    "gone": gone,
    "rate_limited": rate_limited,
    "unexpected_status": unexpected_status,
}
