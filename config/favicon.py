"""The icon that browsers ask for beside pages without a link to one, such as a JSON response."""

from django.http import HttpRequest, HttpResponseRedirect
from django.templatetags.static import static


def favicon(_request: HttpRequest) -> HttpResponseRedirect:
    return HttpResponseRedirect(static("crm/icon.svg"))
