/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tags.h - which requirements of which catalogue a signature concerns, for a SIEM to sort records by.
 *
 * A tag says what the record is evidence about, not that the requirement is met or broken.
 */
#ifndef QPW_ALERT_TAGS_H
#define QPW_ALERT_TAGS_H

#include "alert/signatures.h"

/* X(symbol, "key of the metadata", "catalogue") */
#define QPW_TAG_CATALOGUES(X) \
    X(PCI_DSS, "pci_dss", "PCI DSS 4.0.1") \
    X(NIST_800_53, "nist_800_53", "NIST SP 800-53 revision 5") \
    X(CIS, "cis", "CIS Controls 8.1; CIS Debian Linux 12 Benchmark") \
    X(NERC_CIP, "nerc_cip", "NERC CIP") \
    X(TSC, "tsc", "AICPA Trust Services Criteria")
#define QPW_X_TAG(s, key, catalogue) QPW_TAG_##s,
enum qpw_tag_catalogue { QPW_TAG_CATALOGUES(QPW_X_TAG) QPW_TAG_CATALOGUE_COUNT };

/* The key of the record's metadata, as above. Static. */
const char *qpw_tag_key(unsigned catalogue);

#define QPW_TAGS_MOST 4u

/* The ids of a signature (qpw_signature()), ended by NULL; none for what no catalogue asks about. Static. */
const char *const *qpw_tags_of(const struct qpw_signature *signature, enum qpw_tag_catalogue catalogue);

#endif
