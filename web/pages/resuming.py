"""The page after a sign-in that interrupted a form: what was entered, to be sent or left."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.middleware import ActorRequest
from web import kept_forms
from web.session_checks import signed_in

# What a form carries for itself says nothing to its reader.
_OF_THE_FORM = frozenset({"version", "ids", "seen", "digest"})


@require_safe
@signed_in
def resume(request: ActorRequest) -> HttpResponse:
    """Show the form that was kept, in the browser that sent it; its own page judges it."""
    kept = kept_forms.read(str(request.session.get(kept_forms.IN_SESSION, "")))
    if kept is None:
        return redirect("home")
    shown = [
        {"label": kept_forms.LABELS.get(name, name.replace("_", " ").capitalize()), "value": value}
        for name, value in kept.fields
        if value and name not in _OF_THE_FORM
    ]
    return render(request, "sign_in/resume.html", {"kept": kept, "shown": shown})
