"""Actions of the audit log as a person reads them."""

from __future__ import annotations

WORDS = {
    "account.add_second_factor": "Second factor added",
    "account.change_by_staff": "Account changed by staff",
    "account.change_email": "Email address changed",
    "account.change_password": "Password changed",
    "account.fail_password_check": "Wrong password when asked again",
    "account.fail_second_factor": "Sign-in failed: wrong code",
    "account.fail_sign_in": "Sign-in failed: wrong password",
    "account.remove_second_factor": "Second factor removed",
    "account.renew_recovery_codes": "Recovery codes made anew",
    "account.reset_password": "Password reset",
    "account.sign_in": "Signed in",
    "account.sign_out": "Signed out",
    "broadcaster.create": "Broadcaster created",
    "broadcaster.update": "Broadcaster changed",
    "delivery.cancel": "Delivery stopped",
    "delivery.export": "Event logs exported",
    "delivery.resend": "Delivery resent",
    "delivery.retry_now": "Delivery retried early",
    "endpoint.activate": "Webhook switched on",
    "endpoint.create": "Webhook added",
    "endpoint.deactivate": "Webhook switched off",
    "endpoint.delete": "Webhook deleted",
    "endpoint.end_previous_token": "Old signing token ended",
    "endpoint.replay_missed": "Missed events replayed",
    "endpoint.resume": "Webhook resumed",
    "endpoint.reveal_token": "Signing token revealed",
    "endpoint.rotate_token": "Signing token rotated",
    "endpoint.suspend": "Webhook suspended",
    "endpoint.test": "Test sent",
    "endpoint.update": "Webhook changed",
    "event.deliver_missed": "Missed event delivered",
    "member.change_role": "Role changed",
    "member.invite": "Invited",
    "member.join": "Invitation accepted",
    "member.remove": "Member removed",
    "member.withdraw_invitation": "Invitation withdrawn",
    "request_bin.empty": "Request bin emptied",
    "request_bin.set_answer": "Answer of the request bin set",
    "token.create": "Publisher token created",
    "token.revoke": "Publisher token revoked",
}


def action_words(action: str) -> str:
    """`endpoint.rotate_token` as `Signing token rotated`; one without words of its own, spelt out."""
    subject, _, verb = action.partition(".")
    return WORDS.get(action) or f"{subject}: {verb}".replace("_", " ").capitalize()
