"""A manager's day over the API: people, settings, provider, campaign, import, duplicates, numbers, programs.

python3 docs/examples/manager_day.py
"""

import json
import secrets

from client import (
    MAIL_FOLDER,
    Api,
    Day,
    Receiver,
    ahead,
    book,
    check,
    code_of,
    links_for,
    new_key,
    new_name,
    unknown_number,
    wait_for,
)  # fmt: skip


class ManagerDay(Day):
    user = "manager"

    def sign_in(self):
        """Sign in, and see what the company still lacks."""
        self.me = self.api.sign_in(self.user).get("me").data
        setup = self.api.get("setup")
        for step in setup["steps"]:
            self.note(f"{'done' if step['is_done'] else 'to do'}: {step['title']}. {step['note']}")

    def invite_a_colleague(self):
        """Invite a CSR by mail, send the mail once more, and let the colleague go again."""
        username = new_name("nina").replace(" ", "-")
        person = {"username": username, "first_name": "Nina", "last_name": "Reed", "role": "csr"}
        user = self.api.post("users", person | {"email": f"{username}@example.com"})["id"]
        self.api.post(f"users/{user}/invite")
        check("the role", self.api.patch(f"users/{user}", {"role": "rep"})["role"], "rep")
        check("an active user", self.api.patch(f"users/{user}", {"is_active": False})["is_active"], False)
        self.api.refused(409, "last_manager", "PATCH", f"users/{self.me['id']}", {"is_active": False})

    def invite_a_manager(self):
        """Invite a manager, who sets a password by the mailed link, forgets it, and sets another one."""
        username = new_name("olive").replace(" ", "-")
        self.mail, self.password = f"{username}@example.com", secrets.token_urlsafe(12)
        person = {"username": username, "first_name": "Olive", "last_name": "Hart", "role": "manager"}
        self.olive = self.api.post("users", person | {"email": self.mail}).data
        if not MAIL_FOLDER:
            self.note("Start the server with EMAIL_URL=filemail:////PATH and set MAIL_FOLDER to try the mailed links.")
            return
        token = self._mailed_link(1)
        public = Api()
        public.post("auth/set-password", {"token": token, "password": self.password})
        public.refused(400, "link_used", "POST", "auth/set-password", {"token": token, "password": self.password})
        Api().sign_in(username, self.password)
        public.post("auth/password-reset", {"email": self.mail})
        self.password = secrets.token_urlsafe(12)
        public.post("auth/set-password", {"token": self._mailed_link(2), "password": self.password})

    def _mailed_link(self, number):
        """Wait for this many mails, and return the token in the last one."""
        return wait_for("a mail", lambda: links_for(self.mail)[number - 1 : number])[0]

    def turn_on_a_second_factor(self):
        """Turn on a second factor as the new manager, sign in with it, and reset it as after the loss of a phone."""
        if MAIL_FOLDER:
            name = self.olive["username"]
            olive = Api().sign_in(name, self.password)
            secret = olive.post("me/second-factor", {"password": self.password})["secret"]
            codes = olive.post("me/second-factor/confirm", {"code": code_of(secret)})["recovery_codes"]
            password = {"username": name, "password": self.password}
            Api().refused(401, "code_required", "POST", "auth/token", password)
            Api().sign_in(name, self.password, code=code_of(secret, step=1))  # each code works once
            Api().sign_in(name, self.password, code=codes[0])
            self.api.post(f"users/{self.olive['id']}/reset-second-factor")
            Api().sign_in(name, self.password)
        self.api.patch(f"users/{self.olive['id']}", {"is_active": False})

    def change_the_settings(self):
        """Change the company's settings; a form of another manager, opened before, is refused."""
        company = self.api.get("company")
        hours = {day: {"opens": "08:00", "closes": "17:30"} for day in ("monday", "tuesday", "wednesday", "thursday")}
        texts = {"after_hours_text": "We are closed until eight. How can we help?", "working_hours": hours,
                 "on_the_way_text": "{rep|Your rep} of {company_name} comes in {minutes}."}  # fmt: skip
        etag = company.headers["ETag"]
        changed = self.api.patch("company", texts, etag=etag)
        check("Friday", changed["working_hours"]["friday"], None)
        self.api.refused(412, "stale", "PATCH", "company", {"missed_call_text": "Old."}, etag=etag)
        self.api.refused(400, "invalid", "PATCH", "company", {"timezone": "Mars/Olympus"})
        self.api.patch("company", {name: company[name] for name in texts})

    def connect_the_provider(self):
        """Give Twilio's secret and account, test the connection, and take the secret back."""
        before = self._connection("twilio")
        values = {"secret": secrets.token_hex(16), "account_key": secrets.token_hex(16), "account_id": "AC" + "0" * 32}
        connection = self.api.patch("provider-connections", {"provider": "twilio"} | values)
        check("the key can't be read, but for its end", connection["account_key_ending"], values["account_key"][-4:])
        test = self.api.post("provider-connections/test", {"provider": "twilio"})
        checks = {each["name"]: each for each in test["checks"]}
        for each in test["checks"]:
            self.note(f"{each['name']}: {'works' if each['is_ok'] else each['fault']}")
        check("a test event is received", checks["webhook_event"]["is_ok"], True)
        known = {each["id"] for each in before["secrets"]}
        for secret in connection["secrets"]:
            if secret["id"] not in known:
                self.api.patch("provider-connections", {"provider": "twilio", "remove_secret": secret["id"]})

    def _connection(self, provider):
        """Read the present connection."""
        connections = self.api.get("provider-connections")["connections"]
        return next(each for each in connections if each["provider"] == provider)

    def name_the_lines(self):
        """Name the phone lines."""
        lines = self.api.get("phone-lines", order="oldest")["results"]
        for line in lines:
            self.api.patch(f"phone-lines/{line['id']}", {"name": line["name"] or f"Line {line['number'][-4:]}"})
        self.line = lines[0]["id"]

    def save_a_snippet(self):
        """Save a text that the CSRs type every day."""
        shortcut = new_name("late").replace(" ", "-")
        snippet = self.api.post("snippets", {"shortcut": shortcut, "body": "Hi {first_name|there}, we are late."})
        self.api.patch(f"snippets/{snippet['id']}", {"body": "Hi {first_name|there}, we come a little later."})
        self.api.delete(f"snippets/{snippet['id']}")

    def choose_the_audience(self):
        """Keep a segment of two contacts with a tag, and preview whom it finds."""
        tag = self.api.post("tags", {"name": new_name("Roof check")})
        self.tag = tag["name"]
        self.members = [
            self.api.post(
                "contacts", {"first_name": name, "phone": unknown_number(self.api), "tags": [self.tag]}, key=new_key()
            ).data
            for name in ("Robin", "Kim")
        ]
        definition = {"tag": {"ids": [tag["id"]]}}
        preview = self.api.post("segments/preview", {"definition": definition})
        check("contacts of the segment", preview["in"], 2)
        self.note(preview["sentence"])
        self.segment = self.api.post("segments", {"name": self.tag, "definition": definition})["id"]

    def run_a_campaign(self):
        """Write a campaign, preview it, send it to oneself, start, pause, resume, read the report, and end it."""
        text = {"name": self.tag, "body": "Hi {first_name|there}, time for a check of your roof?"}
        # One text a day, so that it still runs when the next request pauses it.
        campaign = self.api.post("campaigns", text | {"phone_line": self.line, "daily_limit": 1}, key=new_key())["id"]
        path = f"campaigns/{campaign}"
        check("it can't start without members", self._start_code(path), "no_members")
        check("it would add", self.api.post(f"{path}/audience?dry_run=1", {"segment": self.segment})["added"], 2)
        check("it adds", self.api.post(f"{path}/audience", {"segment": self.segment})["added"], 2)
        texts = self.api.get(f"{path}/texts")["results"]
        check("who gets a text with the own name", all(each["body"].count("Hi ") for each in texts), True)
        self.note(texts[0]["body"].replace("\n", " "))
        estimate = self.api.get(f"{path}/estimate")
        self.note(f"{estimate['sms_segments']} SMS segments, {estimate['cost']} {estimate['currency']}")
        test = self.api.post(f"{path}/test-send", {"phone": self.members[0]["phone"]})
        check("the test is a message", test["status"], "queued")
        for action, status in (("start", "running"), ("pause", "paused"), ("resume", "running"), ("pause", "paused")):
            check(f"after {action}", self.api.post(f"{path}/{action}")["status"], status)
        report = self.api.get(f"{path}/report")
        check("members in the report", report["total"]["members"], 2)
        check("after cancel", self.api.post(f"{path}/cancel")["status"], "cancelled")
        members = self.api.get("campaign-memberships", campaign=campaign)["results"]
        check("contacts in the campaign", len(members), 2)

    def _start_code(self, path):
        """Ask to start too early."""
        return self.api.ask("POST", f"{path}/start", good=(409,)).code

    def plan_the_reps(self):
        """Give a rep shorter days and a day off; decline another time that the rep proposes."""
        rep = Api().sign_in("rep")
        me = rep.get("me")["id"]
        before = self.api.get(f"users/{me}")["working_hours"]
        hours = {"monday": {"opens": "09:00", "closes": "15:00"}}
        check(
            "Monday",
            self.api.patch(f"users/{me}", {"working_hours": hours})["working_hours"]["monday"]["opens"],
            "09:00",
        )
        self.api.patch(f"users/{me}", {"working_hours": before})
        off = {"rep": me, "starts_at": ahead(days=50), "ends_at": ahead(days=51), "reason": "Training"}
        self.api.delete(f"time-off/{self.api.post('time-off', off)['id']}")
        appointment = book(self.api, contact=self.members[0]["id"], assigned_rep=me)
        proposal = {
            "appointment": appointment["id"],
            "scheduled_start": ahead(days=30),
            "scheduled_end": ahead(days=30, hours=1),
        }
        proposal = rep.post("appointment-proposals", proposal)["id"]
        self.api.post(f"appointment-proposals/{proposal}/decline")
        check("the proposal", rep.get(f"appointment-proposals/{proposal}")["status"], "declined")
        self.api.patch(f"appointments/{appointment['id']}", {"status": "cancelled"})

    def import_a_list(self):
        """Import a list: first try it out, then do it, read the rejected rows, and undo it."""
        number = unknown_number(self.api)
        name = new_name("Fair") + ".csv"
        rows = f"Name,Cell,City\nAlex Stone,{number},Denver\nNobody,none,Denver\n".encode()
        mapping = json.dumps({"columns": {"Name": "full_name", "Cell": "phone", "City": "city"}})
        trial = self._import_file(name, rows, mapping=mapping, dry_run="true")
        check("the trial predicts", (trial["created"], trial["rejected"]), (1, 1))
        check("the trial adds", self.api.get("contacts", search=number[1:])["results"], [])
        done = self._import_file(name, rows, mapping=mapping)
        check("new contacts and rejected rows", (done["created"], done["rejected"]), (1, 1))
        [contact] = self.api.get("contacts", search=number[1:])["results"]
        check("the name", (contact["first_name"], contact["last_name"]), ("Alex", "Stone"))
        rejected = self.api.get(f"imports/{done['id']}/rejected")
        check("the rejected rows name the reason", b"Nobody" in rejected.body, True)
        self.api.post(f"imports/{done['id']}/undo")
        undone = self._wait_for_import(done["id"], "undone")
        check("contacts that are gone again", undone["reversed"], 1)
        check("the contact is gone", self.api.get("contacts", search=number[1:])["results"], [])

    def _import_file(self, name, rows, **fields):
        """Send a file, and wait for its end."""
        begun = self.api.upload("imports", name, rows, **fields)
        return self._wait_for_import(begun["id"], "done")

    def _wait_for_import(self, pk, state):
        """Wait for an import."""

        def ended():
            row = self.api.get(f"imports/{pk}")
            check("the import has not failed", row["state"] == "failed", False)
            return row if row["state"] == state else None

        return wait_for(f"import {pk} is {state}", ended)

    def clear_duplicates(self):
        """Find a contact that is there twice, merge the two, and undo it."""
        twin = {"first_name": "Jo", "last_name": "Hill", "email": f"{secrets.token_hex(4)}@example.com"}
        first, second = (
            self.api.post("contacts", twin | {"phone": unknown_number(self.api)}, key=new_key()).data for _ in range(2)
        )
        self.api.post("duplicates/search")

        def found():
            return self.api.get("duplicates", contact=first["id"], state="open")["results"]

        [pair] = wait_for("the two are found", found)
        merge = self.api.post(f"duplicates/{pair['id']}/merge", {"kept": first["id"]}, key=new_key())
        gone = self.api.refused(410, "merged", "GET", f"contacts/{second['id']}")
        check("who stands for it", gone["merged_into"], first["id"])
        self.api.post(f"merges/{merge['id']}/undo")
        check("it is back", self.api.get(f"contacts/{second['id']}")["phone"], second["phone"])

    def export(self):
        """Export contacts as CSV and as XLSX."""
        csv = self.api.get("contacts/export", format="csv", tag=self.tag)
        check("rows of the file", len(csv.body.decode("utf-8-sig").strip().splitlines()), 1 + len(self.members))
        xlsx = self.api.get("contacts/export", format="xlsx", tag=self.tag)
        check("an Excel file", xlsx.body[:2], b"PK")

    def read_the_dashboard(self):
        """Read the dashboard."""
        metrics = self.api.get("dashboard/metrics")
        self.note(f"{metrics['total']} calls, {metrics['booked']} booked: {metrics['booking_rate']} %")
        check("calls by status", sum(metrics["by_status"].values()), metrics["total"])
        check("days of the chart", len(self.api.get("dashboard/booking-rate")["days"]), 30)
        self.api.get("dashboard/top-objections", limit=5)
        self.api.get("dashboard/lead-conversion")
        self.api.get("missed-calls/counts")

    def read_the_audit(self):
        """Read in the audit who has made the segment and exported the contacts."""
        [entry] = self.api.get("audit", resource="segments", object=self.segment)["results"]
        check("who made the segment", (entry["action"], entry["user"]), ("insert", self.me["id"]))
        exports = self.api.get("audit", resource="contacts", action="export", user="me")["results"]
        check("the exports are in the audit", bool(exports), True)

    def let_a_program_in(self):
        """Give a program an API token that reads contacts, and end it."""
        token = self.api.post("api-tokens", {"name": "Website", "scopes": ["contacts:read"]})
        program = Api(token["token"])
        check("the program reads", len(program.get("contacts", tag=self.tag)["results"]), len(self.members))
        program.refused(403, "scope_missing", "GET", "invoices")
        self.api.post(f"api-tokens/{token['id']}/revoke")
        program.ask("GET", "contacts", good=(401,))

    def tell_a_program(self):
        """Tell a program of each change by an outgoing webhook, send an event again, and end it."""
        receiver = Receiver()
        hook = {"name": "Accounting", "url": receiver.url, "resources": ["contacts"]}
        webhook = self.api.post("outgoing-webhooks", hook)
        receiver.secret = webhook["secret"]
        changed = self.members[0]["id"]
        self.api.patch(f"contacts/{changed}", {"city": new_name("Denver")})

        def received():
            return [each for each in receiver.events if each["data"]["id"] == changed]

        wait_for("the event, with OUTGOING_WEBHOOK_NETWORKS=127.0.0.0/8", received)

        def sent():
            return self.api.get("outgoing-events", webhook=webhook["id"], status="sent")["results"]

        [event, *_] = wait_for("the event is sent", sent)
        count = len(receiver.events)
        self.api.post(f"outgoing-events/{event['id']}/replay")
        wait_for("the event comes again", lambda: len(receiver.events) > count)
        renewed = self.api.post(f"outgoing-webhooks/{webhook['id']}/rotate-secret")
        check("the secret is the old one", renewed["secret"] == webhook["secret"], False)
        self.api.delete(f"outgoing-webhooks/{webhook['id']}")

    def sign_out(self):
        """End the other sessions, and sign out."""
        self.api.post("me/sessions/end-others")
        self.api.post("auth/sign-out", {"refresh": self.api.refresh})
        self.api.refused(401, "session_ended", "GET", "me")


if __name__ == "__main__":
    ManagerDay.run()
