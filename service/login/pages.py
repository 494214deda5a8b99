"""The few pages of login: plain HTML in fi, sv and en, no script, everything escaped, nothing from elsewhere."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any, get_args

import yaml

from service.words import Lang

_OWN = ("'self'",)
LANGUAGES: tuple[Lang, ...] = get_args(Lang)
_STYLE = (
    "body{font:1.125rem/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;"
    "background:#fff}h1{font-size:1.6rem}ul{list-style:none;padding:0}li{margin:.5rem 0}button{font:inherit;width:100%;"
    "min-height:2.75rem;padding:.6rem 1rem;text-align:left;color:#1a1a1a;background:#fff;border:2px solid #0000bf;"
    "border-radius:.25rem;cursor:pointer}button:hover{background:#e6e6ff}a:focus-visible,button:focus-visible{"
    "outline:3px solid #0000bf;outline-offset:3px}.quiet{display:block;color:#404040}"
)
_STYLE_DIGEST = b64encode(sha256(_STYLE.encode()).digest()).decode()


@cache
def _catalogue() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "texts.yaml").read_text(encoding="utf-8"))
    return found


def words(lang: Lang, section: str, key: str) -> str:
    """One text of login. Raises KeyError when there is none such (a test holds that there is)."""
    text: str = _catalogue()[section][key][lang]
    return text


def language(accepted: str | None) -> Lang:
    """The first of fi, sv, en that a browser accepts (Accept-Language, or the `ui_locales` of OpenID Connect)."""
    for part in (accepted or "").replace(",", " ").split():
        code = part.partition(";")[0].partition("-")[0].lower()
        for lang in LANGUAGES:
            if code == lang:
                return lang
    return "fi"


def headers(*form_targets: str) -> dict[str, str]:
    """What every page and redirect of login carries; `form_targets` are origins its form may lead to besides our own.

    An address here can hold an authorization code, so none is told to other sites. It is told to our own: without, a
    browser sends its forms with the origin `null`.
    """
    policy = (
        f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; form-action {' '.join(_OWN + form_targets)};"
        " base-uri 'none'; frame-ancestors 'none'"
    )
    return {
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Content-Security-Policy": policy,
    }


def page(lang: Lang, title: str, about: str, *parts: str) -> str:
    """A page. `parts` are HTML; title and text are escaped here."""
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} – Polku</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1><p>{escape(about)}</p>{''.join(parts)}</main></body></html>"
    )


def link(address: str, text: str) -> str:
    """A link on a line of its own."""
    return f'<p><a href="{escape(address)}">{escape(text)}</a></p>'


def form(action: str, hidden: Mapping[str, str], buttons: Iterable[str]) -> str:
    """A form that is sent by one of its buttons."""
    kept = "".join(f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">' for k, v in hidden.items())
    listed = "".join(f"<li>{item}</li>" for item in buttons)
    return f'<form method="post" action="{escape(action)}">{kept}<ul>{listed}</ul></form>'


def button(text: str, quiet: str = "", *, name: str = "", value: str = "") -> str:
    """A button with a line beneath; `name` and `value` are what it sends."""
    sends = f' name="{escape(name)}" value="{escape(value)}"' if name else ""
    below = f'<span class="quiet">{escape(quiet)}</span>' if quiet else ""
    return f'<button type="submit"{sends}>{escape(text)}{below}</button>'
