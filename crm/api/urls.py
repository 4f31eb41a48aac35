"""Routes of this app below /api/v1/."""

from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from crm.api import (
    activities,
    audit,
    background_tasks,
    colleagues,
    company,
    consents,
    contacts,
    events,
    imports,
    invoices,
    opt_outs,
    passwords,
    phone_lines,
    second_factors,
    sessions,
    sign_in,
    tags,
    users,
)
from crm.api.api_tokens import ApiTokenViewSet
from crm.api.calendar_feeds import CalendarFeedViewSet
from crm.api.contact_exports import VCardViewSet
from crm.api.contact_phones import ContactPhoneViewSet
from crm.api.duplicates import DuplicateSearchView, DuplicateViewSet
from crm.api.leads import LeadViewSet
from crm.api.merges import ContactMergeViewSet, MergeContactViewSet
from crm.api.outgoing_webhooks import OutgoingEventViewSet, OutgoingWebhookViewSet

router = SimpleRouter(trailing_slash=False)
router.register("contacts", contacts.ContactViewSet, "contact")
router.register("duplicates", DuplicateViewSet, "duplicate")
router.register("merges", ContactMergeViewSet, "merge")
router.register("contact-flags", contacts.ContactFlagViewSet, "contact-flag")
router.register("contact-fields", tags.ContactFieldViewSet, "contact-field")
router.register("contact-lists", tags.ContactListViewSet, "contact-list")
router.register("tags", tags.TagViewSet, "tag")
router.register("opt-outs", opt_outs.OptOutViewSet, "opt-out")
router.register("marketing-consents", consents.MarketingConsentViewSet, "marketing-consent")
router.register("leads", LeadViewSet, "lead")
router.register("conversations", activities.ConversationViewSet, "conversation")
router.register("activities", activities.ActivityViewSet, "activity")
router.register("invoices", invoices.InvoiceViewSet, "invoice")
router.register("phone-lines", phone_lines.PhoneLineViewSet, "phone-line")
router.register("background-tasks", background_tasks.BackgroundTaskViewSet, "background-task")
router.register("imports", imports.ImportViewSet, "import")
router.register("api-tokens", ApiTokenViewSet, "api-token")
router.register("calendar-feeds", CalendarFeedViewSet, "calendar-feed-row")
router.register("audit", audit.AuditViewSet, "audit")
router.register("outgoing-webhooks", OutgoingWebhookViewSet, "outgoing-webhook")
router.register("outgoing-events", OutgoingEventViewSet, "outgoing-event")
router.register("users", users.UserViewSet, "user")
router.register("colleagues", colleagues.ColleagueViewSet, "colleague")

ID = ContactPhoneViewSet.lookup_value_regex
PHONES = rf"^contacts/(?P<contact>{ID})/phones"

urlpatterns = [
    path("auth/token", sign_in.SignInView.as_view(), name="sign-in"),
    path("auth/token/refresh", sign_in.RefreshView.as_view(), name="refresh"),
    path("auth/sign-out", sign_in.SignOutView.as_view(), name="sign-out"),
    path("auth/password-reset", passwords.ForgottenPasswordView.as_view(), name="password-reset"),
    path("auth/set-password", passwords.SetPasswordView.as_view(), name="set-password"),
    path("company", company.CompanyView.as_view(), name="company"),
    path("events/ticket", events.TicketView.as_view(), name="events-ticket"),
    path("me", sign_in.MeView.as_view(), name="me"),
    path("me/password", passwords.OwnPasswordView.as_view(), name="own-password"),
    path("me/second-factor", second_factors.SecondFactorView.as_view(), name="second-factor"),
    path("me/second-factor/confirm", second_factors.ConfirmSecondFactorView.as_view(), name="second-factor-confirm"),
    path("me/second-factor/recovery-codes", second_factors.RecoveryCodesView.as_view(), name="recovery-codes"),
    path("me/second-factor/remove", second_factors.RemoveSecondFactorView.as_view(), name="second-factor-remove"),
    path("me/sessions", sessions.SessionsView.as_view(), name="sessions"),
    path("me/sessions/end-others", sessions.EndOtherSessionsView.as_view(), name="sessions-end-others"),
    re_path(rf"^me/sessions/(?P<pk>{ID})$", sessions.SessionView.as_view(), name="session"),
    re_path(rf"{PHONES}$", ContactPhoneViewSet.as_view({"get": "list", "post": "create"}), name="contact-phones"),
    re_path(rf"{PHONES}/export$", ContactPhoneViewSet.as_view({"get": "export"}), name="contact-phones-export"),
    re_path(
        rf"{PHONES}/(?P<pk>{ID})$",
        ContactPhoneViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
        name="contact-phone",
    ),
    re_path(rf"^contacts/(?P<pk>{ID})/merge$", MergeContactViewSet.as_view({"post": "merge"}), name="contact-merge"),
    path("duplicates/search", DuplicateSearchView.as_view(), name="duplicates-search"),
    re_path(rf"^duplicates/(?P<pk>{ID})/merge$", DuplicateViewSet.as_view({"post": "merge"}), name="duplicate-merge"),
    re_path(
        rf"^duplicates/(?P<pk>{ID})/dismiss$", DuplicateViewSet.as_view({"post": "dismiss"}), name="duplicate-dismiss"
    ),
    re_path(rf"^merges/(?P<pk>{ID})/undo$", ContactMergeViewSet.as_view({"post": "undo"}), name="merge-undo"),
    re_path(rf"^contacts/(?P<pk>{ID})/vcard$", VCardViewSet.as_view({"get": "vcard"}), name="contact-vcard"),
    *router.urls,
]
