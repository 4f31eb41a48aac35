"""A CSR's day over the API: the inbox, missed callers, a new customer from the call to the appointment.

python3 docs/examples/csr_day.py
"""

import re

from client import Api, Day, Surprise, ahead, book, check, day_ahead, new_key, unknown_number, wait_for


class CsrDay(Day):
    user = "csr"

    def sign_in(self):
        """Sign in, and take a cursor before anything is read."""
        self.me = self.api.sign_in(self.user).get("me").data
        self.cursor = self.api.get("changes")["next"]
        people = [each for each in self.api.get("colleagues", limit=1000)["results"] if each["is_active"]]
        self.rep = next(each for each in people if each["role"] == "rep")
        others = [each for each in people if each["role"] == "csr" and each["id"] != self.me["id"]]
        self.colleague = min(others, key=lambda each: each["id"])  # of the demo data: a later one has another password
        self.desk = Api().sign_in(self.colleague["username"])  # what the colleague sees meanwhile
        self.note(f"{self.me['username']}, beside {self.colleague['name']}")

    def open_the_inbox(self):
        """Open the inbox, and read what needs somebody."""
        inbox = self.api.get("conversations", order="recent", status=["open", "waiting"], assignee=["me", "none"])
        for conversation in inbox["results"][:3]:
            last = conversation["last_message"] or {"body": ""}
            self.note(f"{conversation['contact_summary']['phone']}: {conversation['unread']} unread, {last['body']!r}")
        for notice in self.api.get("notices")["notices"]:
            self.note(f"{notice['count']}: {notice['message']}")

    def take_a_missed_caller(self):
        """Claim a missed caller, so that nobody else calls back as well."""
        waiting = self.api.get("missed-calls", recovered="false", limit=100)["results"]
        self.caller = next(
            row for row in waiting if not row["claimed_by"] and not row["contact_summary"]["flags"]
        )  # fmt: skip
        claim = f"missed-calls/{self.caller['id']}/claim"
        check("the caller is claimed by", self.api.post(claim)["claimed_by"], self.me["id"])
        self.desk.refused(409, "already_claimed", "POST", claim)

    def reach_the_missed_caller(self):
        """Text the missed caller back, call, log the call, and mark the caller as reached."""
        contact, line = self.caller["contact"], self.caller["phone_line"]
        text = {"body": "Sorry that we missed you. Is now a good time?", "phone_line": line}
        key = new_key()
        sent = self.api.post(f"message-threads/{contact}", text, key=key)
        again = self.api.post(f"message-threads/{contact}", text, key=key)  # as if the first answer was lost
        check("the message of a repeated request", again["id"], sent["id"])
        self.api.post("calls", {"contact": contact, "phone_line": line, "direction": "outgoing", "status": "unbooked"})
        row = f"missed-calls/{self.caller['id']}"
        check("the caller was reached by", self.api.post(f"{row}/recover")["recovered_by"], "manual")
        check("taken back, the caller waits", self.api.post(f"{row}/undo")["recovered_at"], None)
        self.api.post(f"{row}/recover")
        left = self.desk.get("missed-calls", recovered="false", contact=contact)
        check("the caller waits for the colleague", left["results"], [])

    def answer_the_phone(self):
        """Answer the phone: nobody has the number, so add the contact, and log the call."""
        number = unknown_number(self.api)
        customer = {"first_name": "Robin", "last_name": "Field", "phone": number, "city": "Denver", "state": "CO"}
        self.contact = self.api.post("contacts", customer, key=new_key()).data
        self.line = self.api.get("phone-lines", order="oldest", limit=1)["results"][0]["id"]
        call = {"contact": self.contact["id"], "phone_line": self.line, "direction": "incoming", "status": "unbooked"}
        self.call = self.api.post("calls", call, key=new_key()).data
        card = self.api.get(f"contacts/{self.contact['id']}/card")
        check("the last call on the caller's card", card["last_call"]["id"], self.call["id"])

    def note_the_lead(self):
        """Robin wants a new roof: make a lead of the call, and take it."""
        lead = {"contact": self.contact["id"], "source": "referral", "value": "8400.00", "notes": "Roof of 1998."}
        self.lead = self.api.post("leads", lead).data
        self.api.post(f"leads/{self.lead['id']}/claim")
        self.api.patch(f"calls/{self.call['id']}", {"lead": self.lead["id"]})

    def book_the_appointment(self):
        """Book the appointment from the call; where the rep is busy, an hour later."""
        self.appointment = book(
            self.api, contact=self.contact["id"], call=self.call["id"], assigned_rep=self.rep["id"]
        ).data  # fmt: skip
        check("the call is booked", self.api.get(f"calls/{self.call['id']}")["booked"], True)
        stages = self.api.get(f"leads/{self.lead['id']}/stages")["stages"]
        check("the latest stage of the lead", stages[-1]["status"], "booked")
        self.note(f"{self.rep['name']} comes on {self.appointment['date']} at {self.appointment['time']}")

    def book_a_series(self):
        """Find a free slot of the rep, and book three checks of the roof from there, every other week."""
        days = {"start_date": day_ahead(60), "end_date": day_ahead(66)}
        slots = self.api.get("slots", rep=self.rep["id"], length=60, **days)["slots"]
        for slot in slots:
            checks = {"scheduled_start": slot["starts_at"], "scheduled_end": slot["ends_at"],
                      "contact": self.contact["id"], "assigned_rep": self.rep["id"],
                      "recurrence": "FREQ=WEEKLY;INTERVAL=2;COUNT=3"}  # fmt: skip
            booked = self.api.post("appointments/series", checks, key=new_key(), good=(201, 409))
            if booked.status == 201:
                break
            check("a series is refused", booked.code, "series_taken")
        else:
            raise Surprise("the rep has no free slot that week")
        self.series = booked["appointments"]
        check("all are at one time of the day", len({row["time"] for row in self.series}), 1)
        check("how many", len(self.series), 3)

    def end_the_series(self):
        """Cancel the second check and all later ones: the customer sells the house."""
        second = self.series[1]
        self.api.post(f"appointments/{second['id']}/change-series", {"status": "cancelled"})
        rows = self.api.get("appointments", series=second["series"], order="oldest")["results"]
        check("the checks", [row["status"] for row in rows], ["scheduled", "cancelled", "cancelled"])

    def leave_a_task(self):
        """Leave a task from the call, and do it."""
        task = {"call": self.call["id"], "title": "Send the quote", "due_at": ahead(hours=4), "assignee": self.me["id"]}
        task = self.api.post("tasks", task)
        mine = self.api.get("tasks", assignee="me", done="false", contact=self.contact["id"])["results"]
        check("my open tasks of this contact", [each["id"] for each in mine], [task["id"]])
        done = self.api.post(f"tasks/{task['id']}/done")
        check("the task is done", done["done_at"] is not None, True)

    def send_a_snippet(self):
        """Put a snippet into a message: type /, choose, fill in the name, send."""
        snippets = self.api.get("snippets", limit=1000)["results"]
        snippet = next(each for each in snippets if "{first_name" in each["body"])
        body = re.sub(r"\{first_name\|?[^}]*\}", self.contact["first_name"], snippet["body"])
        check("placeholders are left", "{" in body, False)
        self.api.post(f"message-threads/{self.contact['id']}", {"body": body, "phone_line": self.line}, key=new_key())

    def send_later(self):
        """Write a message for tomorrow, change it, think better of it, and write another one."""
        thread = f"message-threads/{self.contact['id']}"
        tomorrow = {"body": "See you at nine!", "send_at": ahead(days=1), "hold_if_reply": True}
        message = self.api.post(thread, tomorrow, key=new_key())
        changed = self.api.patch(f"messages/{message['id']}", {"body": "See you at ten!", "send_at": ahead(hours=26)})
        check("the text that will leave", changed["body"], "See you at ten!")
        cancelled = self.api.post(f"messages/{message['id']}/cancel")
        check("the cancelled message", (cancelled["status"], cancelled["error_code"]), ("failed", "cancelled"))
        self.api.refused(409, "not_queued", "POST", f"messages/{message['id']}/cancel")
        kept = self.api.post(thread, tomorrow, key=new_key())
        check("the other one waits", self.api.get(f"messages/{kept['id']}")["status"], "queued")

    def tell_a_colleague(self):
        """Write a note in the conversation that names a colleague: it is a task there, and no message."""
        [conversation] = self.api.get("conversations", contact=self.contact["id"])["results"]
        self.conversation = conversation["id"]
        note = {"contact": self.contact["id"], "conversation": self.conversation}
        self.api.post("activities", note | {"body": f"@{self.colleague['username']} please check the permit."})
        [task] = self.desk.get("tasks", assignee="me", contact=self.contact["id"])["results"]
        check("the colleague's task", "please check the permit" in task["title"], True)
        self.desk.post(f"tasks/{task['id']}/done")

    def put_the_conversation_aside(self):
        """Snooze the conversation until tomorrow: it leaves the inbox."""
        later = {"status": "snoozed", "snoozed_until": ahead(days=1), "assignee": self.me["id"]}
        self.api.patch(f"conversations/{self.conversation}", later)
        inbox = self.api.get("conversations", status=["open", "waiting"], contact=self.contact["id"])
        check("the inbox has the conversation", inbox["results"], [])

    def mark_as_unread(self):
        """Open a conversation that somebody has written in, and leave it unread for a colleague."""
        latest = self.api.get("conversations", order="recent", limit=100)["results"]
        wrote = next(row for row in latest if (row["last_message"] or {}).get("direction") == "incoming")
        thread = f"message-threads/{wrote['contact']}"
        self.api.post(f"{thread}/read")
        check("unread messages", self.api.get(f"conversations/{wrote['id']}")["unread"], 0)
        self.api.post(f"{thread}/unread")
        unread = self.api.get("conversations", unread="true", contact=wrote["contact"])["results"]
        check("the conversation is unread", wrote["id"] in [row["id"] for row in unread], True)

    def poll_the_changes(self):
        """Ask what has changed since the morning: all of it is there."""
        expected = {("contacts", self.contact["id"]), ("appointments", self.appointment["id"]),
                    ("calls", self.call["id"]), ("missed-calls", self.caller["id"])}  # fmt: skip
        seen = set()

        def all_are_seen():
            answer = self.api.get("changes", after=self.cursor)
            seen.update((change["resource"], change["id"]) for change in answer["results"])
            self.cursor = answer["next"]
            return expected <= seen

        wait_for("the day's changes", all_are_seen)
        self.note(f"{len(seen)} objects have changed")

    def sign_out(self):
        """Sign out: the session ends at once."""
        self.api.post("auth/sign-out", {"refresh": self.api.refresh})
        self.api.refused(401, "session_ended", "GET", "me")


if __name__ == "__main__":
    CsrDay.run()
