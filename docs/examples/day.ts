// A CSR's day: everything that a front end needs, against the demo data of `make run`.
//
// README.md in this folder says how to run it. docs/api.md explains each step.

import { randomUUID } from "node:crypto";
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Errors = { errors: { code: string; detail: string; attr: string | null }[]; retry_at?: string | null };
type Conversation = components["schemas"]["Conversation"];

const baseUrl = process.env.BASE ?? "http://127.0.0.1:8000";
const api = createClient<paths>({ baseUrl });
let token = "";

const authentication: Middleware = {
  onRequest({ request }) {
    if (token) request.headers.set("Authorization", `Bearer ${token}`);
    return request;
  },
};
api.use(authentication);

/** Return the data of an answer, or throw its error codes. */
function need<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) {
    const codes = (answer.error as Errors | undefined)?.errors.map((error) => error.code);
    throw new Error(`${answer.response.url}: ${answer.response.status} ${codes?.join(", ")}`);
  }
  return answer.data;
}

function codeOf(error: unknown): string | undefined {
  return (error as Errors).errors[0]?.code;
}

function step(text: string): void {
  console.log(text);
}

async function signIn(username: string, password: string): Promise<string> {
  const tokens = need(await api.POST("/api/v1/auth/token", { body: { username, password } }));
  token = tokens.access;
  return tokens.refresh;
}

/** The cursor comes first: what changes while the lists load is in the first poll. */
async function openInbox(): Promise<{ cursor: string; inbox: Conversation[] }> {
  const cursor = need(await api.GET("/api/v1/changes")).next;
  const page = need(
    await api.GET("/api/v1/conversations", {
      params: { query: { order: "recent", status: ["open", "waiting"], assignee: ["me", "none"], limit: 50 } },
    }),
  );
  return { cursor, inbox: page.results };
}

async function answer(contact: number, body: string): Promise<void> {
  const path = { contact_card_id: contact };
  await api.POST("/api/v1/message-threads/{contact_card_id}/read", { params: { path } });
  // The same key for each try of the same message: a lost answer never sends it twice.
  const header = { "Idempotency-Key": randomUUID() };
  const sent = await api.POST("/api/v1/message-threads/{contact_card_id}", { params: { path, header }, body: { body } });
  if (sent.data) {
    step(`  queued message ${sent.data.id}`);
  } else {
    const { errors, retry_at } = sent.error as Errors;
    step(`  not sent: ${errors[0]?.code}${retry_at ? `, possible from ${retry_at}` : ""}`);
  }
}

/** Show the caller card while the phone rings: two requests, the second by the id of the first. */
async function showCaller(number: string): Promise<void> {
  const found = need(await api.GET("/api/v1/contacts", { params: { query: { search: number, limit: 1 } } }));
  const [contact] = found.results;
  if (!contact) return step(`  ${number} is nobody yet`);
  const card = need(await api.GET("/api/v1/contacts/{id}/card", { params: { path: { id: contact.id } } }));
  step(`  ${card.contact.first_name} ${card.contact.last_name}, ${card.unread} unread`);
}

async function bookAppointment(contact: number, rep: number, start: Date): Promise<number> {
  const body = {
    contact,
    assigned_rep: rep,
    scheduled_start: start.toISOString(),
    scheduled_end: new Date(start.getTime() + 3_600_000).toISOString(),
  };
  const header = { "Idempotency-Key": randomUUID() };
  const booked = await api.POST("/api/v1/appointments", { params: { header }, body });
  if (booked.error && codeOf(booked.error) === "slot_taken") {
    step("  the rep is busy; trying an hour later");
    return bookAppointment(contact, rep, new Date(start.getTime() + 3_600_000));
  }
  return need(booked).id;
}

