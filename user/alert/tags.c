/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "alert/tags.h"

/* Subjects of records, as the catalogues distinguish them. */
enum subject {
    NOTHING = 0,
    SERVICE,  /* a service of the node that the policy does not list */
    CLIENT,   /* a connection that the node opened */
    TRAFFIC,  /* unusual traffic at the boundary: scans, unlisted protocols, undecided traffic */
    FORGED,   /* addresses that cannot be the sender's */
    LISTENER, /* a listening socket, or its owner */
    CLUSTER,  /* between the nodes */
    BLIND,    /* the audit or its log failed, or lost data */
    LOGGING,  /* the audit started or ended, or its clock was set */
    CHANGE,   /* of what is allowed or reported */
    SUBJECTS
};

static const char *const tags[SUBJECTS][QPW_TAG_CATALOGUE_COUNT][QPW_TAGS_MOST] = {
    [SERVICE] = {{"1.2.5", "2.2.4"}, {"CM-7(1)", "SC-7", "SI-4(4)"}, {"4.8", "13.6"}, {"CIP-007-6 R1.1"}, {"CC6.6", "CC7.2"}},
    [CLIENT] = {{"1.2.5"}, {"SC-7", "SI-4(4)"}, {"13.6"}, {"CIP-015-1"}, {"CC6.6", "CC7.2"}},
    [TRAFFIC] = {{"1.2.5"}, {"SC-7", "SI-4(4)"}, {"13.6"}, {"CIP-015-1"}, {"CC7.2"}},
    [FORGED] = {{"1.4.3"}, {"SC-7", "SI-4(4)"}, {"13.6"}, {"CIP-015-1"}, {"CC6.6", "CC7.2"}},
    [LISTENER] = {{"1.2.5", "2.2.4"}, {"CM-7(1)"}, {"2.1.22", "4.8"}, {"CIP-007-6 R1.1"}, {"CC7.1"}},
    [CLUSTER] = {{NULL}, {"SC-7", "AU-6(3)"}, {"13.6"}, {"CIP-015-1"}, {"CC7.2"}},
    [BLIND] = {{"10.7.2"}, {"AU-5", "SI-4(4)"}, {"13.6"}, {"CIP-015-1"}, {"CC7.2"}},
    [LOGGING] = {{"10.2.1.6"}, {"AU-9", "AU-11"}, {NULL}, {NULL}, {"CC7.2"}},
    [CHANGE] = {{"1.2.5", "1.2.7"}, {"CM-7(1)"}, {"4.8"}, {"CIP-007-6 R1.1"}, {"CC8.1"}},
};

