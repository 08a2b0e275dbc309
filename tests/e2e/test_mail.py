"""From a fault on a real Redis to a mail in a real mail server, and its thread."""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

import pytest

from lab.start import Lab
from tests.e2e.conftest import StartUp
from tests.servers import wait_until

pytestmark = pytest.mark.serial
HELD_S = 12.0
SUBJECT = "[stalewatch] regional-stale"


def test_a_fault_becomes_a_mail_and_its_end_another_of_the_thread(
    shop: Lab, start_up: StartUp
) -> None:
    up = start_up(shop.config).ready()
    shop.inject("lost_invalidation", "eu-redis-1", HELD_S)
    wait_until(lambda: mails(shop, "FIRING"), "a mail that tells of it", 40)
    wait_until(lambda: mails(shop, "RESOLVED"), "a mail that tells of its end", 60)
    (firing,), (resolved,) = mails(shop, "FIRING"), mails(shop, "RESOLVED")
    assert resolved["in_reply_to"] == firing["message_id"]
    assert firing["in_reply_to"] == ""
    told = page(shop, firing)
    assert "Largest proven staleness at regional/eu-redis-1, by minute" in told
    assert '<div class="bad"' in told, "what was proven stale is a bar over the limit"
    assert up.metric('stalewatch_deliveries_total{channel="inbox",outcome="delivered"}') == 2


def page(shop: Lab, mail: Mapping[str, Any]) -> str:
    with urllib.request.urlopen(f"{shop.inbox}{mail['number']}/html", timeout=10) as answer:
        return str(answer.read().decode())


def mails(shop: Lab, beginning: str) -> list[Mapping[str, Any]]:
    with urllib.request.urlopen(f"{shop.inbox}mails.json", timeout=10) as answer:
        listed: list[Mapping[str, Any]] = json.load(answer)
    about = [mail for mail in listed if mail["subject"] == SUBJECT]
    return [mail for mail in about if mail["first_line"].startswith(beginning)]
