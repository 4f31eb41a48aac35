"""Routes of this app below /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from crm.api import activities, campaigns, company, contacts, invoices, opt_outs, phone_lines, sign_in, users

router = SimpleRouter(trailing_slash=False)
router.register("contacts", contacts.ContactViewSet, "contact")
router.register("contact-flags", contacts.ContactFlagViewSet, "contact-flag")
router.register("opt-outs", opt_outs.OptOutViewSet, "opt-out")
router.register("leads", contacts.LeadViewSet, "lead")
router.register("conversations", activities.ConversationViewSet, "conversation")
router.register("activities", activities.ActivityViewSet, "activity")
router.register("campaigns", campaigns.CampaignViewSet, "campaign")
router.register("campaign-memberships", campaigns.CampaignMembershipViewSet, "campaign-membership")
router.register("invoices", invoices.InvoiceViewSet, "invoice")
router.register("phone-lines", phone_lines.PhoneLineViewSet, "phone-line")
router.register("users", users.UserViewSet, "user")

urlpatterns = [
    path("auth/token", sign_in.SignInView.as_view(), name="sign-in"),
    path("auth/token/refresh", sign_in.RefreshView.as_view(), name="refresh"),
    path("auth/sign-out", sign_in.SignOutView.as_view(), name="sign-out"),
    path("company", company.CompanyView.as_view(), name="company"),
    path("me", sign_in.MeView.as_view(), name="me"),
    *router.urls,
]
