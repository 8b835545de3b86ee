/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "words/finding.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "policy/lang/policy.h"
#include "policy/lang/services.h"
#include "util/names.h"
#include "words/printer.h"
#include "words/words.h"

const char *qpw_words_found(const struct qpw_losses *losses, size_t unexpected, size_t answered, char *buf, size_t size)
{
    char all[24], some[24];

    return qpw_format(buf, size, "%s unexpected, %s%s of them answered", qpw_words_count(unexpected, all, sizeof(all)),
                      qpw_words_count(answered, some, sizeof(some)), losses->answered ? " or more" : "");
}

/* ---- Lines ---- */

const char *qpw_words_line_service(const struct qpw_finding_line *line, char *buf, size_t size)
{
    const struct qpw_finding_key *key = &line->first->key;
    char number[24];

    if (line->ports == 1)
        return qpw_words_service(key->kind, key->protocol, key->port, buf, size);
    qpw_words_many(line->ports, "port", number, sizeof(number));
    if (line->high_port)
        return qpw_format(buf, size, "%s, %u-%u", number, line->low_port, line->high_port);
    return qpw_format(buf, size, "%s", number);
}

/* Write the number of ends or, for the users of one service, the first one by name. */
static const char *ends(const struct qpw_finding_line *line, size_t n, const uint8_t addr[16], char *buf, size_t size)
{
    char end[112], count[24];

    if (n > 1 && !line->service)
        return qpw_words_many(n, "address", buf, size);
    qpw_words_end_named(line->first->key.kind, addr, "", end, sizeof(end));
    if (n == 1)
        return qpw_format(buf, size, "%s", end);
    return qpw_format(buf, size, "%s and %s more", end, qpw_words_count(n - 1, count, sizeof(count)));
}

const char *qpw_words_line_initiator(const struct qpw_finding_line *line, char *buf, size_t size)
{
    return ends(line, line->initiators, line->first->key.initiator, buf, size);
}

const char *qpw_words_line_responder(const struct qpw_finding_line *line, char *buf, size_t size)
{
    return ends(line, line->responders, line->first->key.responder, buf, size);
}

const char *qpw_words_line_outcome(const struct qpw_finding_line *line)
{
    return line->findings > 1 && !line->service ? "no answer / refused" : qpw_outcome_name(line->outcome);
}

/* ---- The line that would allow it ---- */

static const char *why_none(const struct qpw_allow *a)
{
    if (a->verdict == QPW_VERDICT_ALLOWED || a->verdict == QPW_VERDICT_PEER || a->verdict == QPW_VERDICT_INFRA)
        return "already allowed";
    if (qpw_is_foreign(a->reason))
        return "none: sent from an address that is not this node's";
    if (a->verdict == QPW_VERDICT_TRANSIT)
        return "none: not addressed to this node";
    if (a->kind == QPW_KIND_ETHERTYPE)
        return "none: a policy covers IP only";
    if (a->verdict == QPW_VERDICT_MISMATCH && !*a->rule)
        return "none: its rule is not known";
    if ((a->direction != QPW_DIR_INBOUND && a->direction != QPW_DIR_OUTBOUND) || (a->kind == QPW_KIND_PORT && !a->port))
        return "none: direction or port is not known";
    return NULL;
}

/* Write the statement of a built-in group, if the policy has disabled that group. */
static bool own_group(const struct qpw_allow *a, char *buf, size_t size)
{
    const char *name = strchr(a->rule, '-');

    if (a->verdict != QPW_VERDICT_UNEXPECTED || qpw_is_misfit(a->reason) || a->reason == QPW_REASON_OTHER_OWNER ||
        (strncmp(a->rule, "infra-", 6) && strncmp(a->rule, "implied-", 8)))
        return false;
    qpw_format(buf, size, "%.*s %s allowed", (int)(name - a->rule), a->rule, name + 1);
    return true;
}

/*
 * Write a purpose as the policy will parse it: characters that a name must not have become "_", and anything that is
 * not one plain word, or would be taken for a flag, is quoted.
 */
static void purpose_words(const char *name, char *buf, size_t size)
{
    char clean[64];
    size_t n = 0;
    bool plain = true, letters = false;

    for (; name && *name && n + 1 < sizeof(clean); name++) {
        bool word = isalnum((unsigned char)*name) || (*name && strchr("-_.", *name));

        letters |= isalnum((unsigned char)*name) != 0;
        plain &= word;
        clean[n++] = (char)(word || strchr(" /+:@()[]", *name) ? *name : '_');
    }
    clean[n] = '\0';
    if (!letters) {
        qpw_format(buf, size, "\"" QPW_TODO_PURPOSE "\"");
        return;
    }
    plain &= strcmp(clean, "weak") && strcmp(clean, "default") && strcmp(clean, "optional");
    qpw_format(buf, size, plain ? "%s" : "\"%s\"", clean);
}

/* Return the services and the one whose class it is; any, if none sends such. */
static uint32_t services_with(uint32_t services, unsigned speech)
{
/* NOLINTNEXTLINE(bugprone-macro-parentheses): one branch of many */
#define EXPECTS(s, name, text, expected, tolerated, flags) (expected) >> speech & 1 ? QPW_SPEAKS(s) :
    uint32_t more = QPW_SPOKEN(EXPECTS) 0;
#undef EXPECTS

    return more ? services | more : QPW_SPEAKS_ANY;
}

int qpw_words_allow(const struct qpw_allow *a, char *buf, size_t size)
{
    bool outbound = a->direction == QPW_DIR_OUTBOUND;
    char protocol[32], port[16] = "any", remote[QPW_SPEAKS_ROOM] = "", purpose[80];
    const char *why;

    if (own_group(a, buf, size))
        return 0;
    why = why_none(a);
    if (why) {
        qpw_format(buf, size, "%s", why);
        return -ENOENT;
    }
    if (a->verdict == QPW_VERDICT_MISMATCH) {
        qpw_format(buf, size, "override %s speaks=%s", a->rule,
                   qpw_speaks_text(services_with(a->services, a->speaks & QPW_SPEECH), remote, sizeof(remote)));
        return 0;
    }
    qpw_protocol_text(a->kind, a->protocol, a->port, protocol, sizeof(protocol));
    if (a->kind != QPW_KIND_PROTOCOL)
        qpw_format(port, sizeof(port), "%u", a->port);
    if (a->remote)
        qpw_address_text(a->remote, remote, sizeof(remote));
    purpose_words(a->purpose, purpose, sizeof(purpose));
    qpw_format(buf, size, "%s %s %s %s%s%s", outbound ? "outbound" : "inbound", protocol, port,
               purpose, !a->remote ? "" : outbound ? " to=" : " from=", remote);
    return 0;
}
