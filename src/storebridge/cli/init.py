"""``init``: write a configuration by asking. Secrets never stand in it: it names environment variables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from storebridge.cli.options import Common, refuse_policy
from storebridge.cli.output import give, tell
from storebridge.config import parse_config
from storebridge.errors import ConfigurationError


class Question(msgspec.Struct, frozen=True):
    """One thing to be asked; ``choices`` are the only answers, where there are any."""

    name: str
    words: str
    default: str = ""
    choices: tuple[str, ...] = ()


class Way(msgspec.Struct, frozen=True):
    """One way in which a store lets us in: what it asks for, and the secrets it needs as environment variables."""

    questions: tuple[Question, ...]
    secrets: Mapping[str, str]
    """Setting of the connection to the environment variable that holds it."""


Ask = Callable[[Question], str]

NO_STAMPS = "none"
SERVER = (
    Question("store", "Database: a SQLite file, or postgresql://...", "storebridge.sqlite3"),
    Question("intake_url", "Public address of the webhook intake (https://...)"),
    Question(
        "policy",
        "Policy: mirror (all, everywhere), escrow (never oversells), hybrid (nearly all, stated risk)",
        "mirror",
    ),
    Question("system_of_record", "Whose levels are believed at the start", "shopify", ("shopify", "wix")),
)
SHOPIFY = (
    Question("shop", "Shopify: the shop's own domain, name.myshopify.com"),
    Question(
        "shopify_way",
        "Shopify: how do we get in? app (client credentials: an app of your own organisation), token (an access token "
        "that was given once), refresh (an expiring offline token and its refresh token)",
        "app",
        ("app", "token", "refresh"),
    ),
)
CLIENT_ID = Question("client_id", "Shopify: client id of your app")
CLIENT_SECRET = {"client_secret": "SHOPIFY_CLIENT_SECRET"}
SHOPIFY_WAYS = {
    "app": Way((CLIENT_ID,), CLIENT_SECRET),
    "token": Way((), {"access_token": "SHOPIFY_ACCESS_TOKEN", **CLIENT_SECRET}),
    "refresh": Way((CLIENT_ID,), {**CLIENT_SECRET, "refresh_token": "SHOPIFY_REFRESH_TOKEN"}),
}
WIX = (
    Question("site_id", "Wix: site id"),
    Question(
        "wix_way",
        "Wix: how do we get in? app (an app that is installed on the site), key (an API key; it receives no webhooks, "
        "so that changes are found by looking, later)",
        "app",
        ("app", "key"),
    ),
)
WIX_APP = (
    Question("app_id", "Wix: app id"),
    Question("instance_id", "Wix: instance id of the installation"),
    Question(
        "stamp_namespace",
        "Wix: namespace of the app's extension for stamps on stock, such as @acme/storebridge; with it a write whose "
        f"answer was lost hardly ever needs a person ({NO_STAMPS}: later, see Stamps on Wix in docs/operating.md)",
        NO_STAMPS,
    ),
)
WIX_WAYS = {
    "app": Way(WIX_APP, {"app_secret": "WIX_APP_SECRET", "webhook_public_key": "WIX_WEBHOOK_PUBLIC_KEY"}),
    "key": Way((), {"api_key": "WIX_API_KEY"}),
}
SECRETS_KEY = "STOREBRIDGE_SECRETS_KEY"
NEXT = "storebridge check, storebridge baseline, storebridge baseline --sign-off, storebridge serve"


class Composed(msgspec.Struct, frozen=True):
    """A configuration's text, and the environment variables that it names."""

    text: str
    variables: tuple[str, ...]


def init(*, common: Common = Common()) -> int:  # noqa: B008 - frozen
    """Write a configuration by asking. An existing file is never replaced."""
    path = Path(common.config)
    if common.policy is not None or common.store is not None:
        raise ConfigurationError("init asks for policy and database: leave --policy and --store out.")
    if path.exists():
        raise ConfigurationError(f"{path} exists: move it away, or name another file with --config.")
    composed = compose(_ask_person)
    parse_config(composed.text, str(path))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(composed.text)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written ({error.strerror}).") from error
    lines = [f"{path} is written. Put the secrets into {_listed(composed.variables)},"]
    if SECRETS_KEY in composed.variables:
        lines.append(f"(`storebridge secrets key` makes the one for {SECRETS_KEY}),")
    lines.append(
        "then run: storebridge check, storebridge baseline, storebridge baseline --sign-off, storebridge serve."
    )
    give({"written": str(path), "secrets": composed.variables}, lines, as_json=common.json)
    return 0


def compose(ask: Ask) -> Composed:
    """The file's text from the answers. Raises ConfigurationError for a policy that cannot be used."""
    answers = {question.name: ask(question) for question in (*SERVER, *SHOPIFY)}
    refuse_policy(answers["policy"])
    shopify = SHOPIFY_WAYS[answers["shopify_way"]]
    answers |= {question.name: ask(question) for question in (*shopify.questions, *WIX)}
    wix = WIX_WAYS[answers["wix_way"]]
    answers |= {question.name: ask(question) for question in wix.questions}
    keyed = {"secrets_key": SECRETS_KEY} if "refresh_token" in shopify.secrets else {}
    lines = [
        "# storebridge: written by `storebridge init`. Secrets stand in the environment, never here.",
        "",
        "[server]",
        _setting("store", answers["store"]),
        'console_listen = "127.0.0.1:8790"',
        'intake_listen = "127.0.0.1:8791"',
        _setting("intake_url", answers["intake_url"]),
        *_secrets(keyed),
        "",
        "[workspaces.main]",
        _setting("policy", answers["policy"]),
        _setting("system_of_record", answers["system_of_record"]),
        'baseline = "ask"',
        "",
        "[workspaces.main.connections.shopify]",
        'kind = "shopify"',
        _setting("shop", answers["shop"]),
        *(_setting(question.name, answers[question.name]) for question in shopify.questions),
        *_secrets(shopify.secrets),
        "",
        "[workspaces.main.connections.wix]",
        'kind = "wix"',
        _setting("site_id", answers["site_id"]),
        *(_stamps_or_setting(question.name, answers[question.name]) for question in wix.questions),
        *_secrets(wix.secrets),
        "",
    ]
    return Composed("\n".join(lines), (*shopify.secrets.values(), *wix.secrets.values(), *keyed.values()))


def _setting(name: str, value: str) -> str:
    return f"{name} = {msgspec.json.encode(value).decode()}"


def _stamps_or_setting(name: str, value: str) -> str:
    if name == "stamp_namespace" and value == NO_STAMPS:
        return '# stamp_namespace = "@acme/storebridge"'
    return _setting(name, value)


def _secrets(named: Mapping[str, str]) -> list[str]:
    return [f'{setting} = {{ env = "{variable}" }}' for setting, variable in named.items()]


def _listed(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _ask_person(question: Question) -> str:
    """A question on stderr, a line from stdin; an empty line takes the default, and without one it is asked again."""
    while True:
        offered = f" ({', '.join(question.choices)})" if question.choices else ""
        sys.stderr.write(f"{question.words}{offered}{f' [{question.default}]' if question.default else ''}: ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            raise ConfigurationError("The answers ended early; nothing was written.")
        answer = line.strip() or question.default
        if question.choices and answer not in question.choices:
            tell(f"One of {', '.join(question.choices)}, please.")
        elif answer:
            return answer
        else:
            tell("This one is needed.")
