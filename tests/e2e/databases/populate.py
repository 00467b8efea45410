"""Users, devices, links and addresses in a running Synapse, all made through its own API.

Arguments: the base URL, the registration's shared secret. Ends with 0 once everything is there.
"""

import hashlib
import hmac
import json
import sys
import time
import urllib.error
import urllib.request

BASE, SECRET = sys.argv[1:3]
PROVIDER = "oidc-01JABCDEFGHJKMNPQRSTVWXYZ0"


def call(method, path, body=None, token=None):
    request = urllib.request.Request(BASE + path, method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{method} {path}: {error.code} {error.read().decode()}")


def wait():
    for _ in range(600):
        try:
            urllib.request.urlopen(BASE + "/_matrix/client/versions", timeout=5)
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("Synapse does not answer")


def register(name, admin=False):
    nonce = call("GET", "/_synapse/admin/v1/register")["nonce"]
    parts = [nonce, name, "a password of " + name, "admin" if admin else "notadmin"]
    mac = hmac.new(SECRET.encode(), "\0".join(parts).encode(), hashlib.sha1).hexdigest()
    body = {"nonce": nonce, "username": name, "password": parts[2], "admin": admin, "mac": mac}
    return call("POST", "/_synapse/admin/v1/register", body)["access_token"]


def main():
    wait()
    root = register("root", admin=True)
    for name in ("alice", "bob"):
        register(name)
        for _ in range(2):
            login = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": name}}
            call("POST", "/_matrix/client/v3/login", {**login, "password": "a password of " + name})

    def user(name, **body):
        call("PUT", f"/_synapse/admin/v2/users/@{name}:example.com", body, root)

    # By a provider only; by one that is gone; by nothing at all; gone.
    user("carol", external_ids=[{"auth_provider": PROVIDER, "external_id": "c"}])
    user("dave", external_ids=[{"auth_provider": "oidc-gone", "external_id": "d"}])
    user("erin")
    user("frank")
    # Synapse does not deactivate whom it makes with the same request.
    user("frank", deactivated=True)
    number = {"medium": "msisdn", "address": "491701234567"}
    user("alice", threepids=[number, {"medium": "email", "address": "alice@example.com"}])
    for _ in range(3):
        call("POST", "/_matrix/client/v3/register?kind=guest", {})


main()