/** Change a row that somebody else may have open. */
async function changeNotes(appointment: number, notes: string): Promise<void> {
  const path = { id: appointment };
  const read = await api.GET("/api/v1/appointments/{id}", { params: { path } });
  const etag = read.response.headers.get("ETag") ?? "";
  need(await api.PATCH("/api/v1/appointments/{id}", { params: { path, header: { "If-Match": etag } }, body: { notes } }));
  const late = await api.PATCH("/api/v1/appointments/{id}", {
    params: { path, header: { "If-Match": etag } },
    body: { notes: "Written from an old page." },
  });
  step(`  a second change with the old tag: ${late.response.status} ${codeOf(late.error)}`);
}

/** Ask what has changed, and read those rows again: ids first, then each list once. */
async function poll(cursor: string): Promise<{ cursor: string; wait: number }> {
  const answer = await api.GET("/api/v1/changes", { params: { query: { after: cursor } } });
  if (answer.response.status === 410) {
    const { cursor: fresh } = await openInbox(); // too long offline: load the lists again
    return { cursor: fresh, wait: 0 };
  }
  const { results, next } = need(answer);
  const ids = results.filter((row) => row.resource === "appointments" && row.change === "updated").map((row) => row.id);
  if (ids.length > 0) {
    const rows = need(await api.GET("/api/v1/appointments", { params: { query: { ids: ids.slice(0, 100).join() } } }));
    step(`  ${rows.results.length} appointments read again`);
  }
  return { cursor: next, wait: Number(answer.response.headers.get("Poll-After") ?? 2) };
}

async function main(): Promise<void> {
  step("Sign in");
  const refresh = await signIn(process.env.CRM_USER ?? "csr", process.env.CRM_PASSWORD ?? "demo");
  const me = need(await api.GET("/api/v1/me"));
  const colleagues = need(await api.GET("/api/v1/colleagues", { params: { query: { limit: 1000 } } })).results;
  const rep = colleagues.find((user) => user.role === "rep" && user.is_active);
  if (!rep) throw new Error("The company has no rep.");
  step(`  ${me.username}, with ${colleagues.length} people`);

  step("Open the inbox");
  const { cursor, inbox } = await openInbox();
  for (const { contact_summary, last_message, unread } of inbox.slice(0, 3)) {
    step(`  ${contact_summary.name || contact_summary.phone}: ${unread} unread, "${last_message?.body ?? ""}"`);
  }

  step("Answer a customer");
  const customer = inbox.find((conversation) => !conversation.contact_summary.opted_out) ?? inbox[0];
  if (!customer) throw new Error("The inbox is empty.");
  await answer(customer.contact, "Thanks for your patience! When does it suit you?");

  step("Call back those who were missed");
  const missed = need(await api.GET("/api/v1/missed-calls", { params: { query: { recovered: true, limit: 1 } } }));
  const waiting = need(await api.GET("/api/v1/missed-calls", { params: { query: { recovered: false, limit: 1 } } }));
  const [caller] = waiting.results;
  if (caller) need(await api.POST("/api/v1/missed-calls/{id}/recover", { params: { path: { id: caller.id } } }));
  step(`  ${caller ? "one recovered" : "nobody waits"}, ${missed.results.length > 0 ? "others before" : "none before"}`);

  step("The phone rings");
  await showCaller(customer.contact_summary.phone);

  step("Book an appointment");
  const start = new Date(Math.ceil(Date.now() / 3_600_000) * 3_600_000 + 7 * 86_400_000);
  const appointment = await bookAppointment(customer.contact, rep.id, start);
  await changeNotes(appointment, "The dog is friendly.");

  step("Ask what has changed");
  const { wait } = await poll(cursor);
  step(`  next poll in ${wait} s`);

  step("Sign out");
  const signedOut = await api.POST("/api/v1/auth/sign-out", { body: { refresh } });
  const after = await api.GET("/api/v1/me");
  step(`  ${signedOut.response.status}; the token now gets ${after.response.status} ${codeOf(after.error)}`);
}

await main();
