"""A rep's day over the API: the week, the way to a customer, photos, the result, tasks and notices.

python3 docs/examples/rep_day.py
"""

from datetime import UTC, date, datetime, timedelta

from client import Api, Day, ahead, book, check, day_ahead, fetch, new_key, unknown_number, wait_for

# The smallest picture that every program can show.
JPEG = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb004300080606070605080707070909080a0c140d0c0b0b0c1912130f141d1a1f1e1d1a"
    "1c1c20242e2720222c231c1c2837292c30313434341f27393d38323c2e333432ffc0000b080001000101011100ffc4001400010000000000000"
    "00000000000000009ffc40014100100000000000000000000000000000000ffda0008010100003f0054dfffd9"
)


class RepDay(Day):
    user = "rep"

    def sign_in(self):
        """Sign in, while the office books an appointment for the rep."""
        self.me = self.api.sign_in(self.user).get("me").data
        self.cursor = self.api.get("changes")["next"]
        self.office = Api().sign_in("csr")
        self.line = self.office.get("phone-lines", order="oldest", limit=1)["results"][0]["id"]
        customer = {"first_name": "Kim", "last_name": "Lake", "phone": unknown_number(self.office),
                    "address": "12 Elm Street", "city": "Denver", "state": "CO"}  # fmt: skip
        self.contact = self.office.post("contacts", customer, key=new_key())["id"]
        call = {"contact": self.contact, "phone_line": self.line, "direction": "incoming", "status": "unbooked"}
        self.call = self.office.post("calls", call | {"assigned_rep": self.me["id"]}, key=new_key())["id"]
        booked = book(self.office, contact=self.contact, call=self.call, assigned_rep=self.me["id"])
        self.appointment, self.day = booked["id"], booked["date"]
        task = {"contact": self.contact, "title": "Bring the samples", "due_at": ahead(hours=20)}
        self.task = self.office.post("tasks", task | {"assignee": self.me["id"]})["id"]

    def hear_of_it(self):
        """Ask what has changed: the new appointment is there."""

        def appointment_is_seen():
            answer = self.api.get("changes", after=self.cursor)
            self.cursor = answer["next"]
            seen = [(change["resource"], change["id"]) for change in answer["results"]]
            return ("appointments", self.appointment) in seen

        wait_for("the new appointment", appointment_is_seen)

    def look_at_the_week(self):
        """Look at the own appointments of the week, the first one first."""
        week = {"start_date": date.today(), "end_date": date.fromisoformat(self.day) + timedelta(days=7)}
        rows = self.api.get("appointments", assigned_rep="me", order="oldest", limit=1000, **week)["results"]
        for row in rows[:5]:
            self.note(f"{row['date']} {row['time'][:5]} {row['contact_summary']['name']}: {row['status']}")
        check("the week has the new appointment", self.appointment in [row["id"] for row in rows], True)
        check("whose appointments these are", {row["assigned_rep"] for row in rows}, {self.me["id"]})

    def see_own_rows_alone(self):
        """See nothing of other reps: their appointments don't exist here, and the company's settings are read-only."""
        people = self.api.get("colleagues", limit=1000)["results"]
        other = next(each["id"] for each in people if each["role"] == "rep" and each["id"] != self.me["id"])
        hidden = self.office.get("appointments", assigned_rep=other, limit=1)["results"][0]["id"]
        self.api.refused(404, "not_found", "GET", f"appointments/{hidden}")
        check("appointments of another rep", self.api.get("appointments", assigned_rep=other)["results"], [])
        self.api.refused(403, "permission_denied", "PATCH", "company", {"currency": "EUR"})

    def prepare(self):
        """Read the address, the customer's card and what was said so far."""
        row = self.api.get(f"appointments/{self.appointment}")
        check("the address", "12 Elm Street" in row["address"], True)
        card = self.api.get(f"contacts/{self.contact}/card")
        check("the next appointment on the card", card["next_appointment"]["id"], self.appointment)
        timeline = self.api.get(f"contacts/{self.contact}/timeline")["results"]
        check("the customer has a history", bool(timeline), True)

    def confirm(self):
        """Confirm the appointment; a change from an old page is refused."""
        path = f"appointments/{self.appointment}"
        etag = self.api.get(path).headers["ETag"]
        check("the status", self.api.patch(path, {"status": "confirmed"}, etag=etag)["status"], "confirmed")
        stale = self.api.refused(412, "stale", "PATCH", path, {"notes": "Written before."}, etag=etag)
        check("the row as it is now", stale["current"]["status"], "confirmed")

    def move(self):
        """Make it half an hour later, because the traffic is bad."""
        path = f"appointments/{self.appointment}"
        row = self.api.get(path)
        later = {name: plus(row[name], minutes=30) for name in ("scheduled_start", "scheduled_end")}
        self.api.patch(path, later | {"allow_overlap": True})
        check("the new start", self.api.get(path)["scheduled_start"], later["scheduled_start"])

    def propose_another_time(self):
        """Propose to come two days later; the office accepts."""
        row = self.api.get(f"appointments/{self.appointment}")
        later = {name: plus(row[name], days=2) for name in ("scheduled_start", "scheduled_end")}
        proposal = {"appointment": self.appointment, "note": "The crane comes then."} | later
        proposal = self.api.post("appointment-proposals", proposal)["id"]
        waiting = [notice["kind"] for notice in self.office.get("notices")["notices"]]
        check("the office is told", "reschedule_proposals" in waiting, True)
        self.office.post(f"appointment-proposals/{proposal}/accept", {"allow_overlap": True})
        check(
            "the new start",
            self.api.get(f"appointments/{self.appointment}")["scheduled_start"],
            later["scheduled_start"],
        )
        self.api.refused(409, "proposal_decided", "POST", f"appointment-proposals/{proposal}/withdraw")

    def take_a_day_off(self):
        """Take a day off: there is no free slot then. Work after all."""
        day = day_ahead(40)
        off = {"starts_at": f"{day}T00:00:00Z", "ends_at": f"{day_ahead(43)}T00:00:00Z", "reason": "Family"}
        time_off = self.api.post("time-off", off)["id"]
        middle = day_ahead(41)
        free = self.api.get("slots", start_date=middle, end_date=middle)["slots"]
        check("free slots of the day off", free, [])
        self.api.delete(f"time-off/{time_off}")

    def tell_that_i_come(self):
        """Text a customer on the way to an appointment; at night the law forbids it."""
        soon = {"scheduled_start": ahead(hours=1), "scheduled_end": ahead(hours=2), "allow_overlap": True}
        soon |= {"contact": self.contact, "assigned_rep": self.me["id"]}
        path = f"appointments/{self.office.post('appointments', soon, key=new_key())['id']}"
        told = self.api.post(f"{path}/on-the-way", {"minutes": 20, "phone_line": self.line}, good=(200, 409))
        if told.status == 200:
            self.api.refused(409, "already_on_the_way", "POST", f"{path}/on-the-way", {"minutes": 10})
        else:
            check("it is refused for", told.code, "quiet_hours")
            self.note("It is night where the customer lives.")
        self.api.patch(path, {"status": "cancelled"})

    def read_the_calendar(self):
        """Let the calendar of a phone read the appointments, and revoke its secret URL."""
        feed = self.api.post("calendar-feeds")
        calendar = fetch(feed["feed_url"])
        check("a calendar", (calendar.status, calendar.body[:15]), (200, b"BEGIN:VCALENDAR"))
        self.api.post(f"calendar-feeds/{feed['id']}/revoke")
        check("the URL afterwards", fetch(feed["feed_url"]).status, 404)

    def take_photos(self):
        """Put a photo on the appointment and one on the contact, and look at them."""
        photo = self.api.upload("attachments", "roof.jpg", JPEG, appointment=self.appointment)
        self.api.upload("attachments", "house.jpg", JPEG, contact=self.contact)
        of_visit = self.api.get(f"appointments/{self.appointment}/attachments")["attachments"]
        check("photos of the appointment", [each["id"] for each in of_visit], [photo["id"]])
        check("photos of the contact", len(self.api.get(f"contacts/{self.contact}/attachments")["attachments"]), 1)
        shown = fetch(photo["url"])  # a link for some minutes, which needs no token
        check("the photo is shown", (shown.status, shown.body == JPEG), (200, True))
        part = fetch(photo["url"], headers={"Range": "bytes=0-2"})  # as players ask for a recording
        check("a part of the photo", (part.status, part.body), (206, JPEG[:3]))

    def finish(self):
        """Write down what came of it: the appointment is done, the customer has bought."""
        done = {"status": "completed", "notes": "Two layers of shingles. Wants to begin in May."}
        check("the status", self.api.patch(f"appointments/{self.appointment}", done)["status"], "completed")
        sold = self.api.patch(f"calls/{self.call}", {"status": "purchased", "quoted_price": "8400.00"})
        lead = self.office.get(f"leads/{sold['lead']}")
        check("the lead", lead["status"], "won")
        self.api.post("activities", {"contact": self.contact, "body": "Gate code 4711. The dog is friendly."})

    def do_the_tasks(self):
        """Do the tasks that the office has left."""
        mine = self.api.get("tasks", assignee="me", done="false", order="oldest", limit=1000)["results"]
        check("the office's task is among mine", self.task in [each["id"] for each in mine], True)
        check("it is done", self.api.post(f"tasks/{self.task}/done")["done_at"] is not None, True)

    def read_the_notices(self):
        """Read the notices, and the own numbers of the dashboard."""
        for notice in self.api.get("notices")["notices"]:
            self.note(f"{notice['count']}: {notice['message']}")
        calls = self.api.get("dashboard/calls", contact=self.contact)["results"]
        check("own calls with the customer", [each["status"] for each in calls], ["purchased"])

    def sign_out(self):
        """Sign out."""
        self.api.post("auth/sign-out", {"refresh": self.api.refresh})
        self.api.refused(401, "session_ended", "GET", "me")


def plus(instant, **time_ahead):
    later = datetime.fromisoformat(instant.replace("Z", "+00:00")) + timedelta(**time_ahead)
    return later.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    RepDay.run()
