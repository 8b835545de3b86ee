/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tags.h - the requirements of each catalogue that a signature concerns, for sorting records in a SIEM.
 *
 * A tag names the requirement that a record is evidence about, not whether it is met.
 */
#ifndef QPW_ALERT_TAGS_H
#define QPW_ALERT_TAGS_H

#include "alert/signatures.h"

/* X(symbol, "metadata key", "catalogue") */
#define QPW_TAG_CATALOGUES(X) \
    X(PCI_DSS, "pci_dss", "PCI DSS 4.0.1") \
    X(NIST_800_53, "nist_800_53", "NIST SP 800-53 revision 5") \
    X(CIS, "cis", "CIS Controls 8.1; CIS Debian Linux 12 Benchmark") \
    X(NERC_CIP, "nerc_cip", "NERC CIP") \
    X(TSC, "tsc", "AICPA Trust Services Criteria")
#define QPW_X_TAG(s, key, catalogue) QPW_TAG_##s,
enum qpw_tag_catalogue { QPW_TAG_CATALOGUES(QPW_X_TAG) QPW_TAG_CATALOGUE_COUNT };

/* Return the key in the record's metadata, as above. Static. */
const char *qpw_tag_key(unsigned catalogue);

#define QPW_TAGS_MOST 4u

/*
 * Return the requirement ids of a signature (qpw_signature()), NULL-terminated; empty if the catalogue has none.
 * Static.
 */
const char *const *qpw_tags_of(const struct qpw_signature *signature, enum qpw_tag_catalogue catalogue);

#endif
