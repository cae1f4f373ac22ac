"""Signs events with the official `stripe` package, posts them, and checks the rows that come out."""

import hashlib
import hmac
import json
import pathlib
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request

import stripe

BINARY, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
DATA = FOLDER / "data"
PATIENCE_SECONDS = 60


def wait_for(what, look):
    """The first true answer of `look`; ends the script if there is none in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    sys.exit(f"waited {PATIENCE_SECONDS}s for {what}\n{(FOLDER / 'log').read_text()}")


def webhook_url():
    found = re.search(r"http://\S+/webhooks/stripe/shop", (FOLDER / "out").read_text())
    return found and found.group()


def signed(body, secret, stamp=None):
    """The header as the package itself computes it, checked by the package's own verification."""
    stamp = stamp or int(time.time())
    payload = f"{stamp}.{body}"
    compute = getattr(stripe.WebhookSignature, "_compute_signature", None)
    digest = compute(payload, secret) if compute else hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    header = f"t={stamp},v1={digest}"
    stripe.WebhookSignature.verify_header(body, header, secret, tolerance=300)
    return header


def post(url, body, header):
    headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": header}
    request = urllib.request.Request(url, body.encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def event(name, kind, created, item):
    return json.dumps(
        {
            "id": f"evt_{name}", "object": "event", "api_version": stripe.api_version, "created": created,
            "livemode": False, "pending_webhooks": 1, "type": kind, "data": {"object": item},
            "request": {"id": None, "idempotency_key": None},
        },
        ensure_ascii=False,
    )


def intent(name, status, received):
    return {
        "id": f"pi_{name}", "object": "payment_intent", "amount": 10990, "amount_received": received, "currency": "brl",
        "status": status, "latest_charge": f"ch_{name}", "livemode": False, "description": "Café – São Paulo ✓",
    }


def refund(name, amount, created):
    return {
        "id": f"re_{name}", "object": "refund", "amount": amount, "currency": "brl", "charge": f"ch_{name}",
        "payment_intent": f"pi_{name}", "status": "succeeded", "created": created,
    }


def row(name):
    shown = subprocess.run(
        [BINARY, "payments", "show", f"pi_{name}", "--json", "--data", DATA], capture_output=True, text=True, check=False
    )
    return json.loads(shown.stdout)[0]["payment"] if shown.returncode == 0 else None


def main():
    url = wait_for("afluente up", webhook_url)
    secret = (DATA / "secrets" / "stripe-shop").read_text().strip()
    now = int(time.time())
    paid = event("official_paid", "payment_intent.succeeded", now - 20, intent("official", "succeeded", 10990))
    created = event("official_created", "payment_intent.created", now - 30, intent("official", "requires_payment_method", 0))
    part = event("official_refund", "refund.created", now - 10, refund("official", 2990, now - 10))
    checks = []
    # The refund first and the beginning last, each twice: the order and the repetition must not show.
    for body in [part, paid, created, paid, part]:
        checks.append(("a signed event", post(url, body, signed(body, secret)), 200))
    changed = paid.replace("10990", "10991", 1)
    checks.append(("one byte changed", post(url, changed, signed(paid, secret)), 400))
    checks.append(("another secret", post(url, paid, signed(paid, "whsec_of_somebody_else")), 400))
    stale = f"t={now - 400},v1=" + hmac.new(secret.encode(), f"{now - 400}.{paid}".encode(), hashlib.sha256).hexdigest()
    checks.append(("a stale stamp", post(url, paid, stale), 400))

    found = wait_for("the refunded payment", lambda: (r := row("official")) and r["refunded_amount"] == 2990 and r)
    for column, expected in {
        "status_v2": "PARTIALLY_REFUNDED", "captured_amount": 10990, "refunded_amount": 2990, "currency": "BRL",
        "capture_inferred": False,
    }.items():
        checks.append((column, found[column], expected))

    wrong = [check for check in checks if check[1] != check[2]]
    for what, got, expected in checks:
        print(f"{'ok' if got == expected else 'WRONG':6} {what}: expected {expected}, got {got}")
    print(f"stripe {stripe.VERSION if hasattr(stripe, 'VERSION') else stripe.version.VERSION}: {len(checks) - len(wrong)} of {len(checks)} checks hold")
    sys.exit(1 if wrong else 0)


main()
