"""Explains the statuses with which receivers refuse or fail."""

from __future__ import annotations

from deliveries.diagnosis.explanations import page_signs
from deliveries.diagnosis.explanations.explanation import RECEIVER, YOU, Explanation, clean_line
from deliveries.diagnosis.explanations.facts import AttemptFacts
from deliveries.diagnosis.explanations.status_meanings import STATUS_MEANINGS


def explain_4xx(facts: AttemptFacts) -> Explanation:
    if tunnel := page_signs.find_stopped_tunnel(facts):
        return _explain_stopped_tunnel(facts, tunnel)
    match facts.status_code:
        case 401:
            return _explain_401(facts)
        case 403 | 419:
            return _explain_403(facts)
        case 404:
            return _explain_404(facts)
        case 405:
            return _explain_405(facts)
        case 415:
            return _explain_415(facts)
    return _explain_by_meaning(
        facts, "The receiver refused the request.", "Its answer or log says why."
    )


def explain_5xx(facts: AttemptFacts) -> Explanation:
    if tunnel := page_signs.find_stopped_tunnel(facts):
        return _explain_stopped_tunnel(facts, tunnel)
    explanation = _explain_by_meaning(
        facts, "The receiver failed while handling the event.", "Look in its log."
    )
    if wait := facts.headers.get("retry-after"):
        explanation.evidence.append(("Retry-After", clean_line(wait)))
    return explanation


def explain_gone(facts: AttemptFacts) -> Explanation:
    return Explanation(
        f"{facts.host} answered 410 Gone",
        "With this status a receiver says that it wants no more events: a delivery that meets it "
        "suspends the webhook and is not retried.",
        YOU,
        "If that was meant, delete the webhook. If not, correct the receiver, resume the webhook, "
        "and resend or replay what was missed.",
        [("Status", "HTTP 410"), *facts.answer_excerpt],
    )


def explain_rate_limit(facts: AttemptFacts) -> Explanation:
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
        [("Status", "HTTP 429"), *([("Retry-After", clean_line(wait))] if wait else [])],
    )


def explain_unexpected_status(facts: AttemptFacts) -> Explanation:
    code, platform = facts.status_code, facts.platform_title
    if code is not None and 200 <= code <= 299:
        return Explanation(
            f"{facts.host} answered {code}, which {platform} does not count as success",
            f"{platform} asks for {facts.success_in_words}; every other status, {code} included, "
            "is a failure, although the receiver meant well.",
            RECEIVER,
            f"Let the receiver answer with {facts.success_in_words}.",
            [("Status", f"HTTP {code}"), *facts.answer_excerpt],
        )
    return Explanation(
        f"{facts.host} answered with the strange status {code}",
        f"No such status is defined; {platform} counts {facts.success_in_words} as success.",
        RECEIVER,
        f"Let the receiver answer with {facts.success_in_words}.",
        [("Status", f"HTTP {code}"), *facts.answer_excerpt],
    )


def _explain_by_meaning(facts: AttemptFacts, meaning: str, action: str) -> Explanation:
    code = facts.status_code or 0
    name, meaning, who, action = STATUS_MEANINGS.get(code, ("", meaning, RECEIVER, action))
    title = f"{facts.host} answered {code} {name}".rstrip()
    if guard := page_signs.find_csrf_guard(facts) if code == 400 else "":
        return _explain_csrf_guard(facts, guard)
    evidence = [("Status", f"HTTP {code}"), *facts.answer_excerpt]
    return Explanation(title, meaning, who, action, evidence)


def _explain_401(facts: AttemptFacts) -> Explanation:
    challenge = facts.headers.get("www-authenticate", "")
    evidence = [("Status", "HTTP 401")]
    evidence += [("It asks for", clean_line(challenge))] if challenge else []
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
        [*evidence, *facts.answer_excerpt],
    )


def _explain_403(facts: AttemptFacts) -> Explanation:
    if guard := page_signs.find_csrf_guard(facts) or (
        "Laravel" if facts.status_code == 419 else ""
    ):
        return _explain_csrf_guard(facts, guard)
    evidence = [("Status", f"HTTP {facts.status_code}"), *facts.answer_excerpt]
    if firewall := page_signs.find_firewall(facts):
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


def _explain_csrf_guard(facts: AttemptFacts, guard: str) -> Explanation:
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
        [("Status", f"HTTP {facts.status_code}"), *facts.answer_excerpt],
    )


def _explain_404(facts: AttemptFacts) -> Explanation:
    return Explanation(
        f"{facts.host} has nothing at {facts.path}",
        "It answered 404 Not Found: the server runs, but knows no such path for POST.",
        YOU,
        "Check the path in the webhook's URL: spelling, capital letters, slash at the end; and "
        "that the newest version of the receiver is deployed.",
        [("Status", "HTTP 404"), *facts.answer_excerpt],
    )


def _explain_405(facts: AttemptFacts) -> Explanation:
    allowed = facts.headers.get("allow", "")
    return Explanation(
        f"{facts.host} does not take POST at {facts.path}",
        "It answered 405 Method Not Allowed. Webhooks are POST requests.",
        RECEIVER,
        "Let the handler at this path take POST, or correct the path in the URL.",
        [("Status", "HTTP 405"), *([("It allows", clean_line(allowed))] if allowed else [])],
    )


def _explain_415(facts: AttemptFacts) -> Explanation:
    return Explanation(
        f"{facts.host} does not take this Content-Type",
        "It answered 415 Unsupported Media Type. The body is JSON, and the request says so.",
        RECEIVER,
        "Let the receiver accept application/json, also with a charset behind it.",
        [("Status", "HTTP 415"), *facts.answer_excerpt],
    )


def _explain_stopped_tunnel(facts: AttemptFacts, tunnel: str) -> Explanation:
    return Explanation(
        f"The tunnel behind {facts.host} is not running",
        f"{tunnel} answered HTTP {facts.status_code} itself, because nothing is connected to the "
        "other end.",
        YOU,
        f"Start {tunnel} and your program again. If the tunnel got a new name, change the "
        "webhook's URL.",
        [("Status", f"HTTP {facts.status_code}"), *facts.answer_excerpt],
    )
