/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/lang/services.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "policy/lang/rule_text.h"
#include "util/names.h"
#include "util/near.h"

/* Services spoken over TCP and UDP, and over UDP only. */
#define OVER_BOTH \
    (QPW_SPEAKS(SUNRPC) | QPW_SPEAKS(LDAP) | QPW_SPEAKS(KERBEROS) | QPW_SPEAKS(DNS) | QPW_SPEAKS(SYSLOG))
#define OVER_UDP QPW_SPEAKS(NTP)

/* Return the service of that name; QPW_SPOKEN_COUNT: none. */
static unsigned service_named(const char *text, size_t length)
{
    for (unsigned i = 0; i < QPW_SPOKEN_COUNT; i++)
        if (strlen(qpw_spoken_name(i)) == length && !strncmp(qpw_spoken_name(i), text, length))
            return i;
    return QPW_SPOKEN_COUNT;
}

const char *qpw_speaks_read(const char *text, uint32_t *ret)
{
    uint32_t speaks = 0;

    if (!strcmp(text, "any")) {
        *ret = QPW_SPEAKS_ANY;
        return NULL;
    }
    for (size_t length;; text += length + 1) {
        unsigned service;

        length = strcspn(text, ",");
        service = service_named(text, length);
        if (service == QPW_SPOKEN_COUNT || speaks & 1u << service)
            return text;
        speaks |= 1u << service;
        if (!text[length])
            break;
    }
    *ret = speaks;
    return NULL;
}

int qpw_parse_speaks(const struct qpw_where *where, const struct qpw_word *word, const char *text, uint32_t *ret,
                     struct qpw_error *err)
{
    const char *wrong = qpw_speaks_read(text, ret);
    size_t length = wrong ? strcspn(wrong, ",") : 0;
    struct qpw_near near = qpw_near_to(wrong, length);
    char all[QPW_SPEAKS_ROOM], hint[48];

    if (!wrong)
        return 0;
    if (service_named(wrong, length) < QPW_SPOKEN_COUNT)
        return qpw_fail_at(err, where, qpw_column_in(word, wrong), "'%.*s': given twice in this list", (int)length, wrong);
    for (unsigned i = 0; i < QPW_SPOKEN_COUNT; i++)
        qpw_near_offer(&near, qpw_spoken_name(i));
    qpw_near_offer(&near, "any");
    return qpw_fail_at(err, where, qpw_column_in(word, wrong), "'%.*s' is not what speaks= takes: any alone, or of %s%s",
                       (int)length, wrong, qpw_speaks_text(QPW_SPEAKS_SERVICES, all, sizeof(all)),
                       qpw_near_hint(&near, hint, sizeof(hint)));
}

int qpw_check_speaks(const struct qpw_rule *rule, const struct qpw_where *where, struct qpw_error *err)
{
    char speaks[QPW_SPEAKS_ROOM], protocols[512];

    if (!qpw_speaks_services(rule->speaks))
        return 0;
    if (rule->flags & QPW_RULE_ANY_PROTOCOL)
        return qpw_fail_at(err, where, 0, "speaks=%s: name the protocol, tcp or udp, in place of any",
                           qpw_speaks_text(rule->speaks, speaks, sizeof(speaks)));
    for (unsigned protocol = 0; protocol < 256; protocol++)
        if (qpw_protocol_in(rule->protocols, protocol) && qpw_speaks_over(rule->speaks, protocol))
            return 0;
    return qpw_fail_at(err, where, 0, "speaks=%s: not spoken over %s",
                       qpw_speaks_text(rule->speaks, speaks, sizeof(speaks)),
                       qpw_protocols_text(rule->protocols, /* any= */ false, protocols, sizeof(protocols)));
}

const char *qpw_speaks_text(uint32_t speaks, char *buf, size_t size)
{
    size_t used = 0;

    snprintf(buf, size, "any");
    for (unsigned i = 0; i < QPW_SPOKEN_COUNT && used < size; i++)
        if (qpw_speaks_services(speaks) & 1u << i)
            used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? "," : "", qpw_spoken_name(i));
    return buf;
}

uint32_t qpw_speaks_services(uint32_t speaks)
{
    return speaks & QPW_SPEAKS_ANY ? 0 : speaks;
}

uint32_t qpw_speaks_over(uint32_t speaks, unsigned protocol)
{
    speaks = qpw_speaks_services(speaks);
    return protocol == IPPROTO_TCP ? speaks & ~OVER_UDP : protocol == IPPROTO_UDP ? speaks & (OVER_BOTH | OVER_UDP) : 0;
}
