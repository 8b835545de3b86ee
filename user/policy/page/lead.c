/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lead.c - interpret headings, captions and text before a table, word by word.
 *
 * A direction counts as the table's only if all other words are known to be irrelevant: "Inbound from admin hosts" has
 * an end, "Inbound on the switch" is another machine's, "Inbound until 5.3" holds for some readers only.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/lang/parse.h"
#include "policy/page/cells.h"
#include "policy/page/lead.h"

#define MAX_LEAD_WORDS 64

/* Words that do not affect which rows apply, or to whom. */
static const char *const harmless[] = {
    "the", "a", "an", "and", "or", "of", "for", "as", "with", "these", "this", "those", "that", "which", "following", "your",
    "our", "its", "all", "any", "each", "every", "it", "you", "they", "we", "them", "there", "are", "is", "be", "have", "has",
    "can", "must", "should", "will", "need", "needs", "needed", "require", "requires", "required", "requirement",
    "requirements", "necessary", "mandatory", "use", "used", "uses", "using", "open", "opened", "opening", "allow", "allowed",
    "allows", "permit", "permitted", "permits", "accept", "accepts", "accepted", "enable", "enabled", "configure",
    "configured", "configuration", "setting", "settings", "set", "default", "defaults", "standard", "general", "common",
    "port", "ports", "number", "numbers", "range", "ranges", "protocol", "protocols", "tcp", "udp", "sctp", "icmp", "ip",
    "ipv4", "ipv6", "service", "services", "traffic", "connection", "connections", "connectivity", "connect", "connects",
    "communication", "communications", "flow", "flows", "access", "request", "requests", "session", "sessions", "data",
    "packets", "network", "networks", "networking", "firewall", "firewalls", "security", "group", "groups", "rule", "rules",
    "policy", "policies", "list", "lists", "listed", "lists", "table", "tables", "overview", "summary", "reference", "details",
    "information", "about", "section", "documentation", "direction", "directions", "in", "out", "both", "way", "ways",
    "here", "below", "above", "listen", "listens", "listening", "usage", "matrix", "assignments", NULL};

/* Generic words for the page's own node. */
static const char *const own_node[] = {"node", "nodes", "cluster", "clusters", "system", "systems", "array", "arrays",
                                       "appliance", "appliances", "installation", "deployment", "product", NULL};

/* Words that exclude some rows, times, places or editions. */
static const char *const restricting[] = {
    "except", "excluding", "but", "not", "no", "never", "without", "until", "unless", "if", "when", "while", "during", "before",
    "after", "since", "instead", "previous", "previously", "former", "formerly", "old", "older", "earlier", "later", "legacy",
    "obsolete", "remove", "removed", "skip", "ignore", "vlan", "vlans", "loopback", "localhost", "internal", "internally",
    "future", "reserved", "temporary", "temporarily", "first", "second", "primary", "secondary", "standby", "other",
    "another", "version", "versions", "release", "releases", "edition", "editions", "case", "restricted", "limited", NULL};

/* Words that refer to another place. */
static const char *const pointing[] = {"see", "refer", "follow", "follows", "elsewhere", "next", "also", "likewise", NULL};

/* Words that precede the name of a machine or network. */
static const char *const placing[] = {"from", "to", "into", "towards", "on", "at", "by", "between", "within", "via", "through",
                                      NULL};

/* Topics of any product's services: sections with such titles divide the ports among them. */
static const char *const topics[] = {
    "nfs", "nfsv3", "nfsv4", "smb", "cifs", "s3", "iscsi", "nvme", "ftp", "sftp", "ssh", "dns", "ntp", "ldap", "ldaps",
    "kerberos", "ad", "active", "directory", "snmp", "syslog", "smtp", "email", "mail", "http", "https", "web", "ui", "gui",
    "api", "apis", "rest", "rpc", "management", "administration", "monitoring", "metrics", "logging", "logs", "replication",
    "backup", "restore", "storage", "file", "files", "block", "object", "objects", "authentication", "identity", "name",
    "names", "time", "other", "additional", "further", "optional", "miscellaneous", "alerts", "notifications", "support",
    "telemetry", "update", "updates", "upgrade", "upgrades", "licensing", "database", "databases", "cache", "messaging",
    "queue", "discovery", "health", "remote", "console", "ipmi", "bmc", "synchronization", "ping", NULL};

