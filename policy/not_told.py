"""What people ask of a user or license that Qlik Sense does not tell, and what to do instead.

Who owns an app stands at the app, a log-in in the logs of the proxy, leave in another system. A policy reads users and
licenses, so such a name is no field that was mistyped, and no other field says the same.
"""

import re

_ANSWERS = {
    "app apps appowner own owns owned ownsapps owner owners ownership stream streams sheet sheets": (
        "who owns something stands at the app, not at the user: let a task of yours tag the owners in Qlik Sense, "
        'and write `user.tags = "owns apps"`'
    ),
    "leave onleave absent absence away vacation holiday holidays parental sabbatical sick": (
        "Qlik Sense does not know who is on leave: name them in a keep rule that ends (`until`), list them in a file "
        "(`set`), or let a task of yours tag them"
    ),
    "login logins logon logons signin seen lastlogin lastlogon lastseen lastaccess lastactive lastactivity": (
        "Qlik Sense does not tell when a user logged in; the day on which a license of theirs was last used is "
        "`user.lastUsed`, and disuse is written `unused for 30 days`"
    ),
    "session sessions usage uses visits frequency minutes hours often": (
        "Qlik Sense tells the day a license was last used, not how often or what for: write `unused for 30 days`, "
        "`license.lastUsed` or `never used`"
    ),
    "hire hired hiredate joined joindate joiner starter startdate newcomer isnew": (
        "Qlik Sense does not know when somebody began to work: `user.createdDate` is the day it first saw the user, "
        "`license.createdDate` the day the license was allocated"
    ),
    "enddate contractend leaver leavers leaving left terminated expires expiry expirydate": (
        "Qlik Sense has no last day of work: protect until a day with `keep until 2027-03-31 when …`; whom the "
        "directory no longer has is `user.removedExternally`"
    ),
    "environment": (
        "what is sent at log-in belongs to the session, and is not stored at the user: an attribute that was "
        "synchronized from the user directory is written `user.attributes.group`"
    ),
    "manager managers boss supervisor": (
        "Qlik Sense itself knows no managers: an attribute that the user directory brings is written "
        "`user.attributes.manager`, a custom property of yours `user.@Manager`"
    ),
    "action actions context resource resources resourcefilter resourcetype": (
        "rules speak of users and licenses: leave out what is asked of resources, actions and contexts; what "
        "somebody may do is told by `user.roles`"
    ),
    "free remaining": (
        "how many licenses are free is `license.available`; no more than is needed is taken by `limit release to reach "
        "20 free analyzer, longest unused first`"
    ),
}
"""What to say, by the words with which it is asked for."""

_BY_WORD = {word: answer for words, answer in _ANSWERS.items() for word in words.split()}
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def not_told(name: str) -> str | None:
    """A help line for a name such as `ownsApps` or `last_login`, or None where Qlik Sense may well tell it.

    The whole name counts, and so does each word in it: `isAppOwner` is asked of apps.
    """
    words = [re.sub(r"[\W_]", "", name), *_PARTS.findall(name)]
    return next((_BY_WORD[word.lower()] for word in words if word.lower() in _BY_WORD), None)
