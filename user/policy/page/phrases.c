/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* phrases.c - words around ports that withdraw or restrict them. None of them gives a port. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "policy/page/cells.h"

bool qpw_denies(const char *text)
{
    static const char *const words[] = {"block", "blocked", "blocks", "deny", "denied", "denies", "forbidden",
                                        "prohibit", "prohibited", "close", "closed", "disallow", "disallowed", "not",
                                        "never", "no longer", "unused", "removed", "deprecated", "obsolete", "disabled",
                                        "drop", "dropped", "reject", "rejected", "except", "excluding", "cannot", "don't",
                                        "no", "reserved", "retired", "discontinued", "superseded", "withdrawn",
                                        "inactive", "avoid", "example", "examples", "sample", NULL};

    return qpw_has_any_of(text, words);
}

size_t qpw_count_words(const char *text)
{
    size_t n = 0;

    for (const char *p = text; *p; p++)
        n += !isspace((unsigned char)*p) && (p == text || isspace((unsigned char)p[-1]));
    return n;
}

bool qpw_takes_back(const char *text)
{
    /* Phrases that count in any context. */
    static const char *const phrases[] = {
        "do not open", "don't open", "never open", "do not use this", "do not allow this", "must not be open",
        "must not be opened", "must not be used", "must not be allowed", "should not be open", "should not be opened",
        "should not be used", "should not be allowed", "must be closed", "should be closed", "must be blocked",
        "should be blocked", "must stay closed", "keep closed", "can be closed", "can be blocked", "no longer used",
        "no longer required", "no longer needed", "no longer supported", "no longer open", "no longer in use",
        "not required any", "not required anymore", "not needed any", "not used any", "port is not used",
        "port is not needed", "port isn't used", "port isn't needed",
        "port is unused", "port is closed", "port is blocked", "ports are closed", "ports are blocked", "deprecated",
        "obsolete", "discontinued", "reserved for future", "end of life", "end-of-life", "not to be open",
        "not to be opened", "need not be open", "close after", "closed after", "close it after", "future use",
        "should be firewalled", "must be firewalled", "does not need to be open", "do not need to be open", "remove this rule",
        "remove this port", "port was removed", "port has been removed", "replaced by port", "moved to port", NULL};
    /* Phrases that count in a short text, which can hardly be about anything else. */
    static const char *const alone[] = {
        "not used", "not required", "not needed", "isn't used", "isn't required", "isn't needed", "unused", "not in use",
        "not currently", "not supported", "unsupported", "removed", "retired", "superseded", "moved to", "replaced by",
        "closed", "blocked", "may be closed", "may be blocked", "do not use", "do not allow", "reserved", "disabled",
        "forbidden", "eol", NULL};

    return qpw_has_any_of(text, phrases) || (qpw_count_words(text) <= 4 && qpw_has_any_of(text, alone));
}

bool qpw_is_conditional(const char *text)
{
    static const char *const phrases[] = {"if you enable", "if enabled", "when enabled", "optional", "disabled by default",
                                          "off by default", "not enabled by default", "closed by default", "not used by default",
                                          "not open by default", "turned off", "unless", "temporary", "temporarily", "only if",
                                          "only during", "only required", "only needed", "only used", "debugging only",
                                          "installation only", "upgrade only", "upgrades only", "only for",
                                          "only when", "if required", "if needed", "if used", "if configured",
                                          "if applicable", "when used", "when configured", "as needed", NULL};

    return qpw_has_any_of(text, phrases);
}

/* Return whether "only" precedes or follows one of `words`: "only from", "from admin hosts only". */
static bool only_with(const char *text, const char *const *words)
{
    for (const char *only = text; (only = strcasestr(only, "only")); only += 4) {
        bool word = (only == text || !isalnum((unsigned char)only[-1])) && !isalnum((unsigned char)only[4]);
        size_t length = word ? strspn(only + 4, " ") : 0;

        for (size_t i = 0; word && words[i]; i++) {
            size_t n = strlen(words[i]);

            if (!strncasecmp(only + 4 + length, words[i], n) && !isalnum((unsigned char)only[4 + length + n]))
                return true;
        }
        if (word && strspn(only + 4, " .;,)]") == strlen(only + 4) && qpw_has_any_of(text, words))
            return true;
    }
    return false;
}

bool qpw_restricts_ends(const char *text)
{
    static const char *const words[] = {"from", "by", "within", "between", "inside", "accessible", "reachable", "available",
                                        "exposed", "local", "internal", "internally", "locally", "hosts", "networks",
                                        "clients", "machines", NULL};
    static const char *const phrases[] = {"localhost", "loopback", "127.0.0.1", "restricted to", "restrict to",
                                          "restrict access", "limited to", "limit to", "limit access", "internal use",
                                          "not from", "except from", "not accessible", "not reachable",
                                          "not exposed", "do not expose", "don't expose", "not be accessible", "not be reachable", "not be exposed",
                                          "not externally", NULL};

    return qpw_has_any_of(text, phrases) || only_with(text, words);
}

unsigned qpw_family_of(const char *text, bool heading)
{
    static const char *const four[] = {"ipv4 only", "only ipv4", "ipv4-only", "only over ipv4", "only for ipv4", NULL};
    static const char *const six[] = {"ipv6 only", "only ipv6", "ipv6-only", "only over ipv6", "only for ipv6", NULL};
    bool v4 = qpw_has_words(text, "ipv4"), v6 = qpw_has_words(text, "ipv6");

    if (v4 == v6)
        return 0;
    if (heading || !strcasecmp(text, "ipv4") || !strcasecmp(text, "ipv6"))
        return v4 ? 4 : 6;
    return qpw_has_any_of(text, four) ? 4 : qpw_has_any_of(text, six) ? 6 : 0;
}

/* ---- Whose direction ---- */

/* Return whether the words at p, up to the next comma or the like, name users of a node. */
static bool names_clients(const char *p)
{
    static const char *const words[] = {"client", "clients", "workstation", "workstations", "desktop", "desktops", "user",
                                        "users", "browser", "browsers", "laptop", "laptops", NULL};
    char near[48];
    size_t length = strcspn(p, ",;:()\n.");

    if (length >= sizeof(near))
        length = sizeof(near) - 1;
    memcpy(near, p, length);
    near[length] = '\0';
    for (char *to = near; (to = strchr(to, ' ')); to++) /* check "from the client to the cluster" up to " to " */
        if (!strncasecmp(to, " to ", 4) || !strncasecmp(to, " from ", 6)) {
            *to = '\0';
            break;
        }
    return qpw_has_any_of(near, words);
}

bool qpw_is_clients_direction(const char *text)
{
    static const struct {
        const char *word;
        bool inbound, outbound; /* with which direction the phrase makes it the clients' direction */
    } known[] = {{"from ", false, true}, {"by ", false, true}, {"to ", true, false}, {"into ", true, false},
                 {"on ", true, true},    {"at ", true, true},  {"of ", true, true}};
    unsigned directions = qpw_directions_in(text);
    bool inbound = directions == 1u << QPW_DIR_INBOUND, outbound = directions == 1u << QPW_DIR_OUTBOUND;

    for (size_t i = 0; (inbound || outbound) && i < sizeof(known) / sizeof(*known); i++)
        for (const char *p = text; (p = strcasestr(p, known[i].word)); p++)
            if ((p == text || !isalnum((unsigned char)p[-1])) && (inbound ? known[i].inbound : known[i].outbound) &&
                names_clients(p + strlen(known[i].word)))
                return true;
    return false;
}
