/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/privileges.h"

#include <cap-ng.h>
#include <sys/prctl.h>

void qpw_privileges_drop(void)
{
    capng_clear(CAPNG_SELECT_BOTH);
    if (capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET, CAP_NET_ADMIN, CAP_BPF,
                      CAP_PERFMON, CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE, -1) == 0)
        capng_apply(CAPNG_SELECT_BOTH);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