static const char *const inbound_words[] = {"inbound", "ingress", "incoming", NULL};
static const char *const outbound_words[] = {"outbound", "egress", "outgoing", NULL};
static const char *const both_words[] = {"bidirectional", "bi-directional", NULL};

/* ---- Words ---- */

struct word {
    char text[48];
    bool ends; /* followed by a comma, colon, bracket or the like */
};

struct text {
    struct word words[MAX_LEAD_WORDS];
    size_t n;
    bool cut;
};

static bool is_in(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (!strcasecmp(word, *list))
            return true;
    return false;
}

/*
 * Split text into words. Addresses and versions keep their dots and colons; other words keep only letters, digits and
 * hyphens.
 */
static void split(const char *text, struct text *ret)
{
    static const char within[] = "-_.:/'@";

    *ret = (struct text){.n = 0};
    for (const char *p = text; *p;) {
        size_t length = 0;
        struct word *word;

        while (isalnum((unsigned char)p[length]) || (unsigned char)p[length] >= 0x80 || (p[length] && strchr(within, p[length])))
            length++;
        if (length >= 3 && !strncmp(p, "\xef\xbf\xbc", 3)) { /* U+FFFC: the text is elsewhere */
            p += 3;
            continue;
        }
        if (!length) {
            if (ret->n && strchr(",;()[]!?", *p))
                ret->words[ret->n - 1].ends = true;
            p++;
            continue;
        }
        if (ret->n == MAX_LEAD_WORDS) {
            ret->cut = true;
            return;
        }
        word = &ret->words[ret->n];
        snprintf(word->text, sizeof(word->text), "%.*s", (int)length, p);
        p += length;
        for (size_t n = strlen(word->text); n && strchr("-_.:/'@", word->text[n - 1]); n--) {
            word->ends |= strchr(".:", word->text[n - 1]) != NULL;
            word->text[n - 1] = '\0';
        }
        if (*word->text)
            ret->n++;
        else if (ret->n)
            ret->words[ret->n - 1].ends = true;
    }
}

static unsigned directions_of(const char *word)
{
    unsigned inbound = 1u << QPW_DIR_INBOUND, outbound = 1u << QPW_DIR_OUTBOUND;

    return is_in(word, inbound_words)    ? inbound
           : is_in(word, outbound_words) ? outbound
           : is_in(word, both_words)     ? inbound | outbound
                                         : 0;
}

static bool is_address(const char *word)
{
    struct qpw_range range;
    const char *why;

    return strpbrk(word, ".:") && strpbrk(word, "0123456789abcdef:") && qpw_range_parse(word, &range, &why) == 0;
}

static bool is_number(const char *word)
{
    return strspn(word, "0123456789.") == strlen(word);
}

/* Return whether a number after the word is the number of a table or section, as it may be at the beginning. */
static bool counts(const char *word)
{
    return is_number(word) || !strcasecmp(word, "table") || !strcasecmp(word, "section") || !strcasecmp(word, "figure");
}

static void keep(char *ret, size_t size, const char *word)
{
    if (!*ret)
        snprintf(ret, size, "%.*s", (int)size - 1, word);
}

/* ---- Phrases after "from", "to", "on" ---- */

/*
 * Collect the words at `at` up to the next punctuation, place or direction, without leading harmless ones. *ret_own:
 * they include the page's own nodes. Returns the end.
 */
static size_t phrase(const struct text *text, size_t at, char *ret, size_t size, bool *ret_own)
{
    size_t used = 0;

    *ret = '\0';
    *ret_own = false;
    for (; at < text->n; at++) {
        const char *word = text->words[at].text;
        bool last = text->words[at].ends;

        if (is_in(word, placing) || directions_of(word) || !strcasecmp(word, "only") || !strcasecmp(word, "and") ||
            is_in(word, pointing))
            break;
        *ret_own |= is_in(word, own_node);
        if (!used && (is_in(word, harmless) || is_in(word, own_node))) {
            if (!last)
                continue;
            return at + 1;
        }
        if (used + strlen(word) + 2 < size)
            used += (size_t)snprintf(ret + used, size - used, "%s%s", used ? " " : "", word);
        if (last)
            return at + 1;
    }
    return at;
}

static bool is_everybody(const char *phrase)
{
    static const char *const words[] = {"anywhere", "everywhere", "outside", "anyone", "everyone", "world", NULL};

    return is_in(phrase, words);
}

