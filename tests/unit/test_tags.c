/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tags of alerts: every signature has its own, and records carry them. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "alert/log/eve.h"
#include "alert/tags.h"

static bool has(enum qpw_signature_name signature, enum qpw_tag_catalogue catalogue, const char *id)
{
    for (const char *const *tag = qpw_tags_of(qpw_signature(signature), catalogue); *tag; tag++)
        if (!strcmp(*tag, id))
            return true;
    return false;
}

Test(tags, every_signature_concerns_something)
{
    for (unsigned i = 1; i < QPW_SIG_COUNT; i++) {
        size_t n = 0;

        if (!qpw_signature(i)->id)
            continue;
        for (unsigned catalogue = 0; catalogue < QPW_TAG_CATALOGUE_COUNT; catalogue++)
            for (const char *const *tag = qpw_tags_of(qpw_signature(i), catalogue); *tag; tag++)
                n++;
        cr_expect_gt(n, 0, "%s", qpw_signature(i)->name);
    }
    cr_expect_null(*qpw_tags_of(qpw_signature(QPW_SIG_NONE), QPW_TAG_PCI_DSS));
}

Test(tags, say_what_the_record_is_evidence_about)
{
    cr_expect(has(QPW_SIG_IN_ANSWERED, QPW_TAG_PCI_DSS, "1.2.5"));
    cr_expect(has(QPW_SIG_FOREIGN_SOURCE, QPW_TAG_PCI_DSS, "1.4.3"));
    cr_expect(has(QPW_SIG_HOOK_LOST, QPW_TAG_PCI_DSS, "10.7.2"));
    cr_expect(has(QPW_SIG_HOOK_LOST, QPW_TAG_NIST_800_53, "AU-5"));
    cr_expect(has(QPW_SIG_STOPPED, QPW_TAG_PCI_DSS, "10.2.1.6"));
    cr_expect(has(QPW_SIG_LISTENER_NEW, QPW_TAG_NERC_CIP, "CIP-007-6 R1.1"));
    cr_expect(has(QPW_SIG_LISTENER_NEW, QPW_TAG_CIS, "2.1.22"));
    cr_expect(has(QPW_SIG_RELOADED, QPW_TAG_TSC, "CC8.1"));
    cr_expect_not(has(QPW_SIG_STOPPED, QPW_TAG_PCI_DSS, "1.2.5"));
}

/* Where a SIEM finds them, id by id: in an alert's metadata, among the variables of the auditor's own records. */
Test(tags, stand_in_the_records)
{
    struct qpw_record record = {.signature = qpw_signature(QPW_SIG_IN_ANSWERED), .host = "node1", .iface = "eth0"};
    struct { const char *catalogue, *second; } wanted[] = {{"pci_dss", "2.2.4"}, {"nist_800_53", "SC-7"}, {"cis", "13.6"}};
    json_t *o, *list;
    size_t length, i;
    char *line;

    cr_assert_eq(qpw_eve_line(&record, NULL, &line, &length), 0);
    o = json_loads(line, 0, NULL);
    for (i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
        list = json_object_get(json_object_get(json_object_get(o, "alert"), "metadata"), wanted[i].catalogue);
        cr_expect_str_eq(json_string_value(json_array_get(list, 1)), wanted[i].second, "%s", line);
    }
    json_decref(o);
    free(line);
    record.signature = qpw_signature(QPW_SIG_HOOK_LOST);
    if (record.signature->operational) {
        size_t n = 0;

        cr_assert_eq(qpw_eve_line(&record, NULL, &line, &length), 0);
        o = json_loads(line, 0, NULL);
        list = json_object_get(json_object_get(o, "metadata"), "flowvars");
        for (i = 0; i < json_array_size(list); i++)
            n += json_object_get(json_array_get(list, i), "nist_800_53") != NULL;
        cr_expect_eq(n, 2, "each of its ids: %s", line);
        cr_expect_str_eq(qpw_eve_fact(o, "pci_dss"), "10.7.2");
        json_decref(o);
        free(line);
    }
}
