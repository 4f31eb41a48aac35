"""A campaign whose workers are killed, with a pause, an outage and opt-outs: nobody is left out or texted twice."""

import os
import random
import time
from collections import Counter

from drill.observations import require, wait_until
from drill.product import COMPANY
from drill.scene import Scene
from drill.texts import main_line, make_event
from drill.webhooks import post_event
from tests.fictional_numbers import fictional_number
from tests.messaging.clocks import zone_with_hour
from tests.provider_server import ProviderServer, answer, drop

MEMBERS = int(os.environ.get("CAMPAIGN_MEMBERS", "1000"))
FAST = {"SMS_PER_SECOND": "1000000", "WORKER_LEASE_S": "5"}  # instead of the carriers' pace
OUTAGE = (drop(accepts=False), drop(accepts=True), answer(503), drop(accepts=True))
SPARE = 50  # contacts: some numbers may be taken
OUTAGE_S, STOPS, SEED = 5, 5, 7

CONTACTS = """
INSERT INTO contacts
    (company_id, first_name, last_name, phone, email, address, city, state, postal_code, timezone, created_at)
SELECT company.id, 'Member', '', phone, '', '', '', '', '', %s, now()
FROM companies company, unnest(%s) phone WHERE company.slug = %s
ON CONFLICT DO NOTHING
"""
NUMBERS = """
INSERT INTO contact_phones (company_id, contact_id, phone, label, created_at)
SELECT company_id, id, phone, '', now() FROM contacts WHERE first_name = 'Member' ON CONFLICT DO NOTHING
"""
ADD_MEMBERS = """
INSERT INTO campaign_memberships
    (company_id, campaign_id, contact_id, step, variant, status, reason, sms_segments, created_at)
SELECT company_id, %s, id, 1, 'a', 'pending', '', 0, now() FROM contacts WHERE first_name = 'Member'
ORDER BY id LIMIT %s
"""
PHONES = """
SELECT phone FROM contacts JOIN campaign_memberships member ON member.contact_id = contacts.id WHERE campaign_id = %s
"""
OF_CAMPAIGN = "campaign_memberships WHERE campaign_id = %s"


def start_campaign(scene: Scene) -> str:
    """Make a campaign with many members, raise the line's daily cap, and start it with two workers."""
    line = main_line(scene)[0]
    scene.primary.fetch("UPDATE phone_lines SET daily_cap = 10000000, next_send_at = now() WHERE id = %s", line)
    phones = [fictional_number(number) for number in range(10_000, 10_000 + MEMBERS + SPARE)]
    scene.primary.fetch(CONTACTS, zone_with_hour(14), phones, COMPANY)
    scene.primary.fetch(NUMBERS)
    fields = {"name": "Drill", "body": "Hi {first_name|there}, is your roof ready?", "phone_line": line}
    scene.campaign = scene.live.call_api("POST", "campaigns", json=fields).json()["id"]
    scene.primary.fetch(ADD_MEMBERS, scene.campaign, MEMBERS)
    began = time.monotonic()
    started = scene.live.call_api("POST", f"campaigns/{scene.campaign}/start")
    require(started.status_code == 200, f"the start was answered {started.status_code}: {started.text[:200]}")
    seconds = time.monotonic() - began
    members = scene.primary.count(f"{OF_CAMPAIGN} AND due_at IS NOT NULL", scene.campaign)
    for name in ("worker", "second worker"):
        scene.live.start_worker(name=name, **FAST)
    saw = f"started in {seconds:.1f} s; {members} members are due"
    require(members == MEMBERS, saw)
    return saw


def disturb(scene: Scene) -> str:
    """Kill a worker at each quarter; pause at the second, end the provider at the third; receive STOPs."""
    chance = random.Random(SEED)  # noqa: S311
    scene.provider.sent.clear()
    kills = 0
    for quarter in (1, 2, 3):
        wait_until(lambda quarter=quarter: len(scene.provider.sent) >= MEMBERS * quarter // 4, "the campaign goes on")  # type: ignore[misc]
        _opt_out(scene, chance)
        worker = scene.live.processes[chance.choice(["worker", "second worker"])]
        worker.kill()
        worker.wait()
        kills += 1
        if quarter == 2:
            _pause(scene)
        if quarter == 3:
            _interrupt(scene)
        for name in ("worker", "second worker"):
            if scene.live.processes[name].poll() is not None:
                scene.live.start_worker(name=name, **FAST)
    return f"{kills} workers killed, 1 pause, 1 outage, {STOPS * 3} STOPs"


def complete(scene: Scene) -> str:
    """Wait until every member has an end; compare the provider's messages with the members."""
    status = "campaigns WHERE id = %s AND status = 'completed'"
    seconds = wait_until(lambda: scene.primary.count(status, scene.campaign) == 1, "the campaign is completed", 300)
    sent = Counter(message.to for message in scene.provider.sent if "is your roof ready?" in message.body)
    members = {phone for (phone,) in scene.primary.fetch(PHONES, scene.campaign)}
    stopped = {phone for (phone,) in scene.primary.fetch("SELECT phone FROM opt_outs WHERE state <> 'clear'")}
    late = scene.primary.fetch(
        "SELECT m.to_numbers FROM message_threads m JOIN opt_outs o ON m.to_numbers @> to_jsonb(o.phone)"
        " WHERE m.kind = 'campaign' AND m.status = 'sent' AND o.state <> 'clear'"
        " AND m.sent_at > pg_xact_commit_timestamp(o.xmin)"
    )
    lost, doubled = members - sent.keys() - stopped, sum(sent.values()) - len(sent)
    saw = (
        f"completed after {seconds:.1f} s: {MEMBERS} members, {sum(sent.values())} sent, {len(sent)} distinct,"
        f" {len(lost)} lost, {doubled} doubled, {len(members & stopped)} opted out, {len(late)} sent after their STOP"
    )
    require((len(lost), doubled, len(late)) == (0, 0, 0), saw)
    return saw


def _opt_out(scene: Scene, chance: random.Random) -> None:
    """Let some contacts who have not been texted send STOP."""
    texted = {message.to for message in scene.provider.sent}
    waiting = [phone for (phone,) in scene.primary.fetch(PHONES, scene.campaign) if phone not in texted]
    for phone in chance.sample(waiting, min(STOPS, len(waiting))):
        event = make_event(scene, "STOP")
        event["data"]["object"]["from"] = phone
        require(post_event(scene.live, event).status_code == 200, "a STOP was not accepted")


def _pause(scene: Scene) -> None:
    answer = scene.live.call_api("POST", f"campaigns/{scene.campaign}/pause")
    require(answer.status_code == 200, f"the pause was answered {answer.status_code}")
    time.sleep(2)
    before = len(scene.provider.sent)
    time.sleep(1)
    require(len(scene.provider.sent) == before, "messages left two seconds after the pause")
    answer = scene.live.call_api("POST", f"campaigns/{scene.campaign}/resume")
    require(answer.status_code == 200, f"the resumption was answered {answer.status_code}")


def _interrupt(scene: Scene) -> None:
    """Lose answers, then the provider for some seconds."""
    scene.provider.fail_sends(*OUTAGE)
    time.sleep(1)
    before = scene.provider
    before.__exit__()
    time.sleep(OUTAGE_S)
    scene.provider = ProviderServer(requests_per_second=1_000_000, port=int(before.url.rpartition(":")[2]))
    scene.provider.openphone, scene.provider.sent = before.openphone, before.sent
    scene.stack.enter_context(scene.provider)


STEPS = (start_campaign, disturb, complete)