static void take_location(const struct text *text, size_t *at, struct qpw_lead *ret)
{
    const char *preposition = text->words[*at].text;
    bool from = !strcasecmp(preposition, "from"),
         to = !strcasecmp(preposition, "to") || !strcasecmp(preposition, "into");
    bool by = !strcasecmp(preposition, "by") || !strcasecmp(preposition, "via") || !strcasecmp(preposition, "through");
    char name[128];
    size_t begin = ++*at;
    bool own;

    *at = phrase(text, begin, name, sizeof(name), &own);
    if (!*name && own && (from || to))
        ret->own_ends |= 1u << (from ? QPW_DIR_INBOUND : QPW_DIR_OUTBOUND);
    if (!*name && (!strcasecmp(preposition, "between") || !strcasecmp(preposition, "within"))) /* "between nodes" */
        keep(ret->restriction, sizeof(ret->restriction), preposition);
    if (!*name || is_everybody(name))
        return;
    for (size_t i = begin; !from && !to && i < *at; i++)
        if (is_in(text->words[i].text, restricting))
            keep(ret->restriction, sizeof(ret->restriction), text->words[i].text);
    if ((from || to) && !*ret->end && (!is_in(name, restricting) || !strcasecmp(name, "localhost"))) {
        snprintf(ret->end, sizeof(ret->end), "%s", name);
        ret->end_of = from ? QPW_DIR_INBOUND : QPW_DIR_OUTBOUND;
        ret->end_is_address = is_address(name);
    } else if (is_in(name, restricting)) {
        keep(ret->restriction, sizeof(ret->restriction), name);
    } else if (by) {
        keep(ret->unknown, sizeof(ret->unknown), name);
    } else {
        keep(ret->location, sizeof(ret->location), name);
    }
}

/* ---- The whole ---- */

static void take_word(const char *word, bool first, struct qpw_lead *ret)
{
    if (is_in(word, pointing))
        ret->pointer = true;
    else if (is_in(word, restricting) || is_address(word))
        keep(ret->restriction, sizeof(ret->restriction), word);
    else if (!is_in(word, harmless) && !is_in(word, own_node) && !(first && is_number(word)))
        keep(ret->unknown, sizeof(ret->unknown), word);
}

void qpw_lead_of(const char *text, struct qpw_lead *ret)
{
    struct text words;
    bool first = true;

    *ret = (struct qpw_lead){.directions = 0};
    split(text, &words);
    for (size_t i = 0; i < words.n;) {
        const char *word = words.words[i].text;
        unsigned directions = directions_of(word);

        if (directions) {
            ret->directions |= directions;
        } else if (!strcasecmp(word, "only")) {
            ret->only = true;
        } else if (is_in(word, placing)) {
            take_location(&words, &i, ret);
            first = false;
            continue;
        } else {
            take_word(word, first, ret);
        }
        first = counts(word);
        i++;
    }
    /* An end that is not the other end of the direction is a machine at the node's own end. */
    if (*ret->end && ret->directions && ret->directions != 1u << ret->end_of) {
        keep(ret->location, sizeof(ret->location), ret->end);
        *ret->end = '\0';
    }
    if (!*ret->end && ret->own_ends & ret->directions) { /* "Inbound from the nodes" */
        snprintf(ret->end, sizeof(ret->end), "nodes");
        ret->end_of = ret->own_ends & ret->directions & 1u << QPW_DIR_INBOUND ? QPW_DIR_INBOUND : QPW_DIR_OUTBOUND;
    }
    if (ret->only && (*ret->unknown || *ret->location))
        keep(ret->restriction, sizeof(ret->restriction), "only");
    if (words.cut)
        keep(ret->unknown, sizeof(ret->unknown), "...");
}

bool qpw_lead_next_name(const char *text, size_t *at, char ret[48])
{
    struct text words;
    bool numbered = true;

    split(text, &words);
    for (size_t i = 0; i < words.n; i++) {
        const char *word = words.words[i].text;
        bool number = numbered && is_number(word);

        numbered = counts(word);
        if (i < *at || number || directions_of(word) || is_in(word, harmless) || is_in(word, own_node) ||
            is_in(word, topics) || is_in(word, placing) || is_in(word, pointing) || !strcasecmp(word, "only"))
            continue;
        *at = i + 1;
        snprintf(ret, 48, "%s", word);
        return true;
    }
    return false;
}

bool qpw_lead_is_plain(const struct qpw_lead *lead)
{
    return lead->directions && !*lead->end && !*lead->location && !*lead->restriction && !*lead->unknown &&
           !lead->pointer;
}