/* One row a signature; tests/unit/test_tags.c fails if one is missing. */
static const unsigned char subjects[QPW_SIG_COUNT] = {
    [QPW_SIG_IN_ATTEMPTED] = SERVICE,
    [QPW_SIG_IN_REFUSED] = SERVICE,
    [QPW_SIG_IN_ANSWERED] = SERVICE,
    [QPW_SIG_IN_DATA] = SERVICE,
    [QPW_SIG_OUT_ATTEMPTED] = CLIENT,
    [QPW_SIG_OUT_REFUSED] = CLIENT,
    [QPW_SIG_OUT_ANSWERED] = CLIENT,
    [QPW_SIG_OUT_DATA] = CLIENT,
    [QPW_SIG_OUT_ANSWERED_NEW] = CLIENT,
    [QPW_SIG_OUT_DATA_NEW] = CLIENT,
    [QPW_SIG_PROTOCOL_SEEN] = TRAFFIC,
    [QPW_SIG_PROTOCOL_BOTH] = TRAFFIC,
    [QPW_SIG_ETHERTYPE] = TRAFFIC,
    [QPW_SIG_WEAK_ANSWERED] = SERVICE,
    [QPW_SIG_IMPLIED] = SERVICE,
    [QPW_SIG_IMPLIED_UNKNOWN] = SERVICE,
    [QPW_SIG_UNDECIDED_BOTH] = TRAFFIC,
    [QPW_SIG_NO_HANDSHAKE] = TRAFFIC,
    [QPW_SIG_INFERRED_BOTH] = TRAFFIC,
    [QPW_SIG_JUST_ATTACHED] = TRAFFIC,
    [QPW_SIG_QUESTION_LOST] = TRAFFIC,
    [QPW_SIG_UNJUDGED_SENT] = TRAFFIC,
    [QPW_SIG_UNJUDGED_BOTH] = TRAFFIC,
    [QPW_SIG_GROUP_ANSWERED] = SERVICE,
    [QPW_SIG_CROSSED] = TRAFFIC,
    [QPW_SIG_FOREIGN_SOURCE] = FORGED,
    [QPW_SIG_MISMATCH] = SERVICE,
    [QPW_SIG_MISMATCH_TEXT] = SERVICE,
    [QPW_SIG_MULTICAST] = TRAFFIC,
    [QPW_SIG_SCAN] = TRAFFIC,
    [QPW_SIG_SCAN_OUT] = CLIENT,
    [QPW_SIG_MANY_INITIATORS] = TRAFFIC,
    [QPW_SIG_FLOOD] = TRAFFIC,
    [QPW_SIG_MAYBE_PEER] = CLUSTER,
    [QPW_SIG_FURTHER] = SERVICE,
    [QPW_SIG_FURTHER_OUT] = CLIENT,
    [QPW_SIG_FURTHER_INFO] = SERVICE,
    [QPW_SIG_PEER_SILENT] = CLUSTER,
    [QPW_SIG_PEER_BACK] = CLUSTER,
    [QPW_SIG_PEER_FAMILY] = CLUSTER,
    [QPW_SIG_PEER_PORT] = CLUSTER,
    [QPW_SIG_ROUTER_ADVERTISEMENT] = FORGED,
    [QPW_SIG_REDIRECT] = FORGED,
    [QPW_SIG_LARGE_ECHO] = TRAFFIC,
    [QPW_SIG_LISTENER_NEW] = LISTENER,
    [QPW_SIG_OWNER_CHANGED] = LISTENER,
    [QPW_SIG_CLUSTER_BLIND] = BLIND,
    [QPW_SIG_CLUSTER_LOST] = CLUSTER,
    [QPW_SIG_CLUSTER_FORGED] = FORGED,
    [QPW_SIG_CLUSTER_BYPASSED] = BLIND,
    [QPW_SIG_CLUSTER_DOWN] = CLUSTER,
    [QPW_SIG_CLUSTER_STALE] = BLIND,
    [QPW_SIG_CLUSTER_PARTITION] = CLUSTER,
    [QPW_SIG_CLUSTER_ADDRESS_TWICE] = CLUSTER,
    [QPW_SIG_CLUSTER_COVERAGE] = BLIND,
    [QPW_SIG_CLUSTER_DIRECTION] = CLUSTER,
    [QPW_SIG_CLUSTER_ODD] = SERVICE,
    [QPW_SIG_CLUSTER_SCAN] = TRAFFIC,
    [QPW_SIG_CLUSTER_DRIFT] = CHANGE,
    [QPW_SIG_CLUSTER_CLOCK] = LOGGING,
    [QPW_SIG_CLUSTER_KEY] = FORGED,
    [QPW_SIG_CLUSTER_LOG] = LOGGING,
    [QPW_SIG_CLUSTER_UNCOMPARED] = BLIND,
    [QPW_SIG_CLUSTER_OVER] = CLUSTER,
    [QPW_SIG_RELOAD_FAILED] = CHANGE,
    [QPW_SIG_DETAIL_LOST] = BLIND,
    [QPW_SIG_ANSWERED_DETAIL_LOST] = BLIND,
    [QPW_SIG_COUNTING_LOST] = BLIND,
    [QPW_SIG_AUDITOR_GAP] = BLIND,
    [QPW_SIG_HOOK_LOST] = BLIND,
    [QPW_SIG_HOOK_NOT_FIRST] = BLIND,
    [QPW_SIG_INTERFACE_LOST] = BLIND,
    [QPW_SIG_OWNERS_LOST] = BLIND,
    [QPW_SIG_ADDRESSES_LEFT_OUT] = BLIND,
    [QPW_SIG_HELD_BACK] = BLIND,
    [QPW_SIG_SUPPRESSED] = CHANGE,
    [QPW_SIG_ATTACHED] = LOGGING,
    [QPW_SIG_DETACHED] = LOGGING,
    [QPW_SIG_STARTED] = LOGGING,
    [QPW_SIG_STOPPED] = LOGGING,
    [QPW_SIG_INTERFACE] = LOGGING,
    [QPW_SIG_RELOADED] = CHANGE,
    [QPW_SIG_RELOADED_ALONE] = CHANGE,
    [QPW_SIG_CLOCK_STEPPED] = LOGGING,
    [QPW_SIG_OWNERS_NOTED] = LOGGING,
    [QPW_SIG_ADDRESSES_COMPLETE] = LOGGING,
    [QPW_SIG_HISTORY_STOPPED] = BLIND,
    [QPW_SIG_HISTORY] = LOGGING,
    [QPW_SIG_SUPPRESSION_ADDED] = CHANGE,
    [QPW_SIG_SUPPRESSION_ENDED] = CHANGE,
};

const char *qpw_tag_key(unsigned catalogue)
{
#define KEY(symbol, key, name) key,
    static const char *const keys[] = {QPW_TAG_CATALOGUES(KEY)};
#undef KEY

    return catalogue < QPW_TAG_CATALOGUE_COUNT ? keys[catalogue] : "";
}

const char *const *qpw_tags_of(const struct qpw_signature *signature, enum qpw_tag_catalogue catalogue)
{
    for (unsigned i = 1; i < QPW_SIG_COUNT; i++)
        if (qpw_signature(i) == signature)
            return tags[subjects[i]][catalogue];
    return tags[NOTHING][catalogue];
}
