"""Loads configurations into Synapse, with its own logins and with MAS, and tells what it says.

One JSON object a line on standard input: {"text": YAML to be added to a working configuration}.
One a line on standard output: {"legacy": null or the error, "mas": null or the error}.
"""

import io
import json
import logging
import os
import sys
import tempfile
import types
import warnings
from unittest import mock

import yaml

from synapse.config._base import ConfigError
from synapse.config.homeserver import HomeServerConfig
from synapse.module_api import ModuleApi

FOLDER = tempfile.mkdtemp()

# SAML's library requires a program for signatures at its start; no signature is verified here.
try:
    import saml2.sigver

    saml2.sigver.get_xmlsec_binary = lambda paths=None: "/bin/true"
    import saml2.config

    saml2.config.get_xmlsec_binary = saml2.sigver.get_xmlsec_binary
except ImportError:
    pass

# Typical modules: one checks passwords, one does not, and one uses the old interface.
OURS = types.ModuleType("our_modules")


class Checks:
    def __init__(self, config, api):
        api.register_password_auth_provider_callbacks(
            auth_checkers={("m.login.password", ("password",)): lambda *_: None}
        )


class Harmless:
    def __init__(self, config, api):
        api.register_spam_checker_callbacks(user_may_invite=lambda *_: True)


class OldKind:
    def __init__(self, config, account_handler):
        pass

    @staticmethod
    def parse_config(config):
        return config


OURS.Checks, OURS.Harmless, OURS.OldKind = Checks, Harmless, OldKind
sys.modules["our_modules"] = OURS


def base():
    return {
        "server_name": "example.com",
        "public_baseurl": "https://matrix.example.com/",
        "report_stats": False,
        "suppress_key_server_warning": True,
        "signing_key": "ed25519 a_cnDr 3vYkDcXJdEhBqJRGfsv2VKSbNXAJzXgLcMXVvqJtEMQ",
        "macaroon_secret_key": "m",
        "form_secret": "f",
        "media_store_path": FOLDER,
        "database": {"name": "psycopg2", "args": {"user": "s", "password": "s", "host": "h", "database": "s"}},
        "listeners": [],
    }


def start_modules(config):
    """The part of Synapse's start at which modules register what they do."""
    for module, settings in config.modules.loaded_modules:
        api = ModuleApi.__new__(ModuleApi)
        api._auth_delegation_enabled = config.mas.enabled
        api._hs = mock.MagicMock(config=config)
        for name in ("_password_auth_provider", "_callbacks", "_server_name"):
            setattr(api, name, mock.MagicMock())
        module(settings, api)


def load(text, with_mas):
    """None, or why Synapse does not start."""
    added = yaml.safe_load(io.StringIO(text.replace("@FOLDER@", FOLDER)))
    settings = base()
    settings.update(added or {})
    if with_mas:
        settings["matrix_authentication_service"] = {
            **(settings.get("matrix_authentication_service") or {}),
            "enabled": True,
            "endpoint": "http://mas:8080",
            "secret": "s",
        }
    try:
        config = HomeServerConfig()
        config.parse_config_dict(settings, config_dir_path=FOLDER, data_dir_path=FOLDER)
        start_modules(config)
    except ConfigError as error:
        return "ConfigError: " + str(error.msg)
    except Exception as error:  # Whatever stops it stops it.
        return type(error).__name__ + ": " + str(error)
    return None


def main():
    out, sys.stdout = sys.stdout, sys.stderr
    os.chdir(FOLDER)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        text = json.loads(line)["text"]
        print(json.dumps({"legacy": load(text, False), "mas": load(text, True)}), file=out, flush=True)


main()
