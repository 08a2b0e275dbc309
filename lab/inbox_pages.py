"""The inbox as pages without scripts; what a mail holds is text here, its HTML stays in a frame."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

_SHOWN: Final = (
    "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
)  # fmt: skip
_STYLE: Final = """
:root { color-scheme: light dark; --line: #dde2e8; --dim: #5b6773; --back: #fff; --link: #1558a6; }
@media (prefers-color-scheme: dark) {
  :root { --line: #333c46; --dim: #9fabb7; --back: #181d23; --link: #7fb4f0; }
}
body { margin: 0 auto; max-width: 760px; padding: 24px 16px; background: var(--back);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 20px; margin: 0 0 16px; }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
ul { list-style: none; margin: 0; padding: 0; }
li { padding: 12px 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
small, th { color: var(--dim); font-weight: 400; }
table { border-collapse: collapse; margin: 0 0 16px; font-size: 14px; }
th { text-align: left; vertical-align: top; padding: 2px 16px 2px 0; white-space: nowrap; }
td { overflow-wrap: anywhere; }
iframe { width: 100%; height: 820px; border: 1px solid var(--line); border-radius: 8px; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 13px; }
"""


def list_page(mails: Sequence[Mapping[str, Any]]) -> str:
    """Every mail, newest first; it comes again every few seconds."""
    items = "".join(
        f'<li><a href="/{mail["number"]}">{escape(mail["subject"]) or "(no subject)"}</a><br>'
        f"{escape(mail['first_line'])}<br>"
        f"<small>{escape(mail['date'])} to {escape(', '.join(mail['to']))}</small></li>"
        for mail in mails
    )
    body = f"<ul>{items}</ul>" if items else "<p>No mail yet. The first comes with an alert.</p>"
    return _page(f"Inbox ({len(mails)})", body, '<meta http-equiv="refresh" content="5">')


def mail_page(number: int, headers: Mapping[str, str], text: str) -> str:
    """One mail: its headers, its HTML in a frame that may do nothing, and its text."""
    rows = "".join(
        f"<tr><th scope=row>{name}</th><td>{escape(headers[name])}</td></tr>"
        for name in _SHOWN
        if name in headers
    )
    frame = (
        f'<iframe src="/{number}/html" title="The mail"'
        ' sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>'
    )
    body = (
        f'<p><a href="/">Inbox</a></p><table>{rows}</table>{frame}'
        f'<h2>As text</h2><pre>{escape(text)}</pre><p><a href="/{number}/raw">As it came</a></p>'
    )
    return _page(headers.get("Subject", "Mail"), body)


def _page(title: str, body: str, head: str = "") -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"{head}<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1>{body}</body></html>"
    )
